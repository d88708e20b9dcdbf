#include "pipelines/trigger_decision.h"

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

Time at(std::string_view text) { return parse_time(text).value(); }

WatchedTrigger on_dataset(std::vector<Change> changes) {
  WatchedTrigger watched;
  watched.trigger.dataset = "digits@main";
  watched.seen = "a";
  watched.changes = std::move(changes);
  return watched;
}

WatchedTrigger by_clock(std::string cron, std::string_view seen) {
  WatchedTrigger watched;
  watched.trigger.cron = std::move(cron);
  watched.seen = seen_at(at(seen));
  return watched;
}

TriggerDecision one(const WatchedTrigger& watched, std::string_view in_flight = "", Time now = {0}) {
  return decide({watched}, in_flight, now).front();
}

TEST(TriggerDecision, nothing_new_starts_nothing_and_tells_nothing) {
  const TriggerDecision decision = one(on_dataset({}));
  EXPECT_FALSE(decision.fires);
  EXPECT_EQ(decision.state, TriggerState::armed);
  EXPECT_FALSE(decision.seen);
  EXPECT_FALSE(decision.message);
}

TEST(TriggerDecision, a_commit_starts_a_run_once) {
  const TriggerDecision decision = one(on_dataset({{"b", "b", false, {}}}));
  EXPECT_TRUE(decision.fires);
  EXPECT_EQ(decision.why, "digits@main moved from a to b");
  EXPECT_EQ(decision.seen, "b");
}

TEST(TriggerDecision, commits_that_came_together_start_one_run) {
  const TriggerDecision decision =
      one(on_dataset({{"b", "b", false, {}}, {"c", "c", false, {}}, {"d", "d", false, {}}}));
  EXPECT_EQ(decision.why, "digits@main moved from a to d (3 changes)");
  EXPECT_EQ(decision.seen, "d");
}

TEST(TriggerDecision, a_run_in_flight_makes_it_wait_and_nothing_is_lost) {
  const WatchedTrigger watched = on_dataset({{"b", "b", false, {}}});
  const TriggerDecision decision = one(watched, "01RUN");
  EXPECT_FALSE(decision.fires);
  EXPECT_FALSE(decision.seen);
  EXPECT_EQ(decision.state, TriggerState::waiting);
  EXPECT_EQ(decision.message, "waits for the end of pipeline run 01RUN: digits@main moved from a to b");
  EXPECT_TRUE(one(watched).fires);
}

TEST(TriggerDecision, what_the_pipeline_made_itself_is_passed_over) {
  const TriggerDecision decision = one(on_dataset({{"b", "b", true, {}}}));
  EXPECT_FALSE(decision.fires);
  EXPECT_EQ(decision.seen, "b");
  EXPECT_EQ(decision.message, "passed over b, which the pipeline made itself or set off");
}

TEST(TriggerDecision, somebody_elses_commit_below_its_own_counts) {
  const TriggerDecision decision = one(on_dataset({{"b", "b", false, {"labels"}}, {"c", "c", true, {}}}));
  EXPECT_TRUE(decision.fires);
  EXPECT_EQ(decision.seen, "c");
  EXPECT_EQ(decision.why, "digits@main moved from a to b");
  EXPECT_EQ(decision.makers, std::vector<std::string>{"labels"});
}

TEST(TriggerDecision, a_time_comes_once) {
  const WatchedTrigger watched = by_clock("0 3 * * *", "2026-03-01T12:00:00Z");
  EXPECT_FALSE(one(watched, "", at("2026-03-02T02:59:59Z")).fires);
  const TriggerDecision decision = one(watched, "", at("2026-03-02T03:00:01Z"));
  EXPECT_TRUE(decision.fires);
  EXPECT_EQ(decision.why, "it was 2026-03-02 03:00 UTC");
  EXPECT_FALSE(one(by_clock("0 3 * * *", "2026-03-02T03:00:01Z"), "", at("2026-03-02T03:00:02Z")).fires);
}

TEST(TriggerDecision, times_missed_while_the_server_was_down_count_once) {
  const WatchedTrigger watched = by_clock("0 3 * * *", "2026-03-01T12:00:00Z");
  EXPECT_EQ(one(watched, "", at("2026-03-03T03:30:00Z")).why,
            "it was 2026-03-03 03:00 UTC, and one earlier time had passed");
  const TriggerDecision decision = one(watched, "", at("2026-03-05T09:00:00Z"));
  EXPECT_EQ(decision.why, "it was 2026-03-05 03:00 UTC, and 3 earlier times had passed");
  EXPECT_EQ(decision.seen, seen_at(at("2026-03-05T09:00:00Z")));
  EXPECT_EQ(one(by_clock("* * * * *", "2020-01-01T00:00:00Z"), "", at("2026-03-05T09:00:00Z")).why,
            "it was 2026-03-05 09:00 UTC, and many earlier times had passed");
}

TEST(TriggerDecision, a_clock_that_was_set_back_starts_nothing_twice) {
  EXPECT_FALSE(one(by_clock("* * * * *", "2026-03-02T03:00:30Z"), "", at("2026-03-02T02:00:00Z")).fires);
}

TEST(TriggerDecision, a_finding_is_told_in_its_own_words) {
  WatchedTrigger watched;
  watched.trigger.finding = "drift";
  watched.trigger.deployment = "digits";
  watched.changes = {{"01F", "the brightness of digits drifted", false, {}}};
  EXPECT_EQ(one(watched).why, "the brightness of digits drifted");
  EXPECT_EQ(name_of(watched.trigger), "finding drift of digits");
}

TEST(TriggerDecision, a_version_is_told_by_its_number) {
  WatchedTrigger watched;
  watched.trigger.model = "digits";
  watched.seen = "2";
  watched.changes = {{"3", "3", false, {}}, {"4", "4", false, {}}};
  EXPECT_EQ(one(watched).why, "digits has version 4 (2 changes)");
}

TEST(TriggerDecision, it_pauses_after_failures_in_a_row_and_keeps_its_place) {
  WatchedTrigger watched = on_dataset({{"b", "b", false, {}}});
  watched.failures = kTriggerFailuresMax - 1;
  EXPECT_TRUE(one(watched).fires);
  watched.failures = kTriggerFailuresMax;
  watched.last_failure = "train: exit code 1";
  const TriggerDecision decision = one(watched);
  EXPECT_FALSE(decision.fires);
  EXPECT_FALSE(decision.seen);
  EXPECT_EQ(decision.state, TriggerState::paused);
  EXPECT_EQ(
      decision.message,
      "paused, because the last 3 runs that it started failed (train: exit code 1); `slipway pipelines enable` arms it again");
}

TEST(TriggerDecision, it_starts_only_so_many_runs_within_an_hour) {
  WatchedTrigger watched = on_dataset({{"b", "b", false, {}}});
  watched.recent = kTriggerRunsPerHourMax;
  const TriggerDecision decision = one(watched);
  EXPECT_FALSE(decision.fires);
  EXPECT_FALSE(decision.seen);
  EXPECT_EQ(decision.state, TriggerState::waiting);
  EXPECT_EQ(decision.message, "waits, because it started 120 runs within an hour: digits@main moved from a to b");
  watched.recent = kTriggerRunsPerHourMax - 1;
  EXPECT_TRUE(one(watched).fires);
}

TEST(TriggerDecision, what_cannot_be_read_is_said) {
  WatchedTrigger watched = on_dataset({});
  watched.trouble = "there is no dataset 'digits'";
  EXPECT_EQ(one(watched).state, TriggerState::broken);
  EXPECT_EQ(one(watched).message, "there is no dataset 'digits'");
}

TEST(TriggerDecision, several_that_are_due_fire_together) {
  const auto decisions =
      decide({on_dataset({{"b", "b", false, {}}}), by_clock("0 3 * * *", "2026-03-01T12:00:00Z"), on_dataset({})}, "",
             at("2026-03-02T03:00:00Z"));
  EXPECT_TRUE(decisions[0].fires);
  EXPECT_TRUE(decisions[1].fires);
  EXPECT_FALSE(decisions[2].fires);
}

}  // namespace
}  // namespace slipway::pipelines
