#include "monitor/capture.h"

#include <gtest/gtest.h>

namespace slipway::monitor {
namespace {

Result<CaptureRules> rules_of(const char* text) { return parse_capture(Json::parse(text).value()); }

TEST(DecideCapture, keeps_errors_and_unsure_answers_always_and_others_by_the_dice) {
  PredictionServed sure;
  sure.statistics.confidence = 0.99;
  EXPECT_EQ(decide_capture({.sample = 0.1}, sure, false, 0.05), CaseReason::sampled);
  EXPECT_EQ(decide_capture({.sample = 0.1}, sure, true, 0.5), std::nullopt);
  PredictionServed failed;
  failed.ok = false;
  EXPECT_EQ(decide_capture({.sample = 0}, failed, false, 0.5), CaseReason::error);
  EXPECT_EQ(decide_capture({.sample = 1, .errors = false}, failed, false, 0.5), std::nullopt);
}

TEST(DecideCapture, keeps_everything_during_drift_where_the_rules_ask_for_it) {
  PredictionServed sure;
  sure.statistics.confidence = 0.99;
  EXPECT_EQ(decide_capture({.sample = 0, .drifted = true}, sure, true, 0.5), CaseReason::drift);
  EXPECT_EQ(decide_capture({.sample = 0, .drifted = true}, sure, false, 0.5), std::nullopt);
}

TEST(ParseCapture, keeps_the_defaults_of_what_is_absent) {
  EXPECT_EQ(rules_of("{}").value(), CaptureRules());
  EXPECT_EQ(parse_capture(Json()).value(), CaptureRules());
  const CaptureRules rules =
      rules_of(
          R"({"sample": 0.5, "always": ["error", "drift"], "low_confidence": 0.4, "drift": {"psi": 0.3, "samples": 200}})")
          .value();
  EXPECT_EQ(rules.sample, 0.5);
  EXPECT_EQ(rules.confidence_min, 0.4);
  EXPECT_TRUE(rules.errors && rules.drifted);
  EXPECT_FALSE(rules.low_confidence || rules.flagged);
  EXPECT_EQ(rules.drift.psi_min, 0.3);
  EXPECT_EQ(rules.drift.samples_min, 200);
  EXPECT_EQ(rules.drift.false_alarm, DriftLimits().false_alarm);
}

TEST(ParseCapture, says_what_is_wrong_and_what_was_meant) {
  const auto message = [](const char* text) {
    const auto rules = rules_of(text);
    return rules.ok() ? std::string("taken") : rules.error().message;
  };
  EXPECT_EQ(message(R"({"sampel": 1})"), "unknown key 'sampel' in 'capture'; did you mean 'sample'?");
  EXPECT_EQ(message(R"({"sample": 2})"), "capture's 'sample' is 2; expected a number from 0 to 1");
  EXPECT_EQ(message(R"({"always": ["errors"]})"),
            "capture's 'always' is a list of error, low_confidence, flagged and drift; found \"errors\"");
  EXPECT_EQ(message(R"({"always": "error"})"),
            "capture's 'always' is a list of error, low_confidence, flagged and drift; found \"error\"");
  EXPECT_EQ(message(R"({"drift": {"psi": 0}})"), "capture's 'psi' is 0; expected a number from 0.01 to 100");
  EXPECT_EQ(message(R"({"drift": 0.2})"), "capture's 'drift' must be an object with psi, samples, false_alarm");
  EXPECT_EQ(message("[1]"), "'capture' must be an object with sample, always, low_confidence, drift");
}

}  // namespace
}  // namespace slipway::monitor
