#include "runs/decide.h"

#include <gtest/gtest.h>

namespace slipway::runs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const Time kNow{1'000'000'000'000};
const Capacity kNode{4, 16ull << 30, 1};

Resources wants(double cpus, std::uint64_t gib = 0, std::int64_t gpus = 0) {
  Resources resources;
  resources.cpus = cpus;
  resources.memory_bytes = gib << 30;
  resources.gpus = gpus;
  return resources;
}

QueuedRun queued(const char* id, Resources resources, Duration waiting = seconds(1)) {
  return {RunId(id), std::move(resources), kNow - waiting, Time{0}};
}

std::vector<std::string> placed(const std::vector<Resources>& running, const std::vector<QueuedRun>& waiting) {
  std::vector<std::string> ids;
  for (const RunId& run : place(kNode, running, waiting, kNow)) ids.push_back(run.text);
  return ids;
}

using Ids = std::vector<std::string>;

TEST(Place, several_runs_share_the_node_until_it_is_full) {
  EXPECT_EQ(placed({}, {queued("a", wants(2)), queued("b", wants(2)), queued("c", wants(1))}), (Ids{"a", "b"}));
  EXPECT_EQ(placed({wants(3)}, {queued("a", wants(2)), queued("b", wants(1))}), (Ids{"b"}));
}

TEST(Place, memory_and_accelerators_count_too) {
  EXPECT_EQ(placed({wants(1, 10)}, {queued("a", wants(1, 10)), queued("b", wants(1, 6))}), (Ids{"b"}));
  EXPECT_EQ(placed({wants(1, 0, 1)}, {queued("a", wants(1, 0, 1)), queued("b", wants(1))}), (Ids{"b"}));
}

TEST(Place, an_old_run_that_does_not_fit_is_passed_over_only_for_a_while) {
  EXPECT_EQ(placed({wants(1)}, {queued("big", wants(4), minutes(1)), queued("small", wants(1))}), (Ids{"small"}));
  EXPECT_EQ(placed({wants(1)}, {queued("big", wants(4), minutes(11)), queued("small", wants(1))}), Ids{});
}

TEST(Place, a_step_written_for_a_larger_machine_takes_the_whole_node) {
  EXPECT_EQ(placed({}, {queued("a", wants(64))}), (Ids{"a"}));
  EXPECT_EQ(placed({wants(1)}, {queued("a", wants(64))}), Ids{});
  EXPECT_EQ(never_fits(wants(64), kNode), "");
  EXPECT_NE(never_fits(wants(1, 64), kNode), "");
  EXPECT_NE(never_fits(wants(1, 0, 8), kNode), "");
}

TEST(Place, a_retry_waits_its_time) {
  QueuedRun later = queued("a", wants(1));
  later.not_before = kNow + seconds(1);
  EXPECT_EQ(placed({}, {later, queued("b", wants(1))}), (Ids{"b"}));
}

TEST(Lost, a_process_that_is_gone_is_lost_once_its_end_had_time_to_arrive) {
  AttemptSigns signs{kNow - minutes(5), kNow - seconds(1), true, false, kNow - minutes(5)};
  EXPECT_FALSE(why_lost(signs, kNow));
  EXPECT_TRUE(why_lost(signs, kNow + kGoneGrace));
  signs.process_alive = true;
  EXPECT_FALSE(why_lost(signs, kNow + kGoneGrace));
}

TEST(Lost, the_servers_own_absence_is_not_held_against_the_attempt) {
  AttemptSigns signs{kNow - minutes(600), kNow - minutes(500), true, true, kNow - seconds(1)};
  EXPECT_FALSE(why_lost(signs, kNow));
  EXPECT_TRUE(why_lost(signs, kNow + kSilentMax));
  signs.process_known = signs.process_alive = false;
  EXPECT_FALSE(why_lost(signs, kNow + seconds(30))) << "the server died between starting it and writing its pid down";
  EXPECT_TRUE(why_lost(signs, kNow + kFirstSignMax));
}

AttemptResult ended(AttemptEnd end, int code = 0) {
  return {end, code, 0, code == 0 && end == AttemptEnd::exited ? "" : "x"};
}

RunState finish(const AttemptResult& result, const Retry& retry = {}, std::int64_t made = 1, bool stop = false) {
  const Next next = after_end(result, retry, made, stop);
  return std::holds_alternative<Finish>(next) ? std::get<Finish>(next).state : RunState::queued;
}

TEST(AfterEnd, without_retries_the_end_of_the_attempt_is_the_end_of_the_run) {
  EXPECT_EQ(finish(ended(AttemptEnd::exited)), RunState::finished);
  EXPECT_EQ(finish(ended(AttemptEnd::exited, 1)), RunState::failed);
  EXPECT_EQ(finish(ended(AttemptEnd::signalled)), RunState::failed);
  EXPECT_EQ(finish(ended(AttemptEnd::could_not_start)), RunState::failed);
  EXPECT_EQ(finish(ended(AttemptEnd::lost)), RunState::failed);
  EXPECT_EQ(finish(ended(AttemptEnd::stopped)), RunState::killed);
  EXPECT_EQ(finish(ended(AttemptEnd::time_limit)), RunState::killed);
}

TEST(AfterEnd, declared_reasons_are_tried_again_until_the_attempts_are_used_up) {
  const Retry lost{3, {"node_lost"}};
  EXPECT_EQ(finish(ended(AttemptEnd::lost), lost, 1), RunState::queued);
  EXPECT_EQ(finish(ended(AttemptEnd::lost), lost, 3), RunState::failed);
  EXPECT_EQ(finish(ended(AttemptEnd::exited, 1), lost, 1), RunState::failed);
  EXPECT_EQ(finish(ended(AttemptEnd::exited, 1), {2, {"failed"}}, 1), RunState::queued);
  EXPECT_EQ(finish(ended(AttemptEnd::lost), {2, {}}, 1), RunState::queued);
  EXPECT_EQ(finish(ended(AttemptEnd::lost), lost, 1, true), RunState::killed)
      << "a run that should stop is not tried again";
}

TEST(AfterEnd, retries_wait_longer_each_time) {
  const Retry retry{50, {"failed"}};
  EXPECT_EQ(std::get<TryAgain>(after_end(ended(AttemptEnd::exited, 1), retry, 1, false)).wait, seconds(1));
  EXPECT_EQ(std::get<TryAgain>(after_end(ended(AttemptEnd::exited, 1), retry, 4, false)).wait, seconds(8));
  EXPECT_EQ(std::get<TryAgain>(after_end(ended(AttemptEnd::exited, 1), retry, 40, false)).wait, minutes(5));
}

}  // namespace
}  // namespace slipway::runs
