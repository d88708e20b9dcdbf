#include "pipelines/plan.h"

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

/// A file with a step `train` that makes a model, a step `use` that takes one, and a pipeline `p` of these nodes.
std::string file_with(const std::string& nodes) {
  return R"(steps:
  train: {command: "true", parameters: {lr: {type: float, default: 0.1, max: 1}}, outputs: {model: {path: m, model: digits}}}
  use: {command: "cat {inputs.model}", inputs: {model: "model:digits@production"}}
evaluations:
  test: {task: classification, dataset: "dataset:digits@test"}
pipelines:
  p:
    nodes:
)" + nodes;
}

std::string problem(const std::string& nodes, const std::string& parameters = "{}") {
  const auto plan = make_plan(file_with(nodes), "p", *Json::parse(parameters));
  return plan.ok() ? "none" : plan.error().message;
}

TEST(Plan, outputs_and_references_are_taken) {
  EXPECT_EQ(problem("      train: {step: train}\n      use: {step: use, inputs: {model: train.model}}\n"), "none");
  EXPECT_EQ(problem("      use: {step: use, inputs: {model: \"model:digits/3\"}}\n"), "none");
  EXPECT_EQ(
      problem(
          "      check: {evaluate: test, model: \"model:digits@candidate\", against: \"model:digits@production\"}\n"),
      "none");
}

TEST(Plan, a_node_name_with_dots_is_understood) {
  EXPECT_EQ(problem("      a.b: {step: train}\n      use: {step: use, inputs: {model: a.b.model}}\n"), "none");
}

TEST(Plan, a_pipeline_that_does_not_exist_names_its_neighbour) {
  const auto plan = make_plan(file_with("      train: {step: train}\n"), "pp", Json());
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::not_found);
  EXPECT_EQ(plan.error().message, "slipway.yaml has no pipeline 'pp'; did you mean 'p'?");
}

TEST(Plan, what_would_fail_hours_later_fails_at_once) {
  EXPECT_EQ(problem("      train: {step: train}\n      use: {step: use, inputs: {model: trian.model}}\n"),
            "the node 'use' cannot run: it takes 'trian.model', but there is no node 'trian'; did you mean 'train'?");
  EXPECT_EQ(
      problem("      train: {step: train}\n      use: {step: use, inputs: {model: train.modle}}\n"),
      "the node 'use' cannot run: it takes 'train.modle', but the step 'train' declares no output 'modle'; did you mean 'model'?");
  EXPECT_EQ(
      problem("      use: {step: use, inputs: {model: production}}\n"),
      "the node 'use' cannot run: 'production' does not say what kind of thing it names; expected a reference such as dataset:scenes@main, model:segmenter@production, model:segmenter/3 or "
      "run:<id>/<path>, or an output of another node such as train.model");
  EXPECT_EQ(problem("      use: {step: use, inputs: {modle: \"model:digits/3\"}}\n"),
            "the node 'use' cannot run: step 'use' has no input 'modle'");
  EXPECT_EQ(problem("      train: {step: train, parameters: {lrr: 0.5}}\n"),
            "the node 'train' cannot run: step 'train' has no parameter 'lrr'; did you mean 'lr'?");
  EXPECT_EQ(problem("      train: {step: train, parameters: {lr: 5}}\n"),
            "the node 'train' cannot run: parameter 'lr': found 5; expected a value of type float, at most 1");
}

TEST(Plan, a_circle_names_its_nodes) {
  EXPECT_EQ(problem("      a: {step: train, after: [b]}\n      b: {step: train, after: [a]}\n"),
            "the pipeline 'p' cannot run: these nodes wait for each other in a circle: a, b");
  EXPECT_EQ(problem("      a: {step: use, inputs: {model: b.model}}\n      b: {step: train, after: [a]}\n"),
            "the pipeline 'p' cannot run: these nodes wait for each other in a circle: a, b");
}

TEST(Plan, given_parameters_go_over_the_files_own) {
  const std::string nodes =
      "      train: {step: train, parameters: {lr: 0.2}}\n      check: {evaluate: test, model: train.model}\n";
  const auto plan = make_plan(file_with(nodes), "p", *Json::parse(R"({"train":{"lr":"0.3"}})"));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(find(plan->pipeline.nodes, "train")->parameters.size(), 1u);
  EXPECT_EQ(find(plan->pipeline.nodes, "train")->parameters[0].second.string(), "0.3");
  EXPECT_EQ(problem(nodes, R"({"tarin":{"lr":1}})"),
            "the pipeline has no node 'tarin' to give parameters to; did you mean 'train'?");
  EXPECT_EQ(problem(nodes, R"({"train":7})"),
            "the parameters of the node 'train' are integer; expected an object of names and values");
  EXPECT_EQ(problem(nodes, R"({"check":{"lr":1}})"), "the node 'check' is no step, so it takes no parameters");
}

TEST(Plans, reads_once_and_forgets_what_was_used_longest_ago) {
  Plans plans;
  int made = 0;
  const auto ask = [&](int key) {
    return plans.get(std::to_string(key), [&]() -> Result<Plan> {
      ++made;
      return Plan{};
    });
  };
  EXPECT_TRUE(ask(0).ok());
  EXPECT_TRUE(ask(0).ok());
  EXPECT_EQ(made, 1);
  for (int key = 1; key < static_cast<int>(kPlansKept); ++key) {
    ASSERT_TRUE(ask(key).ok());
    ASSERT_TRUE(ask(0).ok());  // stays fresh
  }
  const int before = made;
  ASSERT_TRUE(ask(1000).ok());  // one too many: the key 1 goes
  ASSERT_TRUE(ask(0).ok());
  EXPECT_EQ(made, before + 1);
  ASSERT_TRUE(ask(1).ok());
  EXPECT_EQ(made, before + 2);
  EXPECT_FALSE(plans.get("broken", []() -> Result<Plan> { return Error{ErrorCode::internal, "no"}; }).ok());
}

}  // namespace
}  // namespace slipway::pipelines
