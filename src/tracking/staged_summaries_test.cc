// Summaries on their way into metric_latest, on SQLite and on PostgreSQL: nobody sees where they lie.
#include "tracking/staged_summaries.h"

#include "tracking/fixture.h"
#include "tracking/sort_units.h"

namespace slipway::tracking {
namespace {

class StagedTest : public TrackingTest {
 protected:
  /// What one pass of the sorter does, without carrying anything over.
  void stage() {
    const auto snapshot = database_->read_value([](catalog::Connection& c) { return prepare(c, {}, 0, {}); });
    ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
    const auto applied = database_->write(catalog::Durability::stream, catalog::Write([&](catalog::Connection& c) {
                                            return apply(c, snapshot->units, snapshot->version);
                                          }));
    ASSERT_TRUE(applied.ok()) << applied.error().message;
  }
  CarryOver prepare_carry() {
    return database_->read_value([](catalog::Connection& c) { return CarryOver::prepare(c, {}); }).value();
  }
  void carry(CarryOver& carried, size_t count) {
    ASSERT_TRUE(database_
                    ->write(catalog::Durability::stream,
                            catalog::Write([&](catalog::Connection& c) { return carried.write_piece(c, count); }))
                    .ok());
    carried.advance(count);
  }
  std::int64_t count_of(const char* table) {
    return *database_
                ->read_value([&](catalog::Connection& c) {
                  return c.first(std::string("SELECT COUNT(*) FROM ") + table, {},
                                 [](const catalog::Row& r) { return r.integer(0); });
                })
                .value();
  }
  Names by_metric() { return pages("metrics.m > 0", {"metrics.m"}, 2, false); }
  double latest(const tracking::Run& run) { return get(run).metrics.at(0).value; }
};
SLIPWAY_ON_BOTH_DATABASES(StagedTest);

TEST_P(StagedTest, a_staged_value_counts_as_a_sorted_one_does) {
  named("one", {{"m", 1, 1, 3}, {"x", 1, 1, 1}});
  named("two", {{"m", 1, 1, 2}});
  named("three", {{"m", 1, 1, 1}});
  named("nan", {{"m", 1, 1, kNaN}});
  const Names up{"three", "two", "one"};
  EXPECT_EQ(by_metric(), up);
  stage();
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(count_of("metric_staged"), 4);
  EXPECT_EQ(count_of("metric_latest"), 0);
  EXPECT_EQ(by_metric(), up);
  EXPECT_EQ(tracking_->search().keys(kDefaultProject, FilterEntity::metric, ExperimentId("0"), 10).value(),
            (Names{"m", "x"}));
  sort();
  EXPECT_EQ(count_of("metric_staged"), 0);
  EXPECT_EQ(count_of("metric_latest"), 5);
  EXPECT_EQ(by_metric(), up);
}

TEST_P(StagedTest, log_staged_and_table_together_say_what_is_true) {
  const tracking::Run run = create();
  ASSERT_TRUE(log(run, {{"m", 1, 1, 10}}).ok());
  sort();
  ASSERT_TRUE(log(run, {{"m", 2, 1, 30}}).ok());
  stage();
  ASSERT_TRUE(log(run, {{"m", 3, 1, 20}, {"m", 2, 1, 30}}).ok());  // and one that is staged already
  for (int round = 0; round < 3; ++round) {
    const auto metric = get(run).metrics.at(0);
    EXPECT_EQ(metric.value, 20);
    EXPECT_EQ(metric.points, 3);
    EXPECT_EQ(metric.low, 10);
    EXPECT_EQ(metric.high, 30);
    EXPECT_EQ(metric.total, 60);
    EXPECT_EQ(pages("metrics.m = 20", {}, 10, false).size(), 1u);
    EXPECT_TRUE(pages("metrics.m = 30", {}, 10, false).empty());
    if (round == 0) stage();
    if (round == 1) sort();
  }
}

TEST_P(StagedTest, carrying_over_may_stop_anywhere) {
  for (int i = 0; i < 5; ++i) named("r" + std::to_string(i), {{"m", 1, 1, 5.0 - i}, {"n", 1, 1, 1.0 * i}});
  stage();
  const Names up{"r4", "r3", "r2", "r1", "r0"};
  CarryOver carried = prepare_carry();
  for (int steps = 0; !carried.is_done(); ++steps) {
    ASSERT_LT(steps, 16);
    EXPECT_EQ(by_metric(), up) << steps;
    carry(carried, 1);
  }
  EXPECT_EQ(count_of("metric_staged"), 0);
  EXPECT_EQ(by_metric(), up);
}

TEST_P(StagedTest, what_is_staged_while_others_are_carried_over_stays) {
  const tracking::Run run = create();
  ASSERT_TRUE(log(run, {{"m", 1, 1, 10}}).ok());
  stage();
  CarryOver carried = prepare_carry();
  ASSERT_TRUE(log(run, {{"m", 2, 1, 20}}).ok());
  stage();
  carry(carried, 100);
  EXPECT_TRUE(carried.is_done());
  EXPECT_EQ(count_of("metric_staged"), 1);
  EXPECT_EQ(latest(run), 20);
  sort();
  EXPECT_EQ(latest(run), 20);
  EXPECT_EQ(get(run).metrics.at(0).points, 2);
}

TEST_P(StagedTest, a_damaged_row_harms_only_its_own_run) {
  const tracking::Run good = create(), bad = create();
  ASSERT_TRUE(log(good, {{"m", 1, 1, 1}}).ok());
  ASSERT_TRUE(log(bad, {{"m", 1, 1, 2}}).ok());
  stage();
  ASSERT_TRUE(
      database_
          ->write(
              catalog::Durability::record, catalog::Write([&](catalog::Connection& c) -> Result<void> {
                TRY(c.run("UPDATE metric_staged SET body = ? WHERE run = ?", {catalog::Blob{"damaged"}, bad.number}));
                return {};
              }))
          .ok());
  EXPECT_EQ(latest(good), 1);
  EXPECT_TRUE(get(bad).metrics.empty());
  sort();
  EXPECT_EQ(latest(good), 1);
  ASSERT_TRUE(log(bad, {{"m", 2, 1, 3}}).ok());
  sort();
  EXPECT_EQ(latest(bad), 3);
}

TEST(Carrying, happens_when_much_is_staged_or_for_long_or_when_there_is_nothing_else_to_do) {
  const SorterOptions options;
  const Time now{100'000'000};
  EXPECT_FALSE(should_carry(options, {.pairs = 0, .may_be_more = false}, true, now));
  EXPECT_FALSE(should_carry(options, {.pairs = 1, .may_be_more = false, .since = now}, false, now));
  EXPECT_TRUE(should_carry(options, {.pairs = 1, .may_be_more = false, .since = now}, true, now));
  EXPECT_TRUE(should_carry(options, {.pairs = 0, .may_be_more = true, .since = now}, true, now));
  EXPECT_TRUE(
      should_carry(options, {.pairs = options.staged_pairs_max, .may_be_more = false, .since = now}, false, now));
  EXPECT_TRUE(should_carry(options, {.pairs = 1, .may_be_more = false, .since = now - options.staged_max}, false, now));
}

TEST(Carrying, takes_smaller_pieces_when_they_take_long) {
  EXPECT_LT(next_piece(200, std::chrono::milliseconds(20)), 200u);
  EXPECT_GT(next_piece(200, std::chrono::milliseconds(1)), 200u);
  EXPECT_EQ(next_piece(200, std::chrono::milliseconds(4)), 200u);
  EXPECT_GT(next_piece(1, std::chrono::seconds(1)), 0u);
  size_t piece = 200;
  for (int i = 0; i < 100; ++i) piece = next_piece(piece, Duration(1));
  EXPECT_LE(piece, 10'000u);
}

}  // namespace
}  // namespace slipway::tracking
