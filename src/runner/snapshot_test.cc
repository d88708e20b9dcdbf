#include "runner/snapshot.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/base.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void sh(const fs::path& folder, const std::string& command) {
  ProcessSpec spec;
  spec.arguments = {
      "/bin/sh", "-ec",
      "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_GLOBAL=/dev/null; "
      "git() { command git -c protocol.file.allow=always -c init.defaultBranch=main \"$@\"; }; " +
          command};
  spec.directory = folder;
  const auto output = run_command(spec, std::chrono::seconds(60));
  ASSERT_TRUE(output.ok());
  ASSERT_TRUE(output->status.ok()) << output->err;
}

std::vector<std::string> paths(const Snapshot& snapshot) {
  std::vector<std::string> out;
  for (const TreeEntry& entry : snapshot.tree.entries) out.push_back(entry.path);
  return out;
}

TEST(Snapshot, holds_the_working_copy_with_uncommitted_changes) {
  TemporaryDirectory folder;
  write(folder.path() / "train.py", "lr = 1\n");
  write(folder.path() / "gone.py", "x\n");
  write(folder.path() / ".gitignore", "data/\n");
  sh(folder.path(),
     "git init -q . && git add . && git commit -qm one && git remote add origin https://me:t0ken@host/x.git");
  write(folder.path() / "train.py", "lr = 2\npassword = 'hunter2'\n");
  write(folder.path() / "staged.py", "s\n");
  write(folder.path() / "new file.py", "n\n");
  write(folder.path() / "data/big.bin", "ignored");
  fs::remove(folder.path() / "gone.py");
  fs::create_symlink("train.py", folder.path() / "link");
  sh(folder.path(), "git add staged.py && chmod +x staged.py");

  const auto snapshot = take_snapshot(folder.path());
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  EXPECT_EQ(paths(*snapshot), (std::vector<std::string>{".gitignore", "link", "new file.py", "staged.py", "train.py"}));
  EXPECT_EQ(snapshot->tree.find("train.py")->hash, hash_of("lr = 2\npassword = 'hunter2'\n"));
  EXPECT_EQ(snapshot->tree.find("link")->kind, TreeEntryKind::link);
  EXPECT_EQ(snapshot->tree.find("staged.py")->kind, TreeEntryKind::executable);
  const SnapshotManifest& manifest = snapshot->manifest;
  EXPECT_EQ(manifest.commit.size(), 40u);
  EXPECT_EQ(manifest.branch, "main");
  EXPECT_EQ(manifest.remote, "https://host/x.git");
  EXPECT_TRUE(manifest.dirty);
  EXPECT_NE(manifest.diff.find("+lr = 2"), std::string::npos);
  EXPECT_NE(manifest.diff.find("+password = '***'"), std::string::npos);
  EXPECT_NE(manifest.diff.find("+s"), std::string::npos) << "staged changes belong to the diff";
  EXPECT_EQ(manifest.untracked, (std::vector<std::string>{"link", "new file.py"}));

  const auto again = parse_snapshot_manifest(*Json::parse(to_json(manifest).render()));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(to_json(*again), to_json(manifest));
}

TEST(Snapshot, a_clean_working_copy_is_clean) {
  TemporaryDirectory folder;
  write(folder.path() / "a.py", "1\n");
  sh(folder.path(), "git init -q . && git add . && git commit -qm one");
  const auto snapshot = take_snapshot(folder.path());
  EXPECT_FALSE(snapshot->manifest.dirty);
  EXPECT_EQ(snapshot->manifest.diff, "");
}

TEST(Snapshot, takes_only_what_is_below_the_folder) {
  TemporaryDirectory folder;
  write(folder.path() / "other/x.py", "1\n");
  write(folder.path() / "example/a.py", "1\n");
  sh(folder.path(), "git init -q . && git add . && git commit -qm one");
  write(folder.path() / "other/x.py", "2\n");
  const auto snapshot = take_snapshot(folder.path() / "example");
  EXPECT_EQ(paths(*snapshot), std::vector<std::string>{"a.py"});
  EXPECT_FALSE(snapshot->manifest.dirty);
}

TEST(Snapshot, a_repository_without_a_commit_works) {
  TemporaryDirectory folder;
  write(folder.path() / "a.py", "1\n");
  sh(folder.path(), "git init -q . && git add .");
  const auto snapshot = take_snapshot(folder.path());
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  EXPECT_EQ(snapshot->manifest.commit, "");
  EXPECT_EQ(snapshot->manifest.branch, "main");
  EXPECT_NE(snapshot->manifest.diff.find("+1"), std::string::npos);
}

TEST(Snapshot, submodules_are_taken_with_their_commits) {
  TemporaryDirectory folder;
  write(folder.path() / "lib/l.py", "1\n");
  sh(folder.path() / "lib", "git init -q . && git add . && git commit -qm lib");
  write(folder.path() / "main/a.py", "1\n");
  sh(folder.path() / "main", "git init -q . && git submodule add -q ../lib sub && git add . && git commit -qm main");
  write(folder.path() / "main/sub/l.py", "changed\n");
  const auto snapshot = take_snapshot(folder.path() / "main");
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  EXPECT_EQ(snapshot->tree.find("sub/l.py")->hash, hash_of("changed\n"));
  ASSERT_EQ(snapshot->manifest.submodules.size(), 1u);
  EXPECT_EQ(snapshot->manifest.submodules[0].commit.size(), 40u);
  EXPECT_TRUE(snapshot->manifest.dirty);
}

TEST(Snapshot, a_folder_without_git_is_taken_whole) {
  TemporaryDirectory folder;
  write(folder.path() / "a.py", "1");
  write(folder.path() / "__pycache__/a.pyc", "x");
  const auto snapshot = take_snapshot(folder.path());
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  EXPECT_EQ(paths(*snapshot), std::vector<std::string>{"a.py"});
  EXPECT_EQ(snapshot->manifest.commit, "");
  EXPECT_EQ(take_snapshot(folder.path() / "nowhere").error().code, ErrorCode::not_found);
}

TEST(Snapshot, a_repository_that_git_cannot_read_is_not_taken_whole) {
  TemporaryDirectory folder;
  write(folder.path() / ".git/HEAD", "nonsense");
  write(folder.path() / "work/secret.txt", "ignored by a .gitignore that nobody can read");
  const auto snapshot = take_snapshot(folder.path() / "work");
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(snapshot.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(snapshot.error().message.find(folder.path().string() + " is a git repository"), std::string::npos)
      << snapshot.error().message;
}

TEST(Snapshot, a_link_that_leads_outside_is_kept_as_a_link) {
  TemporaryDirectory folder;
  write(folder.path() / "a.py", "1");
  fs::create_symlink("/etc/passwd", folder.path() / "users");
  fs::create_directory_symlink("/etc", folder.path() / "settings");
  const auto snapshot = take_snapshot(folder.path());
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  EXPECT_EQ(paths(*snapshot), (std::vector<std::string>{"a.py", "settings", "users"}));
  EXPECT_EQ(snapshot->tree.find("users")->hash, hash_of("/etc/passwd")) << "where it leads, not what lies there";
  EXPECT_EQ(snapshot->tree.find("settings")->kind, TreeEntryKind::link);
}

TEST(Snapshot, large_and_secret_untracked_files_are_left_out_with_a_reason) {
  TemporaryDirectory folder;
  write(folder.path() / "a.py", "1");
  write(folder.path() / "big.bin", std::string(2000, 'x'));
  write(folder.path() / ".env", "TOKEN=x");
  SnapshotOptions options;
  options.untracked_file_bytes_max = 1000;
  const auto snapshot = take_snapshot(folder.path(), options);
  EXPECT_EQ(paths(*snapshot), std::vector<std::string>{"a.py"});
  ASSERT_EQ(snapshot->manifest.omitted.size(), 2u);
  for (const OmittedFile& file : snapshot->manifest.omitted) EXPECT_FALSE(file.why.empty());
}

TEST(Snapshot, too_much_untracked_names_the_limit_and_the_largest) {
  TemporaryDirectory folder;
  write(folder.path() / "small.bin", std::string(10, 'x'));
  write(folder.path() / "large.bin", std::string(2000, 'x'));
  SnapshotOptions options;
  options.untracked_bytes_max = 1000;
  const auto snapshot = take_snapshot(folder.path(), options);
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(snapshot.error().code, ErrorCode::too_large);
  EXPECT_NE(snapshot.error().message.find("large.bin"), std::string::npos);
  EXPECT_NE(snapshot.error().message.find("untracked_bytes_max"), std::string::npos);
}

TEST(Snapshot, a_long_diff_is_cut_and_the_tree_is_not) {
  TemporaryDirectory folder;
  write(folder.path() / "a.txt", "1\n");
  sh(folder.path(), "git init -q . && git add . && git commit -qm one");
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "line " + std::to_string(i) + "\n";
  write(folder.path() / "a.txt", lines);
  SnapshotOptions options;
  options.diff_bytes_max = 500;
  const auto snapshot = take_snapshot(folder.path(), options);
  EXPECT_TRUE(snapshot->manifest.diff_cut);
  EXPECT_LE(snapshot->manifest.diff.size(), 500u);
  EXPECT_EQ(snapshot->tree.find("a.txt")->size, lines.size());
}

}  // namespace
}  // namespace slipway::runner
