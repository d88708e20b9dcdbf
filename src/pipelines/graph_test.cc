#include "pipelines/graph.h"

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

PipelineNode step(std::vector<std::string> after = {}) {
  PipelineNode node;
  node.step = "work";
  node.after = std::move(after);
  return node;
}

/// a → b, a → c, (b, c) → d
Pipeline diamond() {
  Pipeline pipeline;
  pipeline.nodes = {{"d", step({"b", "c"})}, {"a", step()}, {"b", step({"a"})}, {"c", step({"a"})}};
  return pipeline;
}

std::map<std::string, NodeState> states(NodeState a, NodeState b, NodeState c, NodeState d) {
  return {{"a", a}, {"b", b}, {"c", c}, {"d", d}};
}

constexpr auto kWaiting = NodeState::waiting;
constexpr auto kRunning = NodeState::running;
constexpr auto kFinished = NodeState::finished;
constexpr auto kFailed = NodeState::failed;
using Names = std::vector<std::string>;

TEST(MakeGraph, orders_nodes_behind_what_they_need) {
  const Graph graph = make_graph(diamond()).value();
  const auto at = [&](const std::string& node) {
    return std::find(graph.order.begin(), graph.order.end(), node) - graph.order.begin();
  };
  EXPECT_LT(at("a"), at("b"));
  EXPECT_LT(at("b"), at("d"));
  EXPECT_LT(at("c"), at("d"));
}

TEST(MakeGraph, finds_needs_in_values) {
  Pipeline pipeline;
  PipelineNode check;
  check.evaluate = "segmentation";
  check.model = "train.model";
  check.against = "model:segmenter@production";
  pipeline.nodes = {{"check", check}, {"train", step()}};
  EXPECT_EQ(make_graph(pipeline).value().needs.at("check"), Names{"train"});
}

TEST(MakeGraph, a_version_is_deployed_after_its_evaluations) {
  Pipeline pipeline;
  PipelineNode check, other, look, ship;
  check.evaluate = other.evaluate = look.evaluate = "segmentation";
  check.model = look.model = ship.version = "train.model";
  other.model = "model:segmenter@production";
  look.after = {"ship"};
  ship.deploy = "segmenter";
  pipeline.nodes = {{"ship", ship}, {"look", look}, {"other", other}, {"check", check}, {"train", step()}};
  const Graph graph = make_graph(pipeline).value();
  EXPECT_EQ(graph.needs.at("ship"), (Names{"train", "check"}));
  EXPECT_EQ(graph.needs.at("look"), (Names{"ship", "train"}));
}

TEST(MakeGraph, names_a_node_that_does_not_exist_and_its_neighbour) {
  Pipeline pipeline;
  pipeline.nodes = {{"train", step()}, {"ship", step({"trian"})}};
  const auto graph = make_graph(pipeline);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().message.find("did you mean 'train'"), std::string::npos) << graph.error().message;
}

TEST(MakeGraph, names_the_nodes_of_a_circle) {
  Pipeline pipeline;
  pipeline.nodes = {{"a", step({"b"})}, {"b", step({"a"})}, {"c", step()}};
  const auto graph = make_graph(pipeline);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().message.find("a, b"), std::string::npos) << graph.error().message;
}

TEST(Decide, starts_branches_side_by_side) {
  const Next next = decide(make_graph(diamond()).value(), states(kFinished, kWaiting, kWaiting, kWaiting), false);
  EXPECT_EQ(next.start, (Names{"b", "c"}));
  EXPECT_FALSE(next.ended);
}

TEST(Decide, skips_what_needs_a_failed_node_and_lets_the_rest_go_on) {
  const Next next = decide(make_graph(diamond()).value(), states(kFinished, kFailed, kRunning, kWaiting), false);
  EXPECT_EQ(next.skip, Names{"d"});
  EXPECT_TRUE(next.start.empty());
  EXPECT_FALSE(next.ended);
}

TEST(Decide, ends_when_nothing_is_left) {
  const Graph graph = make_graph(diamond()).value();
  EXPECT_EQ(decide(graph, states(kFinished, kFinished, kFinished, kFinished), false).ended, PipelineRunState::finished);
  EXPECT_EQ(decide(graph, states(kFailed, kWaiting, kWaiting, kWaiting), false).ended, PipelineRunState::failed);
}

TEST(Decide, starts_nothing_once_it_is_stopping) {
  const Graph graph = make_graph(diamond()).value();
  const Next next = decide(graph, states(kRunning, kWaiting, kWaiting, kWaiting), true);
  EXPECT_TRUE(next.start.empty());
  EXPECT_FALSE(next.ended);
  EXPECT_EQ(decide(graph, states(kFinished, kWaiting, kWaiting, kWaiting), true).ended, PipelineRunState::stopped);
}

TEST(FillIn, replaces_the_name_of_an_output_by_the_output) {
  PipelineNode node;
  node.evaluate = "segmentation";
  node.model = "train.model";
  node.against = "model:segmenter@production";
  const std::map<std::string, Json> results = {{"train", *Json::parse(R"({"outputs":{"model":"model:segmenter/2"}})")}};
  const PipelineNode filled = fill_in(node, results).value();
  EXPECT_EQ(filled.model, "model:segmenter/2");
  EXPECT_EQ(filled.against, "model:segmenter@production");
}

TEST(FillIn, names_the_outputs_there_are) {
  PipelineNode node;
  node.deploy = "segmenter";
  node.version = "train.weights";
  const auto filled = fill_in(node, {{"train", *Json::parse(R"({"outputs":{"model":"model:segmenter/2"}})")}});
  ASSERT_FALSE(filled.ok());
  EXPECT_NE(filled.error().message.find("it made model"), std::string::npos) << filled.error().message;
}

TEST(ExplainDifference, names_the_part_and_the_values) {
  const Json before = *Json::parse(R"({"command":"a","parameters":{"lr":0.01,"epochs":2}})");
  const Json after = *Json::parse(R"({"command":"a","parameters":{"lr":0.02,"epochs":2}})");
  EXPECT_EQ(explain_difference(before, after), "the parameters changed: lr was 0.01 and is 0.02");
}

}  // namespace
}  // namespace slipway::pipelines
