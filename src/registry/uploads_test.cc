#include "registry/uploads.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "registry/fixture.h"

namespace slipway::registry {
namespace {

using namespace std::chrono_literals;

class UploadsTest : public RegistryTest {
 protected:
  void SetUp() override {
    RegistryTest::SetUp();
    if (!database) return;
    parts = store::Parts::open(folder.path() / "parts").value();
    uploads = std::make_unique<Uploads>(*database, *store, *parts, registry->artifacts(), clock);
  }

  store::PartName send(const PartedUpload& upload, std::int64_t number, const std::string& bytes) {
    bool is_sent = false;
    const auto kept = uploads->put_part(upload.id, number, [&]() -> Result<std::string> {
      return std::exchange(is_sent, true) ? std::string() : bytes;
    });
    return {number, kept.value().hash};
  }
  /// Nothing came to it for a day and a bit.
  void age(const PartedUpload& upload) {
    const std::int64_t then_s = (clock.now() - kUploadIdleMax - 1min).micros / 1'000'000;
    const timespec times[] = {{then_s, 0}, {then_s, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder.path() / "parts" / upload.id).c_str(), times, 0), 0);
  }
  size_t folders() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder.path() / "parts"), {}));
  }

  const Owner owner{project, OwnerKind::run, "r1"};
  std::unique_ptr<store::Parts> parts;
  std::unique_ptr<Uploads> uploads;
};

TEST_P(UploadsTest, parts_become_the_artifact_and_leave_nothing_else) {
  const auto upload = uploads->begin(owner, "models/a.bin", 2).value();
  const auto two = send(upload, 2, "two"), one = send(upload, 1, "one");
  const store::PartName names[] = {one, two};
  ASSERT_TRUE(uploads->complete(owner, "models/a.bin", upload.id, names).ok());
  const auto artifact = registry->artifacts().get(owner, "models/a.bin").value();
  EXPECT_EQ(store->get(artifact.hash).value(), "onetwo");
  EXPECT_EQ(folders(), 0u);
  EXPECT_TRUE(uploads->complete(owner, "models/a.bin", upload.id, names).ok());
}

TEST_P(UploadsTest, the_list_of_parts_must_be_whole_and_true) {
  const auto upload = uploads->begin(owner, "a", 2).value();
  const auto one = send(upload, 1, "one"), two = send(upload, 2, "two");
  const std::vector<std::vector<store::PartName>> wrong = {
      {}, {one}, {two, one}, {one, one}, {one, two, two}, {one, {2, one.hash}}, {{0, one.hash}, two}};
  for (const auto& names : wrong)
    EXPECT_EQ(uploads->complete(owner, "a", upload.id, names).error().code, ErrorCode::invalid_argument);
  EXPECT_FALSE(registry->artifacts().get(owner, "a").ok());
}

TEST_P(UploadsTest, an_upload_is_its_owners_alone) {
  const auto upload = uploads->begin(owner, "a", 1).value();
  const store::PartName names[] = {send(upload, 1, "x")};
  EXPECT_EQ(uploads->complete({ProjectId("other"), OwnerKind::run, "r1"}, "a", upload.id, names).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(uploads->complete({project, OwnerKind::run, "r2"}, "a", upload.id, names).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(uploads->complete(owner, "b", upload.id, names).error().code, ErrorCode::not_found);
  ASSERT_TRUE(uploads->abort({project, OwnerKind::run, "r2"}, "a", upload.id).ok());
  EXPECT_TRUE(uploads->complete(owner, "a", upload.id, names).ok());
}

TEST_P(UploadsTest, parts_have_their_numbers) {
  const auto upload = uploads->begin(owner, "a", 2).value();
  const auto nothing = []() -> Result<std::string> { return std::string(); };
  for (const std::int64_t number : {-1, 0, 3})
    EXPECT_EQ(uploads->put_part(upload.id, number, nothing).error().code, ErrorCode::invalid_argument);
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-1}, kUploadPartsMax + 1})
    EXPECT_EQ(uploads->begin(owner, "a", count).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(uploads->begin(owner, "../a", 1).error().code, ErrorCode::invalid_argument);
}

TEST_P(UploadsTest, what_is_aborted_takes_nothing_more) {
  const auto upload = uploads->begin(owner, "a", 1).value();
  send(upload, 1, "x");
  ASSERT_TRUE(uploads->abort(owner, "a", upload.id).ok());
  ASSERT_TRUE(uploads->abort(owner, "a", upload.id).ok());
  EXPECT_EQ(folders(), 0u);
  EXPECT_EQ(uploads->put_part(upload.id, 1, []() -> Result<std::string> { return std::string(); }).error().code,
            ErrorCode::not_found);
}

TEST_P(UploadsTest, what_nobody_sends_to_is_swept_when_the_next_begins) {
  const auto idle = uploads->begin(owner, "a", 1).value(), busy = uploads->begin(owner, "b", 1).value();
  clock.advance(std::chrono::duration_cast<Duration>(system_clock().now() - clock.now()));
  age(idle);
  uploads->begin(owner, "c", 1).value();
  EXPECT_EQ(folders(), 2u);
  const store::PartName names[] = {{1, hash_of("")}};
  EXPECT_EQ(uploads->complete(owner, "a", idle.id, names).error().code, ErrorCode::not_found);
  EXPECT_EQ(uploads->complete(owner, "b", busy.id, names).error().code, ErrorCode::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Databases, UploadsTest, testing::Values("sqlite", "postgres"));

}  // namespace
}  // namespace slipway::registry
