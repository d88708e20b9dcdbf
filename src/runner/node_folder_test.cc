#include "runner/node_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/file.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

void make_old(const fs::path& path) {
  const timespec past[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), past, AT_SYMLINK_NOFOLLOW), 0);
}

TEST(NodeFolder, what_nobody_touched_for_long_goes_and_the_rest_stays) {
  TemporaryDirectory node;
  write(node.path() / "checkpoints/old/1.pt");
  write(node.path() / "checkpoints/busy/1.pt");
  write(node.path() / "runner-logs/old.log");
  write(node.path() / "attempts/new/log");
  write(node.path() / "cache/aa/file");
  for (const char* path :
       {"checkpoints/old/1.pt", "checkpoints/old", "checkpoints/busy", "runner-logs/old.log", "cache/aa/file"})
    make_old(node.path() / path);
  tidy_node_folder(node.path(), system_clock().now());
  EXPECT_FALSE(fs::exists(node.path() / "checkpoints/old"));
  EXPECT_TRUE(fs::exists(node.path() / "checkpoints/busy/1.pt")) << "its file was written in place just now";
  EXPECT_FALSE(fs::exists(node.path() / "runner-logs/old.log"));
  EXPECT_TRUE(fs::exists(node.path() / "attempts/new/log"));
  EXPECT_TRUE(fs::exists(node.path() / "cache/aa/file")) << "the cache has a limit of its own";
}

TEST(NodeFolder, read_only_inputs_and_links_do_not_stop_it) {
  TemporaryDirectory node, outside;
  write(outside.path() / "mine");
  write(node.path() / "attempts/old/inputs/digits/1.png");
  fs::create_directory_symlink(outside.path(), node.path() / "attempts/old/link");
  ::chmod((node.path() / "attempts/old/inputs/digits").c_str(), 0555);
  for (const char* path : {"attempts/old/inputs/digits/1.png", "attempts/old/inputs/digits", "attempts/old/inputs",
                           "attempts/old/link", "attempts/old"})
    make_old(node.path() / path);
  tidy_node_folder(node.path(), system_clock().now());
  EXPECT_FALSE(fs::exists(node.path() / "attempts/old"));
  EXPECT_TRUE(fs::exists(outside.path() / "mine"));
}

}  // namespace
}  // namespace slipway::runner
