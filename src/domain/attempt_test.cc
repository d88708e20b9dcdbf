#include "domain/attempt.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Attempt, tickets_read_back_and_mistakes_are_refused) {
  Ticket ticket{"http://h:1", RunId("r1"), AttemptId("a1"), "t", "/work", 5};
  EXPECT_EQ(*parse_ticket(render(ticket)), ticket);
  EXPECT_FALSE(parse_ticket("{}").ok());
  ticket.folder = "relative";
  EXPECT_FALSE(parse_ticket(render(ticket)).ok());
}

TEST(Attempt, plans_read_back) {
  AttemptPlan plan;
  plan.run = RunId("r1");
  plan.spec.command = "cat {inputs.digits}";
  plan.spec.inputs = {{"digits", *parse_reference("dataset:digits@main")}};
  plan.inputs = {{"digits", {"dataset", hash_of("x"), true, "digits@main", "dataset_commit", "01A"}},
                 {"w", {"run", hash_of("y"), false, "", "run", "r0"}}};
  plan.variables = {{"A", "b"}};
  const auto again = parse_attempt_plan(*Json::parse(to_json(plan).render()));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(*again == plan);
}

TEST(Attempt, reports_read_back) {
  const AttemptResult result{AttemptEnd::silence_limit, 0, 15, "quiet"};
  EXPECT_TRUE(*parse_attempt_result(to_json(result)) == result);
  const OutputReport output{"model", "m.onnx", hash_of("m"), false, 1};
  EXPECT_TRUE(*parse_output_report(to_json(output)) == output);
  const auto answer = parse_heartbeat_answer(to_json(HeartbeatAnswer{true, std::chrono::seconds(3)}));
  EXPECT_TRUE(answer.stop);
  EXPECT_EQ(answer.grace, std::chrono::seconds(3));
}

TEST(Attempt, reports_that_make_no_sense_are_refused) {
  EXPECT_FALSE(parse_heartbeat(*Json::parse(R"({"phase": "dancing"})")).ok());
  EXPECT_FALSE(parse_attempt_result(*Json::parse("{}")).ok());
  EXPECT_FALSE(parse_output_report(*Json::parse(R"({"name": "../m", "path": "m", "blob": ""})")).ok());
  EXPECT_FALSE(
      parse_output_report(Json(Json::Object{{"name", "m"}, {"path", "../m"}, {"blob", render(hash_of("m"))}})).ok());
}

}  // namespace
}  // namespace slipway
