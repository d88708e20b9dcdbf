#include "registry/datasets.h"

#include "registry/fixture.h"

namespace slipway::registry {
namespace {

class DatasetsTest : public RegistryTest {
 protected:
  Datasets& datasets() { return registry->datasets(); }

  Hash tree_of(const std::map<std::string, std::string>& files) {
    Tree tree;
    for (const auto& [path, bytes] : files)
      tree.entries.push_back({path, blob(bytes).hash, bytes.size(), TreeEntryKind::file});
    return blob(render(tree)).hash;
  }
  Result<Commit> commit(const std::map<std::string, std::string>& files, std::optional<CommitId> parent = {},
                        std::string branch = "main") {
    clock.advance(std::chrono::seconds(1));
    return datasets().commit(
        project, "digits",
        {.branch = branch, .parent = parent, .tree = tree_of(files), .message = "m", .author = "ada"});
  }
};
SLIPWAY_ON_BOTH_DATABASES(DatasetsTest);

TEST_P(DatasetsTest, a_first_commit_makes_the_dataset_and_its_branch) {
  const Commit first = commit({{"a", "1"}, {"b", "22"}}).value();
  EXPECT_EQ(first.bytes, 3u);
  EXPECT_EQ(first.parent, std::nullopt);
  const Dataset dataset = datasets().get(project, "digits").value();
  ASSERT_EQ(dataset.branches.size(), 1u);
  EXPECT_EQ(dataset.branches[0].commit, first.id);
  EXPECT_EQ(dataset.bytes, 3u);
  EXPECT_EQ(datasets().tree(first.tree)->entries.size(), 2u);
}

TEST_P(DatasetsTest, a_commit_is_found_by_branch_by_id_and_by_the_beginning_of_its_id) {
  const Commit first = commit({{"a", "1"}}).value();
  EXPECT_EQ(datasets().get_commit(project, "digits", first.id.text.substr(0, 12))->id, first.id);
  const Commit second = commit({{"a", "2"}}, first.id).value();
  EXPECT_EQ(datasets().get_commit(project, "digits", "main")->id, second.id);
  EXPECT_EQ(datasets().get_commit(project, "digits", first.id.text)->id, first.id);
  EXPECT_EQ(datasets().get_commit(first.id)->message, "m");
  const auto absent = datasets().get_commit(project, "digits", "mian");
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
  EXPECT_NE(absent.error().message.find("did you mean main"), std::string::npos);
  EXPECT_EQ(datasets().get_commit(project, "digit", "main").error().code, ErrorCode::not_found);
}

TEST_P(DatasetsTest, a_branch_that_moved_on_refuses_a_commit_built_on_the_past) {
  const Commit first = commit({{"a", "1"}}).value();
  commit({{"a", "2"}}, first.id).value();
  const auto late = commit({{"a", "3"}}, first.id);
  EXPECT_EQ(late.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(late.error().message.find("moved on"), std::string::npos);
  EXPECT_EQ(commit({{"a", "3"}}).error().code, ErrorCode::failed_precondition) << "a root is no way around it";
  EXPECT_TRUE(commit({{"a", "3"}}, first.id, "side").ok()) << "another branch may begin anywhere";
}

TEST_P(DatasetsTest, a_tree_with_absent_blobs_is_refused_and_nothing_is_named) {
  const Tree tree{{{"a", hash_of("never uploaded"), 5, TreeEntryKind::file}}};
  const Hash hash = blob(render(tree)).hash;
  const auto refused = datasets().commit(project, "digits", {.tree = hash});
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(refused.error().message.find("'a'"), std::string::npos);
  EXPECT_EQ(datasets().commit(project, "digits", {.tree = blob("no tree").hash}).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().commit(project, "digits", {.tree = hash_of("absent")}).error().code, ErrorCode::not_found);
  EXPECT_EQ(datasets().get(project, "digits").error().code, ErrorCode::not_found);
}

TEST_P(DatasetsTest, history_goes_back_to_the_root_in_pages) {
  std::optional<CommitId> parent;
  for (int i = 0; i < 5; ++i) parent = commit({{"a", std::to_string(i)}}, parent)->id;
  auto page = datasets().history(project, "digits", "main", 3, "").value();
  ASSERT_EQ(page.items.size(), 3u);
  EXPECT_EQ(page.items[0].id, *parent);
  page = datasets().history(project, "digits", "main", 3, page.next_page_token).value();
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[1].parent, std::nullopt);
  EXPECT_EQ(page.next_page_token, "");
}

TEST_P(DatasetsTest, the_common_ancestor_is_the_nearest) {
  const CommitId root = commit({{"a", "0"}})->id;
  const CommitId fork = commit({{"a", "1"}}, root)->id;
  const CommitId left = commit({{"a", "2"}}, fork)->id;
  const CommitId right = commit({{"a", "3"}}, commit({{"a", "4"}}, fork, "side")->id, "side")->id;
  EXPECT_EQ(datasets().common_ancestor(left, right).value(), fork);
  EXPECT_EQ(datasets().common_ancestor(right, left).value(), fork);
  EXPECT_EQ(datasets().common_ancestor(fork, right).value(), fork);
  EXPECT_EQ(datasets().common_ancestor(left, left).value(), left);
  EXPECT_EQ(datasets().common_ancestor(left, CommitId("other")).value(), std::nullopt);
}

TEST_P(DatasetsTest, a_branch_moves_only_from_where_its_mover_saw_it) {
  const CommitId first = commit({{"a", "1"}})->id;
  const CommitId second = commit({{"a", "2"}}, first)->id;
  EXPECT_EQ(datasets().set_branch(project, "digits", "test", first, CommitId(), "ada", "made").value().commit, first);
  EXPECT_EQ(datasets().set_branch(project, "digits", "test", second, second, "ada", "").error().code,
            ErrorCode::failed_precondition);
  EXPECT_EQ(datasets().set_branch(project, "digits", "test", second, first, "bob", "newer").value().commit, second);
  EXPECT_EQ(datasets().set_branch(project, "digits", "test", CommitId("absent00"), {}, "", "").error().code,
            ErrorCode::not_found);
  EXPECT_EQ(datasets().set_branch(project, "digits", "a/b", first, {}, "", "").error().code,
            ErrorCode::invalid_argument);
  ASSERT_TRUE(datasets().remove_branch(project, "digits", "test", "eve").ok());
  const auto moves = datasets().branch_history(project, "digits", "test", 10, "").value().items;
  ASSERT_EQ(moves.size(), 3u);
  EXPECT_EQ(moves[0].to, std::nullopt);
  EXPECT_EQ(moves[1].from, first);
  EXPECT_EQ(moves[1].member, "bob");
  EXPECT_EQ(moves[2].from, std::nullopt);
}

TEST_P(DatasetsTest, lists_page_by_name_and_a_removed_dataset_is_gone) {
  for (const char* name : {"c", "a", "b"}) datasets().create(project, name, "").value();
  EXPECT_EQ(datasets().create(project, "a", "").error().code, ErrorCode::already_exists);
  EXPECT_EQ(datasets().create(project, "../a", "").error().code, ErrorCode::invalid_argument);
  auto page = datasets().list(project, 2, "").value();
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[1].name, "b");
  page = datasets().list(project, 2, page.next_page_token).value();
  ASSERT_EQ(page.items.size(), 1u);
  ASSERT_TRUE(datasets().remove(project, "c").ok());
  EXPECT_EQ(datasets().list(project, 10, "")->items.size(), 2u);
}

class ReferencesTest : public DatasetsTest {};
SLIPWAY_ON_BOTH_DATABASES(ReferencesTest);

TEST_P(ReferencesTest, a_sweep_keeps_what_is_named_directly_or_through_a_tree) {
  const Commit first = commit({{"a", "in the tree"}}).value();
  const Owner run{project, OwnerKind::run, "r"};
  ASSERT_TRUE(registry->artifacts().put(run, "x", blob("artifact")).ok());
  const Hash snapshot = tree_of({{"train.py", "print(1)"}});
  ASSERT_TRUE(registry->references().hold(project, "run", "r", "snapshot", snapshot, true).ok());
  registry->references().add_source([](const ReferenceVisitor& visit) -> Result<void> {
    visit(hash_of("of another room"), false);
    return {};
  });
  blob("of another room");
  blob("orphan");
  clock.advance(std::chrono::hours(48));

  EXPECT_EQ(registry->references().sweep(true)->blobs_removed, 1u);
  EXPECT_EQ(registry->references().sweep(false)->blobs_removed, 1u);
  EXPECT_FALSE(store->contains(hash_of("orphan")).value());
  EXPECT_TRUE(store->contains(hash_of("in the tree")).value());
  EXPECT_TRUE(store->contains(hash_of("print(1)")).value());
  EXPECT_TRUE(store->contains(first.tree).value());
  EXPECT_TRUE(registry->references().is_referenced(hash_of("artifact")).value());

  ASSERT_TRUE(registry->references().release("run", "r").ok());
  ASSERT_TRUE(registry->artifacts().remove(run, "x").ok());
  ASSERT_TRUE(datasets().remove(project, "digits").ok());
  EXPECT_EQ(registry->references().sweep(false)->blobs_kept, 1u);
}

TEST_P(ReferencesTest, a_tree_that_cannot_be_read_stops_the_sweep) {
  ASSERT_TRUE(registry->references().hold(project, "run", "r", "snapshot", blob("no tree").hash, true).ok());
  clock.advance(std::chrono::hours(48));
  EXPECT_FALSE(registry->references().sweep(false).ok());
  EXPECT_TRUE(store->contains(hash_of("no tree")).value());
}

TEST_P(ReferencesTest, usage_counts_shared_bytes_once) {
  const CommitId first = commit({{"a", "1234"}, {"b", "1234"}})->id;
  commit({{"a", "1234"}, {"b", "1234"}, {"c", "12"}}, first).value();
  ASSERT_TRUE(registry->artifacts().put({project, OwnerKind::run, "r"}, "x", blob("12345")).ok());
  ASSERT_TRUE(registry->artifacts().put({project, OwnerKind::run, "s"}, "x", blob("12345")).ok());
  const Usage usage = registry->references().usage(project).value();
  EXPECT_EQ(usage.dataset_bytes, 6u);
  EXPECT_EQ(usage.artifact_bytes, 5u);
  EXPECT_EQ(registry->references().usage(ProjectId("other"))->artifact_bytes, 0u);
}

class LineageTest : public RegistryTest {};
SLIPWAY_ON_BOTH_DATABASES(LineageTest);

TEST_P(LineageTest, edges_are_found_from_both_ends_and_walked_to_the_first_cause) {
  const Node commit{"dataset_commit", "c"}, run{"run", "r"}, version{"model_version", "m/1"},
      deployment{"deployment", "d"};
  auto& lineage = registry->lineage();
  ASSERT_TRUE(lineage.add(project, commit, run, "input").ok());
  ASSERT_TRUE(lineage.add(project, run, version, "output").ok());
  ASSERT_TRUE(lineage.add(project, run, version, "output").ok()) << "again is no error";
  ASSERT_TRUE(lineage.add(project, version, deployment, "deployed").ok());
  ASSERT_TRUE(lineage.add(project, deployment, commit, "captured").ok());  // the loop closes
  ASSERT_EQ(lineage.outgoing(run)->size(), 1u);
  EXPECT_EQ(lineage.outgoing(run)->front().to, version);
  EXPECT_EQ(lineage.incoming(run)->front().from, commit);
  const auto back = lineage.walk(deployment, true).value();
  ASSERT_EQ(back.size(), 4u);
  EXPECT_EQ(back[0].from, version);
  EXPECT_EQ(back[2].from, commit);
  EXPECT_EQ(lineage.walk(deployment, true, 1)->size(), 1u);
  EXPECT_EQ(lineage.add(project, Node{"", "x"}, run, "input").error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace slipway::registry
