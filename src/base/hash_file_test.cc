#include "base/hash_file.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"

namespace slipway {
namespace {

TEST(HashFile, is_the_hash_of_the_bytes_however_many_pieces_they_take) {
  TemporaryDirectory folder;
  for (const size_t size : {size_t{0}, size_t{1}, (size_t{1} << 20), (size_t{1} << 20) + 7}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(write_file_atomic(folder.path() / "file", bytes).ok());
    std::uint64_t told = 0;
    const auto found = hash_file(folder.path() / "file", Links::follow, [&](std::uint64_t n) { told += n; });
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->hash, hash_of(bytes));
    EXPECT_EQ(found->bytes, size);
    EXPECT_EQ(told, size);
  }
}

TEST(HashFile, follows_a_link_only_where_it_may) {
  TemporaryDirectory folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "file", "content").ok());
  std::filesystem::create_symlink("file", folder.path() / "link");
  EXPECT_EQ(hash_file(folder.path() / "link").value().hash, hash_of("content"));
  EXPECT_FALSE(hash_file(folder.path() / "link", Links::refuse).ok());
}

TEST(HashFile, says_which_file_is_missing) {
  TemporaryDirectory folder;
  const auto found = hash_file(folder.path() / "gone");
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.error().message.find("gone"), std::string::npos);
}

}  // namespace
}  // namespace slipway
