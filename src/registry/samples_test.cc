#include "registry/samples.h"

#include "registry/fixture.h"

namespace slipway::registry {
namespace {

class SamplesTest : public RegistryTest {
 protected:
  Samples& samples() { return registry->samples(); }
  Sample sample(std::string key, std::string label, std::string_view bytes) {
    const auto info = blob(bytes);
    return {key,
            {{"image", {"images/" + key + ".png", info.hash, info.size, "image/png", 28, 28}}},
            {{"brightness", 0.25}},
            label};
  }
  Result<Commit> put(std::vector<Sample> list, std::string branch = "main", std::vector<std::string> remove = {}) {
    clock.advance(std::chrono::seconds(1));
    return samples().edit(
        project, "digits",
        {.branch = branch, .put = std::move(list), .remove = std::move(remove), .message = "m", .author = "ada"});
  }
  std::vector<std::string> keys(std::string_view ref, std::string_view filter = "", std::int64_t page_size = 100) {
    std::vector<std::string> found;
    const Commit commit = registry->datasets().get_commit(project, "digits", ref).value();
    std::string token;
    do {
      const auto page = samples().list(commit, filter, page_size, token).value();
      for (const Sample& s : page.items) found.push_back(s.key);
      token = page.next_page_token;
    } while (!token.empty());
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(Databases, SamplesTest, testing::Values("sqlite"));

TEST_P(SamplesTest, an_edit_makes_a_commit_that_differs_by_exactly_those_samples) {
  const Commit first = put({sample("a", "1", "A"), sample("b", "2", "B"), sample("c", "3", "C")}).value();
  EXPECT_EQ(first.sample_count, 3);
  const Commit second = put({sample("b", "7", "B"), sample("d", "4", "D")}, "main", {"c"}).value();
  EXPECT_EQ(second.parent, first.id);
  const SampleChanges changes = samples().diff(first, second).value();
  ASSERT_EQ(changes.added.size(), 1u);
  EXPECT_EQ(changes.added[0].key, "d");
  ASSERT_EQ(changes.removed.size(), 1u);
  EXPECT_EQ(changes.removed[0].key, "c");
  ASSERT_EQ(changes.changed.size(), 1u);
  EXPECT_EQ(changes.changed[0].before.label, Json("2"));
  EXPECT_EQ(changes.changed[0].after.label, Json("7"));
  const TreeDiff files =
      diff(registry->datasets().tree(first.tree).value(), registry->datasets().tree(second.tree).value());
  EXPECT_EQ(files.added.size(), 1u);
  EXPECT_EQ(files.removed.size(), 1u);
  EXPECT_EQ(files.changed.size(), 0u);
}

TEST_P(SamplesTest, pages_and_filters) {
  std::vector<Sample> many;
  for (int i = 0; i < 25; ++i)
    many.push_back(sample("k" + std::to_string(100 + i), std::to_string(i % 5), std::to_string(i)));
  put(many).value();
  EXPECT_EQ(keys("main", "", 7).size(), 25u);
  EXPECT_EQ(keys("main", "label = '3'", 2), (std::vector<std::string>{"k103", "k108", "k113", "k118", "k123"}));
  const Commit commit = registry->datasets().get_commit(project, "digits", "main").value();
  EXPECT_EQ(samples().list(commit, "label = '3'", 2, "")->total, 5);
  EXPECT_EQ(samples().list(commit, "lable = '3'", 2, "").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(samples().get(commit, "k104")->label, Json("4"));
  EXPECT_EQ(samples().get(commit, "k999").error().code, ErrorCode::not_found);
}

TEST_P(SamplesTest, a_merge_of_a_branch_that_is_only_ahead_moves_the_name) {
  put({sample("a", "1", "A")}).value();
  const Commit ahead = put({sample("b", "2", "B")}, "cases").value();
  EXPECT_EQ(samples().merge(project, "digits", "cases", "main", "more cases", "ada")->id, ahead.id);
  EXPECT_EQ(keys("main"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(samples().merge(project, "digits", "cases", "main", "again", "ada")->id, ahead.id);
}

TEST_P(SamplesTest, a_merge_of_two_histories_takes_both_and_refuses_conflicts) {
  put({sample("a", "1", "A"), sample("b", "2", "B")}).value();
  put({sample("c", "3", "C")}, "cases").value();
  const Commit ours = put({sample("a", "9", "A")}, "main", {"b"}).value();
  const Commit joined = samples().merge(project, "digits", "cases", "main", "join", "ada").value();
  EXPECT_EQ(joined.parent, ours.id);
  EXPECT_EQ(joined.merged, registry->datasets().get_commit(project, "digits", "cases")->id);
  EXPECT_EQ(keys("main"), (std::vector<std::string>{"a", "c"}));

  put({sample("a", "5", "A")}, "cases").value();
  put({sample("a", "6", "A")}, "main").value();
  const auto conflict = samples().merge(project, "digits", "cases", "main", "join", "ada");
  EXPECT_EQ(conflict.error().code, ErrorCode::failed_precondition);
}

TEST_P(SamplesTest, samples_that_do_not_fit_the_tree_are_refused) {
  const Sample one = sample("a", "1", "A");
  const SampleTable table = SampleTable::make({one}).value();
  const auto refused = registry->datasets().commit(
      project, "digits", {.tree = blob(render(Tree{})).hash, .samples = blob(table.text()).hash});
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(put({}, "main", {"never"}).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace slipway::registry
