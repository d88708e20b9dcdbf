#include "registry/artifacts.h"

#include "registry/fixture.h"

namespace slipway::registry {
namespace {

class ArtifactsTest : public RegistryTest {
 protected:
  std::vector<std::string> list(std::string_view at, size_t page_size = kArtifactPageMax) {
    std::vector<std::string> names;
    std::string token;
    do {
      const ArtifactPage page = registry->artifacts().list(run, at, page_size, token).value();
      for (const ArtifactEntry& entry : page.entries) names.push_back(entry.path + (entry.is_directory ? "/" : ""));
      token = page.next_page_token;
    } while (!token.empty());
    return names;
  }

  const Owner run{kDefaultProject, OwnerKind::run, "0123456789abcdef0123456789abcdef"};
};
SLIPWAY_ON_BOTH_DATABASES(ArtifactsTest);

TEST_P(ArtifactsTest, what_is_put_is_found_by_owner_and_path) {
  auto& artifacts = registry->artifacts();
  ASSERT_TRUE(artifacts.put(run, "model/weights.png", blob("w")).ok());
  const Artifact found = artifacts.get(run, "model/weights.png").value();
  EXPECT_EQ(found.hash, hash_of("w"));
  EXPECT_EQ(found.size, 1u);
  EXPECT_EQ(found.content_type, "image/png");
  EXPECT_EQ(artifacts.get(run, "model").error().code, ErrorCode::not_found);
  EXPECT_EQ(artifacts.get({project, OwnerKind::logged_model, run.id}, "model/weights.png").error().code,
            ErrorCode::not_found);
  EXPECT_EQ(artifacts.get({ProjectId("other"), OwnerKind::run, run.id}, "model/weights.png").error().code,
            ErrorCode::not_found);
}

TEST_P(ArtifactsTest, files_below_a_folder_are_read_a_few_at_a_time) {
  std::vector<Artifact> files;
  for (const char* path : {"a", "d/1", "d/10", "d/2", "d/sub/x", "d0"}) files.push_back(file(path, path));
  ASSERT_TRUE(registry->artifacts().put(run, files).ok());
  for (const size_t count : {1, 2, 100}) {
    std::vector<std::string> read;
    while (true) {
      const auto some = registry->artifacts().some(run, "d", read.empty() ? "" : read.back(), count).value();
      if (some.empty()) break;
      EXPECT_LE(some.size(), count);
      for (const Artifact& one : some) read.push_back(one.path);
    }
    EXPECT_EQ(read, (std::vector<std::string>{"d/1", "d/10", "d/2", "d/sub/x"})) << count;
  }
  EXPECT_EQ(registry->artifacts().some(run, "", "", 3)->size(), 3u);
  EXPECT_EQ(registry->artifacts().some(run, "", "d0", 3)->size(), 0u);
}

TEST_P(ArtifactsTest, whoever_listens_learns_once_a_call_that_a_runs_files_changed) {
  auto& artifacts = registry->artifacts();
  const std::vector<Artifact> two{file("a", "1"), file("b", "2")};
  ASSERT_TRUE(artifacts.put(run, two).ok());
  ASSERT_EQ(events.events.size(), 1u);
  EXPECT_EQ(events.events[0].kind, EventKind::artifacts_changed);
  EXPECT_EQ(events.events[0].project, run.project);
  EXPECT_EQ(events.events[0].subject, run.id);
  ASSERT_TRUE(artifacts.remove(run, "a").ok());
  EXPECT_EQ(events.events.size(), 2u);
  // What was refused changed nothing, and a model's files are its version's.
  ASSERT_FALSE(artifacts.remove(run, "a").ok());
  ASSERT_FALSE(artifacts.put(run, "b/c", blob("3")).ok());
  ASSERT_TRUE(artifacts.put({project, OwnerKind::logged_model, run.id}, "c", blob("3")).ok());
  EXPECT_EQ(events.events.size(), 2u);
}

TEST_P(ArtifactsTest, putting_a_path_again_replaces_it) {
  auto& artifacts = registry->artifacts();
  ASSERT_TRUE(artifacts.put(run, "a", blob("old")).ok());
  ASSERT_TRUE(artifacts.put(run, "a", blob("newer")).ok());
  EXPECT_EQ(artifacts.get(run, "a")->size, 5u);
}

TEST_P(ArtifactsTest, a_folder_lists_what_lies_directly_in_it_in_pages_of_any_size) {
  std::vector<Artifact> files;
  for (const char* path : {"a", "a-b", "d/1", "d/2", "d/sub/deep/x", "d0", "e/f/g", "z"})
    files.push_back(file(path, path));
  ASSERT_TRUE(registry->artifacts().put(run, files).ok());
  const std::vector<std::string> root = {"a", "a-b", "d/", "d0", "e/", "z"};
  for (const size_t page_size : {1, 2, 3, 100}) {
    EXPECT_EQ(list("", page_size), root) << page_size;
    EXPECT_EQ(list("d", page_size), (std::vector<std::string>{"d/1", "d/2", "d/sub/"})) << page_size;
  }
  EXPECT_EQ(list("nothing"), std::vector<std::string>());
  EXPECT_EQ(registry->artifacts().all(run, "d")->size(), 3u);
  EXPECT_EQ(registry->artifacts().all(run, "z")->size(), 1u);
  EXPECT_EQ(registry->artifacts().all(run)->size(), 8u);
}

TEST_P(ArtifactsTest, a_folder_of_thousands_lists_fast_behind_its_subfolders) {
  std::vector<Artifact> files;
  const Artifact one = file("x", "same bytes");
  for (int i = 0; i < 1500; ++i) {
    files.push_back(one);
    files.back().path = "big/" + std::to_string(i);
  }
  files.push_back(one);
  ASSERT_TRUE(registry->artifacts().put(run, files).ok());
  EXPECT_EQ(list(""), (std::vector<std::string>{"big/", "x"}));
  EXPECT_EQ(list("big", 700).size(), 1500u);
}

TEST_P(ArtifactsTest, a_path_is_a_file_or_a_folder_not_both) {
  auto& artifacts = registry->artifacts();
  ASSERT_TRUE(artifacts.put(run, "a/b", blob("1")).ok());
  EXPECT_EQ(artifacts.put(run, "a", blob("1")).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(artifacts.put(run, "a/b/c", blob("1")).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(artifacts.put(run, "a/c", blob("1")).ok());
}

TEST_P(ArtifactsTest, names_that_leave_the_folder_and_blobs_that_are_absent_are_refused) {
  auto& artifacts = registry->artifacts();
  for (const char* path : {"../x", "/etc/passwd", "a//b", "", "a/./b", "a\\b", "\xff"}) {
    EXPECT_EQ(artifacts.put(run, path, blob("1")).error().code, ErrorCode::invalid_argument) << path;
    EXPECT_FALSE(artifacts.get(run, path).ok()) << path;
  }
  EXPECT_EQ(artifacts.list(run, "../x").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(artifacts.put(run, "x", {hash_of("never put"), 9}).error().code, ErrorCode::not_found);
}

TEST_P(ArtifactsTest, removing_takes_a_file_or_a_whole_folder) {
  auto& artifacts = registry->artifacts();
  for (const char* path : {"a", "d/1", "d/2", "d0"}) ASSERT_TRUE(artifacts.put(run, path, blob("1")).ok());
  EXPECT_EQ(artifacts.remove(run, "d").value(), 2);
  EXPECT_EQ(artifacts.remove(run, "a").value(), 1);
  EXPECT_EQ(artifacts.remove(run, "a").error().code, ErrorCode::not_found);
  EXPECT_EQ(list(""), std::vector<std::string>{"d0"});
}

}  // namespace
}  // namespace slipway::registry
