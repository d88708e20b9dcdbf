#include "evaluation/evaluate_node.h"

#include <gtest/gtest.h>

namespace slipway::evaluation {
namespace {

Evaluation with_score(double value, double low, double high) {
  Evaluation evaluation;
  evaluation.task = "classification";
  evaluation.scores = {{"all", {value, low, high, 1000}}};
  return evaluation;
}

Comparison with_difference(double value, double low, double high) {
  Comparison comparison;
  comparison.slices.emplace_back();
  comparison.slices[0].slice = "all";
  comparison.slices[0].difference = {value, low, high, 1000};
  return comparison;
}

Requirement accuracy() {
  Requirement requirement;
  requirement.metric = "accuracy";
  return requirement;
}

TEST(EvaluateNode, a_bound_must_hold_with_confidence) {
  Requirement requirement = accuracy();
  requirement.at_least = 0.9;
  EXPECT_TRUE(unmet({requirement}, with_score(0.93, 0.91, 0.95), nullptr).empty());
  EXPECT_EQ(
      unmet({requirement}, with_score(0.91, 0.88, 0.93), nullptr),
      std::vector<std::string>{"accuracy on 'all' is 0.910 (at least 0.880 with 95% confidence); 0.900 is required"});
}

TEST(EvaluateNode, the_loser_is_told_by_how_much_it_lost) {
  Requirement requirement = accuracy();
  requirement.no_worse_than = 0.005;
  const Comparison worse = with_difference(-0.02, -0.03, -0.01);
  EXPECT_EQ(
      unmet({requirement}, with_score(0.9, 0.88, 0.92), &worse),
      std::vector<std::string>{
          "accuracy on 'all' changed by -2.0 points, and the 95% interval reaches down to -3.0 points; at most 0.5 points worse is allowed"});
  const Comparison better = with_difference(0.02, 0.01, 0.03);
  EXPECT_TRUE(unmet({requirement}, with_score(0.9, 0.88, 0.92), &better).empty());
}

TEST(EvaluateNode, a_first_version_has_nothing_to_be_compared_with_and_says_so) {
  PipelineNode node;
  node.evaluate = "digits";
  node.against = "model:digits@production";
  node.require = {accuracy()};
  node.require[0].no_worse_than = 0.005;
  node.require[0].at_least = 0.5;
  EXPECT_TRUE(unmet(node.require, with_score(0.9, 0.88, 0.92), nullptr).empty());
  EXPECT_EQ(unmet(node.require, with_score(0.4, 0.3, 0.5), nullptr).size(), 1u)
      << "what is required of the version itself still counts";
  EXPECT_EQ(
      verdict(node, false),
      "there is no model:digits@production yet to compare with, so only what is required of the version itself was held against it");
  EXPECT_EQ(verdict(node, true), "every requirement holds");
}

TEST(EvaluateNode, a_metric_that_the_task_does_not_have_is_named) {
  Requirement requirement;
  requirement.metric = "iou";
  requirement.at_least = 0.5;
  EXPECT_EQ(unmet({requirement}, with_score(0.9, 0.88, 0.92), nullptr),
            std::vector<std::string>{"the metric 'iou' is required, but a classification is judged by 'accuracy'"});
}

}  // namespace
}  // namespace slipway::evaluation
