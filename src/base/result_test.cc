#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace slipway {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{ErrorCode::invalid_argument, std::to_string(n) + " is odd"};
  return n / 2;
}

Result<int> quarter(int n) { return TRY(half(TRY(half(n)))); }

Result<void> check_even(int n) {
  (void)TRY(half(n));
  return {};
}

TEST(Result, is_a_value_or_an_error) {
  EXPECT_EQ(half(4).value(), 2);
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3).ok());
  EXPECT_EQ(half(3).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(half(3).value_or(7), 7);
  EXPECT_TRUE(Result<void>().ok());
}

TEST(Result, try_returns_the_error_and_stands_inside_another_try) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_EQ(check_even(5).error().message, "5 is odd");
  EXPECT_TRUE(check_even(6).ok());
}

TEST(Result, holds_what_can_only_be_moved) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto use = [&]() -> Result<int> {
    const std::unique_ptr<int> number = TRY(make());
    return *number;
  };
  EXPECT_EQ(use().value(), 5);
}

TEST(ResultDeathTest, the_value_of_an_error_ends_the_process_and_says_which) {
  EXPECT_DEATH((void)half(3).value(), "3 is odd");
}

TEST(Error, every_code_has_a_name_of_its_own) {
  std::string all;
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const std::string one = std::string("|") + name(static_cast<ErrorCode>(code)) + "|";
    EXPECT_EQ(all.find(one), std::string::npos) << one;
    all += one;
  }
}

TEST(Error, context_adds_to_the_sentence_and_keeps_the_code) {
  const Error error = context(Error{ErrorCode::busy, "the queue is full"}, "while adding a run");
  EXPECT_EQ(error.code, ErrorCode::busy);
  EXPECT_EQ(error.message, "the queue is full, while adding a run");
}

}  // namespace
}  // namespace slipway
