// Reading pages of runs and parts of histories, on SQLite and on PostgreSQL.
#include <algorithm>

#include "tracking/fixture.h"
#include "tracking/search_totals.h"

namespace slipway::tracking {
namespace {

class ReadRunsTest : public TrackingTest {
 protected:
  std::vector<ThinnedSeries> histories(const std::vector<RunId>& runs, const std::vector<std::string>& keys,
                                       HistoryView view) {
    return tracking_->metrics().histories(kDefaultProject, runs, keys, view).value();
  }
  Names metric_keys(std::optional<ExperimentId> experiment = ExperimentId("0")) {
    return tracking_->search().keys(kDefaultProject, FilterEntity::metric, experiment, 100).value();
  }
};
SLIPWAY_ON_BOTH_DATABASES(ReadRunsTest);

TEST_P(ReadRunsTest, a_page_has_the_chosen_columns_of_each_run_and_no_others) {
  named("first", {{"a", 1, 1, 1}, {"b", 1, 1, 2}, {"c", 1, 1, 3}}, {{"lr", "0.1"}, {"seed", "1"}}, 200);
  named("second", {{"c", 1, 1, 4}, {"d", 1, 1, 5}}, {{"seed", "2"}}, 100);
  RunQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}};
  query.parts.metric_keys = {"c", "a", "nobody"};
  query.parts.param_keys = {"seed", "nobody"};
  query.parts.tag_keys = Names{};
  for (int round = 0; round < 2; ++round) {
    const auto runs = tracking_->search().runs(query)->items;
    ASSERT_EQ(runs.size(), 2u);
    ASSERT_EQ(runs[0].metrics.size(), 2u);
    EXPECT_EQ(runs[0].metrics[0].key, "a");
    EXPECT_EQ(runs[0].metrics[1].value, 3);
    EXPECT_EQ(runs[0].params, (KeyValues{{"seed", "1"}}));
    EXPECT_TRUE(runs[0].tags.empty());
    ASSERT_EQ(runs[1].metrics.size(), 1u);
    EXPECT_EQ(runs[1].metrics[0].value, 4);
    EXPECT_EQ(runs[1].params, (KeyValues{{"seed", "2"}}));
    sort();
  }
}

TEST_P(ReadRunsTest, metrics_come_by_their_names_whenever_they_were_first_logged) {
  named("one", {{"z", 1, 1, 1}});
  const tracking::Run two = create();
  ASSERT_TRUE(log(two, {{"z", 1, 1, 2}}).ok());
  sort();
  ASSERT_TRUE(log(two, {{"b", 1, 1, 3}, {"a", 1, 1, 4}, {"z", 2, 2, 5}}).ok());
  for (int round = 0; round < 2; ++round) {
    const auto metrics = get(two).metrics;
    ASSERT_EQ(metrics.size(), 3u);
    EXPECT_EQ(metrics[0].key, "a");
    EXPECT_EQ(metrics[1].key, "b");
    EXPECT_EQ(metrics[2].key, "z");
    EXPECT_EQ(metrics[2].value, 5);
    EXPECT_EQ(metrics[2].points, 2);
    sort();
  }
}

TEST_P(ReadRunsTest, more_runs_than_are_read_at_once_keep_their_order) {
  for (int i = 0; i < 300; ++i) create({{"n", std::to_string(i)}}, {}, 1000 + i);
  const auto runs = tracking_->search()
                        .runs({.project = kDefaultProject, .experiments = {ExperimentId("0")}, .page_size = 1000})
                        ->items;
  ASSERT_EQ(runs.size(), 300u);
  for (size_t i = 0; i < runs.size(); ++i) EXPECT_EQ(runs[i].params.at(0).second, std::to_string(299 - i));
}

TEST_P(ReadRunsTest, the_names_of_metrics_are_known_before_they_are_sorted) {
  named("one", {{"b", 1, 1, 1}, {"a", 1, 1, 1}}, {{"p", "1"}});
  const auto other = tracking_->experiments().create(kDefaultProject, "other", {}, {});
  ASSERT_TRUE(other.ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(metric_keys(), (Names{"a", "b"}));
    EXPECT_EQ(metric_keys(std::nullopt), (Names{"a", "b"}));
    EXPECT_EQ(metric_keys(other->id), Names{});
    EXPECT_EQ(tracking_->search().keys(kDefaultProject, FilterEntity::parameter, ExperimentId("0"), 10).value(),
              Names{"p"});
    sort();
  }
}

TEST_P(ReadRunsTest, a_history_is_read_in_part_by_step_or_by_time) {
  open({.merge_segments = 2, .chunk_points_min = 64, .chunk_points_max = 100, .background = false});
  const tracking::Run run = create();
  for (int part = 0; part < 10; ++part) {
    std::vector<Value> values;
    for (int i = part * 100; i < part * 100 + 100; ++i) values.push_back({"loss", i, 5000 - i, 1.0 * i});
    ASSERT_TRUE(log(run, values).ok());
    if (part < 8) sort();
  }
  const auto steps = histories({run.id}, {"loss"}, {.x = XAxis::step, .from = 150, .to = 849}).front();
  EXPECT_EQ(steps.points, 700);
  EXPECT_EQ(steps.steps.front(), 150);
  EXPECT_EQ(steps.steps.back(), 849);
  const auto times = histories({run.id}, {"loss"}, {.x = XAxis::time, .from = 4900, .to = 4909}).front();
  EXPECT_EQ(times.points, 10);
  EXPECT_EQ(times.steps.front(), 100);
  EXPECT_EQ(times.at_ms.back(), 4909);
  EXPECT_EQ(histories({run.id}, {"loss"}, {.from = 2000}).front().points, 0);
  const auto all = histories({run.id}, {"loss"}, {.points_max = 100}).front();
  EXPECT_EQ(all.points, 1000);
  EXPECT_LE(all.values.size(), 100u);
}

TEST_P(ReadRunsTest, histories_of_several_runs_come_run_by_run) {
  const tracking::Run one = create(), two = create();
  ASSERT_TRUE(log(one, {{"a", 1, 1, 1}, {"b", 1, 1, 2}}).ok());
  ASSERT_TRUE(log(two, {{"a", 1, 1, 3}}).ok());
  const auto found = histories({two.id, one.id}, {"a", "b"}, {});
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].values, std::vector<double>{3});
  EXPECT_EQ(found[1].points, 0);
  EXPECT_EQ(found[2].values, std::vector<double>{1});
  EXPECT_EQ(found[3].values, std::vector<double>{2});
  const std::vector<RunId> runs{one.id, RunId("nobody")};
  const Names keys{"a"};
  EXPECT_EQ(tracking_->metrics().histories(kDefaultProject, runs, keys, {}).error().code, ErrorCode::not_found);
}

TEST(SearchTotals, only_what_took_long_is_kept_and_not_for_long) {
  SearchTotals totals;
  const Time now{1'000'000};
  totals.keep("quick", 5, kQuickCount - Duration(1), now);
  totals.keep("slow", 7, kQuickCount, now);
  EXPECT_EQ(totals.find("quick", now), std::nullopt);
  EXPECT_EQ(totals.find("slow", now), 7);
  EXPECT_EQ(totals.find("slow", now + kQuickCount * kKeptTimes), std::nullopt);
  totals.keep("slowest", 9, std::chrono::hours(1), now);
  EXPECT_EQ(totals.find("slowest", now + kTotalKeptMax), std::nullopt);
}

}  // namespace
}  // namespace slipway::tracking
