#include "domain/scorer.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

ErrorCode code_of(std::string_view body) {
  const auto checked = check_scorer_body(body);
  return checked.ok() ? ErrorCode::internal : checked.error().code;
}
constexpr ErrorCode kFine = ErrorCode::internal;

TEST(Scorer, a_name_has_something_in_it) {
  EXPECT_TRUE(check_scorer_name("relevance to query").ok());
  EXPECT_FALSE(check_scorer_name("").ok());
  EXPECT_FALSE(check_scorer_name(" \t").ok());
  EXPECT_TRUE(check_scorer_name(std::string(kScorerNameMax, 'x')).ok());
  EXPECT_FALSE(check_scorer_name(std::string(kScorerNameMax + 1, 'x')).ok());
}

TEST(Scorer, what_a_client_writes_of_its_own_scorers_is_taken) {
  EXPECT_EQ(
      code_of(R"({"name": "safe", "builtin_scorer_class": "Safety", "builtin_scorer_pydantic_data": {"model": null},
                        "call_source": null})"),
      kFine);
  EXPECT_EQ(
      code_of(R"({"instructions_judge_pydantic_data": {"model": "openai:/gpt-4o", "instructions": "call_source"}})"),
      kFine);
}

TEST(Scorer, what_is_no_json_object_is_refused) {
  EXPECT_EQ(code_of("{"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of("[]"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of("null"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of("\"" + std::string(kScorerBodyBytesMax, 'x') + "\""), ErrorCode::too_large);
}

TEST(Scorer, source_code_is_refused_wherever_it_lies) {
  EXPECT_EQ(code_of(R"({"call_source": "import os"})"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(R"({"ensemble_scorer_data": {"scorers": [{"name": "a"}, {"call_source": "return 1"}]}})"),
            ErrorCode::invalid_argument);
}

TEST(Scorer, options_that_choose_a_host_are_refused_wherever_they_lie) {
  EXPECT_EQ(code_of(R"({"third_party_scorer_data": {"kwargs": {"threshold": 0.5}}})"), kFine);
  EXPECT_EQ(code_of(R"({"third_party_scorer_data": {"kwargs": {"api_base": "http://evil"}}})"),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(R"({"x": [{"third_party_scorer_data": {"kwargs": {"completion_kwargs": {"base_url": "u"}}}}]})"),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(R"({"third_party_scorer_data": {"kwargs": {"completion_kwargs": [["api_base", "u"]]}}})"),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(R"({"third_party_scorer_data": {"kwargs": [["api_base", "u"]]}})"), ErrorCode::invalid_argument);
}

TEST(Scorer, a_judge_behind_a_gateway_is_not_there) {
  EXPECT_EQ(
      code_of(
          R"({"memory_augmented_judge_data": {"base_judge": {"instructions_judge_pydantic_data": {"model": "gateway:/mine"}}}})"),
      ErrorCode::not_found);
}

}  // namespace
}  // namespace slipway
