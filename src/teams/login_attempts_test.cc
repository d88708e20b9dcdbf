#include "teams/login_attempts.h"

#include <gtest/gtest.h>

namespace slipway::teams {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1'000'000'000};

void fail(LoginAttempts& attempts, int times, Time now) {
  for (int i = 0; i < times; ++i) attempts.failed("ada", now);
}

TEST(LoginAttempts, a_few_wrong_passwords_are_free_and_further_ones_cost_twice_as_long_each) {
  LoginAttempts attempts;
  fail(attempts, kWrongPasswordsFree - 1, kStart);
  EXPECT_EQ(attempts.wait("ada", kStart), 0s);
  fail(attempts, 1, kStart);
  EXPECT_EQ(attempts.wait("ada", kStart), 1s);
  EXPECT_EQ(attempts.wait("ada", kStart + 400ms), 600ms);
  EXPECT_EQ(attempts.wait("ada", kStart + 1s), 0s);
  fail(attempts, 1, kStart);
  EXPECT_EQ(attempts.wait("ada", kStart), 2s);
  fail(attempts, 40, kStart);
  EXPECT_EQ(attempts.wait("ada", kStart), kWrongPasswordWaitMax);
  EXPECT_EQ(attempts.wait("bob", kStart), 0s);
}

TEST(LoginAttempts, the_right_password_and_time_make_them_forgotten) {
  LoginAttempts attempts;
  fail(attempts, 10, kStart);
  EXPECT_EQ(attempts.wait("ada", kStart + kWrongPasswordsForgottenAfter), 0s);
  fail(attempts, 1, kStart + kWrongPasswordsForgottenAfter);
  EXPECT_EQ(attempts.wait("ada", kStart + kWrongPasswordsForgottenAfter), 0s);
  fail(attempts, 10, kStart);
  attempts.succeeded("ada");
  EXPECT_EQ(attempts.wait("ada", kStart), 0s);
}

TEST(LoginAttempts, made_up_names_do_not_fill_the_memory) {
  LoginAttempts attempts;
  fail(attempts, 10, kStart);
  const Time later = kStart + kWrongPasswordsForgottenAfter;
  for (size_t i = 1; i < kWrongNamesMax; ++i) attempts.failed("name" + std::to_string(i), later);
  for (int i = 0; i < 10; ++i) attempts.failed("one more", later);  // ada is old by now, and goes
  EXPECT_GT(attempts.wait("one more", later), 0s);
  for (size_t i = 0; i < kWrongNamesMax; ++i)
    attempts.failed("again" + std::to_string(i), later);  // nobody is old: all go
  EXPECT_EQ(attempts.wait("one more", later), 0s);
}

}  // namespace
}  // namespace slipway::teams
