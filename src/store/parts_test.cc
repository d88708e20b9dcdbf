#include "store/parts.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/counters.h"
#include "base/file.h"

namespace slipway::store {
namespace {

using namespace std::chrono_literals;

class PartsTest : public testing::Test {
 protected:
  /// A source of these pieces, then the end, or an error after them.
  static std::function<Result<std::string>()> pieces(std::vector<std::string> all, bool breaks = false) {
    return [all = std::move(all), at = size_t{0}, breaks]() mutable -> Result<std::string> {
      if (at < all.size()) return all[at++];
      if (breaks) return Error{ErrorCode::cancelled, "the client went away"};
      return std::string();
    };
  }
  BlobInfo write(std::int64_t number, std::string bytes) { return parts->write("u1", number, pieces({bytes})).value(); }
  size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::recursive_directory_iterator(folder.path() / "parts"))
      count += each.is_regular_file();
    return count;
  }

  TemporaryDirectory folder{"parts-test"};
  Counters counters;
  std::unique_ptr<Store> store =
      Store::open({.folder = folder.path() / "store", .disk_free_bytes_min = 0}, system_clock(), counters).value();
  std::unique_ptr<Parts> parts = Parts::open(folder.path() / "parts").value();
};

TEST_F(PartsTest, parts_in_any_order_become_one_blob) {
  ASSERT_TRUE(parts->begin("u1").ok());
  const auto three = write(3, "ghi"), one = write(1, "abc"), two = write(2, "def");
  const PartName names[] = {{1, one.hash}, {2, two.hash}, {3, three.hash}};
  const auto whole = parts->join("u1", names, *store);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(store->get(whole->hash).value(), "abcdefghi");
  EXPECT_EQ(whole->hash, hash_of("abcdefghi"));
  ASSERT_TRUE(parts->remove("u1").ok());
  ASSERT_TRUE(parts->remove("u1").ok());
  EXPECT_EQ(files(), 0u);
}

TEST_F(PartsTest, the_same_part_again_replaces_it) {
  ASSERT_TRUE(parts->begin("u1").ok());
  const auto first = write(1, "old"), second = write(1, "new");
  const PartName stale[] = {{1, first.hash}}, fresh[] = {{1, second.hash}};
  EXPECT_EQ(parts->join("u1", stale, *store).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(store->get(parts->join("u1", fresh, *store)->hash).value(), "new");
}

TEST_F(PartsTest, two_senders_of_one_part_leave_one_of_both_whole) {
  ASSERT_TRUE(parts->begin("u1").ok());
  const std::string a(300'000, 'a'), b(300'000, 'b');
  std::thread other([&] { write(1, a); });
  write(1, b);
  other.join();
  const PartName as[] = {{1, hash_of(a)}}, bs[] = {{1, hash_of(b)}};
  EXPECT_NE(parts->join("u1", as, *store).ok(), parts->join("u1", bs, *store).ok());
  EXPECT_EQ(files(), 1u);
}

TEST_F(PartsTest, one_that_is_cut_off_leaves_the_former) {
  ASSERT_TRUE(parts->begin("u1").ok());
  const auto whole = write(1, "whole");
  EXPECT_EQ(parts->write("u1", 1, pieces({"beg", "in"}, true)).error().code, ErrorCode::cancelled);
  const PartName names[] = {{1, whole.hash}};
  EXPECT_TRUE(parts->join("u1", names, *store).ok());
  EXPECT_EQ(files(), 1u);
}

TEST_F(PartsTest, a_missing_part_is_named_and_nothing_is_put) {
  ASSERT_TRUE(parts->begin("u1").ok());
  const auto one = write(1, "abc");
  const PartName names[] = {{1, one.hash}, {2, one.hash}};
  const auto joined = parts->join("u1", names, *store);
  EXPECT_EQ(joined.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(joined.error().message.find("part 2"), std::string::npos);
  EXPECT_FALSE(store->contains(hash_of("abc")).value());
}

TEST_F(PartsTest, what_was_removed_takes_no_more_parts) {
  EXPECT_EQ(parts->write("u1", 1, pieces({"x"})).error().code, ErrorCode::not_found);
  for (const char* id : {"", "..", "../store", "a/b", "."})
    EXPECT_EQ(parts->write(id, 1, pieces({"x"})).error().code, ErrorCode::not_found) << id;
}

TEST_F(PartsTest, uploads_without_new_parts_are_idle) {
  ASSERT_TRUE(parts->begin("u1").ok());
  write(1, "x");
  EXPECT_TRUE(parts->idle_since(system_clock().now() - 1h)->empty());
  EXPECT_EQ(parts->idle_since(system_clock().now() + 1h).value(), std::vector<std::string>{"u1"});
}

}  // namespace
}  // namespace slipway::store
