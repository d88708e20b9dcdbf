#include "tracking/resumes.h"

#include <fmt/format.h>

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

/// "step:value" of each, for reading.
std::string shown(std::span<const Point> points) {
  std::string out;
  for (const Point& point : points) out += fmt::format("{}:{} ", point.step, point.value);
  return out;
}

/// Steps first … last, one a second, the value being the attempt.
void add(std::vector<Point>& points, std::int64_t first, std::int64_t last, std::int64_t from_ms, double value) {
  for (std::int64_t step = first; step <= last; ++step)
    points.push_back({1, step, from_ms + 1000 * (step - first), value});
  sort_unique(points);
}

TEST(Resumes, without_one_everything_counts) {
  std::vector<Point> points;
  add(points, 0, 3, 0, 1);
  const auto split = split_abandoned(points, {});
  EXPECT_EQ(split.points.size(), 4u);
  EXPECT_TRUE(split.abandoned.empty());
}

TEST(Resumes, steps_that_are_logged_again_replace_the_tail) {
  std::vector<Point> points;
  add(points, 0, 5, 0, 1);
  add(points, 3, 4, 20'000, 2);
  const std::vector<std::int64_t> resumes{20'000};
  const auto split = split_abandoned(points, resumes);
  EXPECT_EQ(shown(split.points), "0:1 1:1 2:1 3:2 4:2 ");
  ASSERT_EQ(split.abandoned.size(), 1u);
  EXPECT_EQ(split.abandoned[0].attempt, 1);
  EXPECT_EQ(shown(split.abandoned[0].points), "3:1 4:1 5:1 ") << "also the step that was not reached again yet";
}

TEST(Resumes, a_resume_that_goes_on_replaces_nothing) {
  std::vector<Point> points;
  add(points, 0, 2, 0, 1);
  add(points, 3, 5, 20'000, 2);
  const std::vector<std::int64_t> resumes{20'000};
  EXPECT_EQ(split_abandoned(points, resumes).points.size(), 6u);
  EXPECT_TRUE(split_abandoned(points, resumes).abandoned.empty());
}

TEST(Resumes, each_later_attempt_counts_against_all_earlier_ones) {
  std::vector<Point> points;
  add(points, 0, 9, 0, 1);
  add(points, 6, 8, 20'000, 2);
  add(points, 4, 5, 40'000, 3);
  const std::vector<std::int64_t> resumes{20'000, 40'000};
  const auto split = split_abandoned(points, resumes);
  EXPECT_EQ(shown(split.points), "0:1 1:1 2:1 3:1 4:3 5:3 ");
  ASSERT_EQ(split.abandoned.size(), 2u);
  EXPECT_EQ(shown(split.abandoned[0].points), "4:1 5:1 6:1 7:1 8:1 9:1 ");
  EXPECT_EQ(split.abandoned[1].attempt, 2);
  EXPECT_EQ(shown(split.abandoned[1].points), "6:2 7:2 8:2 ");
}

TEST(Resumes, an_attempt_without_points_replaces_nothing) {
  std::vector<Point> points;
  add(points, 0, 3, 0, 1);
  add(points, 2, 2, 60'000, 3);
  const std::vector<std::int64_t> resumes{20'000, 40'000};
  const auto split = split_abandoned(points, resumes);
  EXPECT_EQ(shown(split.points), "0:1 1:1 2:3 ");
  EXPECT_EQ(split.abandoned.size(), 1u);
}

class ResumedRunsTest : public TrackingTest {
 protected:
  static std::int64_t now_ms() { return system_clock().now().millis(); }
  void set_state(const tracking::Run& run, RunState state) {
    RunUpdate update{.state = state, .by_client = true};
    ASSERT_TRUE(tracking_->runs().update(kDefaultProject, run.id, update).ok());
  }
  ThinnedSeries series(const tracking::Run& run, const HistoryView& view = {}) {
    return tracking_->metrics()
        .histories(kDefaultProject, std::vector{run.id}, std::vector<std::string>{"loss"}, view)
        ->front();
  }
};

TEST_P(ResumedRunsTest, a_client_that_goes_on_replaces_what_it_logs_again) {
  const tracking::Run run = create();
  const std::int64_t before = now_ms() - 10'000;
  ASSERT_TRUE(log(run, {{"loss", 1, before, 1}, {"loss", 2, before + 1, 2}, {"loss", 3, before + 2, 3}}).ok());
  set_state(run, RunState::failed);
  EXPECT_TRUE(series(run).abandoned.empty());
  set_state(run, RunState::running);
  ASSERT_TRUE(log(run, {{"loss", 2, now_ms() + 1000, 20}}).ok());
  for (const bool sorted : {false, true}) {
    if (sorted) sort();
    const ThinnedSeries shown = series(run);
    EXPECT_EQ(shown.steps, (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(shown.values, (std::vector<double>{1, 20}));
    ASSERT_EQ(shown.abandoned.size(), 1u);
    EXPECT_EQ(shown.abandoned[0].attempt, 1);
    EXPECT_EQ(shown.abandoned[0].values, (std::vector<double>{2, 3}));
    EXPECT_EQ(history(run, "loss").size(), 4u) << "MLflow's clients get every point";
    // The tail is one of the whole series, whichever part is looked at.
    EXPECT_EQ(series(run, {.from = 3}).points, 0);
    EXPECT_EQ(series(run, {.from = 3}).abandoned.at(0).values, (std::vector<double>{3}));
  }
}

TEST_P(ResumedRunsTest, a_run_that_only_says_again_that_it_runs_is_resumed_too) {
  // MLflow's client says so when a script begins again with the run's id after it was killed.
  const tracking::Run run = create();
  ASSERT_TRUE(log(run, {{"loss", 5, now_ms() - 5000, 1}}).ok());
  set_state(run, RunState::running);
  ASSERT_TRUE(log(run, {{"loss", 4, now_ms() + 1000, 2}}).ok());
  EXPECT_EQ(series(run).steps, (std::vector<std::int64_t>{4}));
}

SLIPWAY_ON_BOTH_DATABASES(ResumedRunsTest);

}  // namespace
}  // namespace slipway::tracking
