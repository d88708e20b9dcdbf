#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace slipway {
namespace {

TEST(File, a_descriptor_closes_with_its_owner) {
  int number = -1;
  {
    UniqueFd file = open_file("/dev/null", O_RDONLY).value();
    number = file.get();
    UniqueFd other = std::move(file);
    EXPECT_FALSE(file);  // NOLINT(bugprone-use-after-move): what is left is the promise
    EXPECT_EQ(other.get(), number);
    EXPECT_TRUE(::fcntl(number, F_GETFD) & FD_CLOEXEC);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(File, release_gives_the_descriptor_away) {
  UniqueFd file = open_file("/dev/null", O_RDONLY).value();
  const UniqueFd mine(file.release());
  EXPECT_FALSE(file);
  EXPECT_NE(::fcntl(mine.get(), F_GETFD), -1);
}

TEST(File, what_is_written_is_read) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "file";
  for (const std::string& bytes : {std::string(), std::string("a\0b", 3), std::string(200'000, 'x')}) {
    ASSERT_TRUE(write_file_atomic(path, bytes).ok());
    EXPECT_EQ(read_file(path).value(), bytes);
  }
}

TEST(File, a_file_over_the_limit_is_too_large) {
  const TemporaryDirectory folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "file", "12345").ok());
  EXPECT_EQ(read_file(folder.path() / "file", 5).value(), "12345");
  EXPECT_EQ(read_file(folder.path() / "file", 4).error().code, ErrorCode::too_large);
}

TEST(File, errors_name_the_file_the_attempt_and_the_reason) {
  const auto missing = read_file("/nowhere/file");
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, "cannot open /nowhere/file: No such file or directory");
  EXPECT_EQ(system_error("write", "/x", ENOSPC).code, ErrorCode::busy);
  EXPECT_EQ(system_error("write", "/x", EACCES).code, ErrorCode::permission_denied);
  EXPECT_EQ(system_error("make", "/x", EEXIST).code, ErrorCode::already_exists);
  EXPECT_EQ(system_error("write", "/x", EIO).code, ErrorCode::internal);
}

TEST(File, an_atomic_write_that_fails_leaves_the_old_file_and_nothing_else) {
  const TemporaryDirectory folder;
  std::filesystem::create_directories(folder.path() / "taken" / "full");
  EXPECT_FALSE(write_file_atomic(folder.path() / "taken", "x").ok());
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++entries;
  EXPECT_EQ(entries, 1);
  EXPECT_FALSE(write_file_atomic(folder.path() / "missing" / "file", "x").ok());
}

TEST(File, an_atomic_write_has_the_rights_asked_for) {
  const TemporaryDirectory folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "secret", "x", 0600).ok());
  struct stat info {};
  ASSERT_EQ(::stat((folder.path() / "secret").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(File, folders_are_made_with_their_parents_and_once_is_enough) {
  const TemporaryDirectory folder;
  EXPECT_TRUE(make_directories(folder.path() / "a" / "b").ok());
  EXPECT_TRUE(make_directories(folder.path() / "a" / "b").ok());
  ASSERT_TRUE(write_file_atomic(folder.path() / "file", "").ok());
  EXPECT_FALSE(make_directories(folder.path() / "file" / "b").ok());
  EXPECT_TRUE(sync_directory(folder.path()).ok());
  EXPECT_FALSE(sync_directory(folder.path() / "nowhere").ok());
}

TEST(File, a_temporary_folder_goes_with_its_owner) {
  std::filesystem::path path;
  {
    const TemporaryDirectory folder("test-of-base");
    path = folder.path();
    ASSERT_TRUE(std::filesystem::is_directory(path));
    ASSERT_TRUE(make_directories(path / "a" / "b").ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(File, free_space_is_known) {
  EXPECT_GT(free_disk_bytes("/").value(), 0u);
  EXPECT_EQ(free_disk_bytes("/nowhere").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace slipway
