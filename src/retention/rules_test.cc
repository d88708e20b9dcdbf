#include "retention/rules.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace slipway::retention {
namespace {

using std::chrono::hours;
using tracking::RunFacts;

const Time kNow{1'700'000'000'000'000};

/// Ended so many days before kNow; the newest first is the caller's business.
RunFacts run(int days_ago, std::optional<double> value = std::nullopt) {
  RunFacts out;
  out.state = RunState::finished;
  out.ended_at = kNow - hours(24 * days_ago);
  out.started_at = *out.ended_at - hours(1);
  out.value = value;
  return out;
}

std::string places_that_go(const Rule& rule, const std::vector<RunFacts>& runs) {
  std::string out;
  const auto reasons = judge(rule, runs, kNow);
  for (size_t i = 0; i < reasons.size(); ++i) out += reasons[i].empty() ? fmt::format("{} ", i) : "";
  return out;
}

Result<std::vector<Rule>> parse(std::string_view text) { return parse_rules(Json::parse(text).value()); }
std::string problem(std::string_view text) {
  const auto rules = parse(text);
  return rules.ok() ? "none" : rules.error().message;
}

TEST(Rules, keep_the_best_and_the_last_and_let_the_old_go) {
  const std::vector<RunFacts> runs = {run(1, 0.9), run(2, 0.2), run(10, 0.5), run(20, 0.1), run(30), run(40, 0.3)};
  Rule rule{.keep_best = 2, .metric = "loss", .keep_last = 1, .after = hours(24 * 5)};
  EXPECT_EQ(places_that_go(rule, runs), "2 4 5 ");
  rule.maximize = true;
  EXPECT_EQ(places_that_go(rule, runs), "3 4 5 ");
  rule.keep_best = 0;
  EXPECT_EQ(places_that_go(rule, runs), "2 3 4 5 ");
  rule.after = hours(24 * 25);
  EXPECT_EQ(places_that_go(rule, runs), "4 5 ");
  rule.keep_last = 100;
  EXPECT_EQ(places_that_go(rule, runs), "");
}

TEST(Rules, never_let_pinned_runs_go_nor_those_that_are_not_over) {
  RunFacts pinned = run(100), running = run(100), never_ended = run(100), stays_unknown = run(100);
  pinned.is_pinned = true;
  running.state = RunState::running;
  never_ended.state = RunState::queued;
  stays_unknown.ended_at.reset();
  EXPECT_EQ(places_that_go(Rule{}, {pinned, running, never_ended, stays_unknown}), "3 ");
  EXPECT_EQ(judge(Rule{}, {pinned, running}, kNow), (std::vector<std::string>{"it is pinned", "it is not over"}));
}

TEST(Rules, of_equally_good_runs_the_newer_stay) {
  const Rule rule{.keep_best = 1, .metric = "loss"};
  EXPECT_EQ(places_that_go(rule, {run(1, 0.5), run(2, 0.5), run(3, 0.5)}), "1 2 ");
}

TEST(Rules, the_end_counts_to_the_microsecond) {
  const Rule rule{.after = hours(48)};
  RunFacts just = run(2), before = run(2);
  just.ended_at = *just.ended_at + Duration(1);
  EXPECT_EQ(places_that_go(rule, {just, before}), "1 ");
}

TEST(Rules, are_read_and_written_without_loss) {
  const std::string text =
      R"([{"experiment":"vision-*","keep_best":5,"metric":"val_loss","goal":"maximize","keep_last":10,"after_days":0.5,"delete":"runs"},)"
      R"({"experiment":"*","keep_best":0,"metric":null,"goal":"minimize","keep_last":0,"after_days":30,"delete":"artifacts"}])";
  const auto rules = parse(text);
  ASSERT_TRUE(rules.ok()) << rules.error().message;
  EXPECT_EQ(rules->at(0).after, hours(12));
  EXPECT_EQ(parse_rules(to_json(*rules)).value(), *rules);
  EXPECT_EQ(
      describe(rules->at(0)),
      "of the experiment vision-* stay the best 5 by val_loss (largest), the last 10, pinned and needed ones; all of the others are "
      "deleted 12h after they ended");
}

TEST(Rules, that_are_wrong_say_which_and_why) {
  EXPECT_EQ(problem("{}"), "'rules' is a object; expected an array of rules");
  EXPECT_EQ(problem("[1]"), "rule 1 is a integer; expected an object");
  EXPECT_EQ(problem(R"([{"after_days":1},{"keep_bst":5,"after_days":1}])"),
            "rule 2 has 'keep_bst', which rules do not have; did you mean 'keep_best'?");
  EXPECT_EQ(problem(R"([{"keep_best":5,"after_days":1}])"),
            "rule 1 keeps the best runs, but has no 'metric' to tell which those are");
  EXPECT_EQ(problem(R"([{"metric":"loss","after_days":1}])"),
            "rule 1 has a 'metric', but no 'keep_best': how many of the best runs stay");
  EXPECT_EQ(problem(R"([{"keep_last":3}])"),
            "rule 1 has nothing as 'after_days'; expected days since a run ended, from 0 to 36500");
  EXPECT_EQ(problem(R"([{"after_days":-1}])"),
            "rule 1 has -1 as 'after_days'; expected days since a run ended, from 0 to 36500");
  EXPECT_EQ(problem(R"([{"after_days":1,"delete":"everything"}])"),
            "rule 1 has 'everything' as 'delete'; expected artifacts or runs");
  EXPECT_EQ(problem(R"([{"after_days":1,"keep_last":-2}])"),
            "rule 1 has a 'keep_last' that is -2; expected a whole number from 0 to 1000000");
  EXPECT_EQ(problem(R"([{"after_days":1,"goal":"best","keep_best":1,"metric":"a"}])"),
            "rule 1 has the 'goal' 'best'; expected minimize or maximize");
}

TEST(Rules, the_first_that_matches_an_experiment_counts) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("vision-*", "vision-"));
  EXPECT_TRUE(matches("*-test-*", "a-test-b-test-c"));
  EXPECT_TRUE(matches("a*c", "abcabc"));
  EXPECT_FALSE(matches("a*c", "abcab"));
  EXPECT_FALSE(matches("vision", "vision-2"));
  EXPECT_FALSE(matches("", "x"));
  EXPECT_FALSE(matches(std::string(500, '*') + "b", std::string(500, 'a'))) << "and it ends soon";
  const std::vector<Rule> rules = {{.experiment = "a*"}, {.experiment = "ab"}, {.experiment = "b"}};
  EXPECT_EQ(rule_for(rules, "ab"), &rules[0]);
  EXPECT_EQ(rule_for(rules, "b"), &rules[2]);
  EXPECT_EQ(rule_for(rules, "c"), nullptr);
}

}  // namespace
}  // namespace slipway::retention
