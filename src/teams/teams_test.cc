// The room through its front door, on SQLite and on PostgreSQL.
#include "teams/teams.h"

#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "catalog/testing.h"
#include "teams/password.h"

namespace slipway::teams {
namespace {

using namespace std::chrono_literals;

class TeamsTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder_.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    database_ = catalog::Database::open({.url = *url}, catalog::schema(), counters_).value();
    teams_ = open();
  }
  std::unique_ptr<Teams> open(std::string_view owner = "ada") { return Teams::open(*database_, clock_, owner).value(); }

  Member member(std::string_view name) { return teams_->create_member(name, Role::member).value(); }
  Teams::NewToken token(const Member& of, std::optional<Duration> lifetime = std::nullopt) {
    return teams_->create_token(of.id, "laptop", lifetime).value();
  }
  std::string name_of(std::string_view secret) {
    const auto identity = teams_->authenticate(secret);
    return identity ? identity->member.name : "nobody";
  }
  /// Every text in a table, to look for what must not be there.
  std::string texts(const std::string& sql) {
    std::string all;
    EXPECT_TRUE(database_
                    ->read([&](catalog::Connection& c) -> Result<void> {
                      TRY(c.run(sql, {}, [&](const catalog::Row& row) {
                        all += std::string(row.text(0)) + "\n";
                        return true;
                      }));
                      return {};
                    })
                    .ok());
    return all;
  }

  TemporaryDirectory folder_;
  FakeClock clock_;
  Counters counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<Teams> teams_;
};

SLIPWAY_ON_BOTH_DATABASES(TeamsTest);

// What is about no SQL is tested once; what is about two servers, where there may be two.
class PasswordTest : public TeamsTest {};
INSTANTIATE_TEST_SUITE_P(Databases, PasswordTest, testing::Values("sqlite"),
                         [](const auto& tested) { return tested.param; });
class ServersTest : public TeamsTest {};
INSTANTIATE_TEST_SUITE_P(Databases, ServersTest, testing::Values("postgres"),
                         [](const auto& tested) { return tested.param; });

TEST_P(TeamsTest, the_first_start_makes_its_user_the_first_admin_and_later_ones_find_them) {
  EXPECT_EQ(teams_->owner().name, "ada");
  EXPECT_EQ(teams_->owner().role, Role::admin);
  const MemberId id = teams_->owner().id;
  teams_ = open();
  EXPECT_EQ(teams_->owner().id, id);
  EXPECT_EQ(teams_->members()->size(), 1u);
}

TEST_P(TeamsTest, a_token_speaks_for_its_member_and_only_its_hash_is_kept) {
  const Member bob = member("bob");
  const auto made = token(bob);
  EXPECT_TRUE(made.secret.starts_with("slw_"));
  EXPECT_EQ(name_of(made.secret), "bob");
  EXPECT_EQ(name_of(made.secret + "x"), "nobody");
  EXPECT_EQ(name_of(""), "nobody");
  EXPECT_EQ(texts("SELECT hash FROM tokens"), sha256_hex(made.secret) + "\n");
  const auto listed = teams_->tokens(bob.id).value();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].id, made.token.id);
  EXPECT_EQ(listed[0].name, "laptop");
  EXPECT_NE(token(bob).secret, made.secret);
}

TEST_P(TeamsTest, a_revoked_token_speaks_for_nobody_and_only_its_owner_revokes_it) {
  const Member bob = member("bob"), eve = member("eve");
  const auto made = token(bob);
  EXPECT_EQ(teams_->revoke_token(eve.id, made.token.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(name_of(made.secret), "bob");
  ASSERT_TRUE(teams_->revoke_token(bob.id, made.token.id).ok());
  EXPECT_EQ(name_of(made.secret), "nobody");
  EXPECT_EQ(teams_->revoke_token(bob.id, made.token.id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(teams_->tokens(bob.id)->empty());
}

TEST_P(TeamsTest, a_token_ends_at_its_time) {
  const auto made = token(member("bob"), 1h);
  EXPECT_EQ(made.token.expires_at, clock_.now() + 1h);
  clock_.advance(59min);
  EXPECT_EQ(name_of(made.secret), "bob");
  clock_.advance(1min);
  EXPECT_EQ(name_of(made.secret), "nobody");
  teams_ = open();
  EXPECT_EQ(name_of(made.secret), "nobody");
}

TEST_P(TeamsTest, a_runs_token_names_its_run_is_not_listed_and_goes_with_the_run) {
  const Member bob = member("bob");
  const RunId run("r1");
  const std::string first = teams_->issue_run_token(run, bob.id, 1h).value(),
                    second = teams_->issue_run_token(run, bob.id, 1h).value();
  const auto mine = token(bob);
  EXPECT_EQ(teams_->authenticate(first)->run, run);
  EXPECT_EQ(teams_->authenticate(mine.secret)->run, std::nullopt);
  EXPECT_EQ(teams_->tokens(bob.id)->size(), 1u);
  ASSERT_TRUE(teams_->revoke_run_tokens(run).ok());
  EXPECT_EQ(name_of(first), "nobody");
  EXPECT_EQ(name_of(second), "nobody");
  EXPECT_EQ(name_of(mine.secret), "bob");
}

TEST_P(TeamsTest, a_token_needs_a_member_and_a_name) {
  EXPECT_EQ(teams_->create_token(MemberId("nobody"), "laptop", std::nullopt).error().code, ErrorCode::not_found);
  for (const char* wrong : {"", "a:b", "a/b", "a\nb", "\xff"}) {
    EXPECT_EQ(teams_->create_token(teams_->owner().id, wrong, std::nullopt).error().code, ErrorCode::invalid_argument)
        << wrong;
  }
}

TEST_P(ServersTest, what_another_server_revokes_is_revoked_here) {
  const Member bob = member("bob");
  const auto made = token(bob);
  const auto other = open();
  EXPECT_EQ(other->authenticate(made.secret)->member.name, "bob");
  ASSERT_TRUE(teams_->revoke_token(bob.id, made.token.id).ok());
  const auto deadline = std::chrono::steady_clock::now() + 5 * kTokenRefreshInterval;
  while (other->authenticate(made.secret) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(other->authenticate(made.secret));
}

TEST_P(PasswordTest, a_right_password_gives_a_token_and_everything_else_the_same_answer) {
  const Member bob = member("bob");
  ASSERT_TRUE(teams_->set_password(bob.id, "correct horse").ok());
  EXPECT_EQ(name_of(teams_->login("bob", "correct horse").value()), "bob");
  const auto wrong = teams_->login("bob", "correct horsf").error();
  EXPECT_EQ(wrong.code, ErrorCode::unauthenticated);
  for (const auto& [name, password] : {std::pair("bob", ""), {"nobody", "correct horse"}, {"ada", "correct horse"}}) {
    EXPECT_EQ(teams_->login(name, password).error().message, wrong.message) << name;
  }
  EXPECT_EQ(texts("SELECT password_hash FROM members WHERE password_hash IS NOT NULL").find("correct"),
            std::string::npos);
}

TEST_P(PasswordTest, a_password_is_long_enough_and_belongs_to_somebody) {
  EXPECT_EQ(teams_->set_password(teams_->owner().id, "ninechars").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(teams_->set_password(MemberId("nobody"), "long enough").error().code, ErrorCode::not_found);
}

TEST_P(PasswordTest, a_new_password_replaces_the_old_one) {
  const MemberId ada = teams_->owner().id;
  ASSERT_TRUE(teams_->set_password(ada, "the old one").ok());
  ASSERT_TRUE(teams_->set_password(ada, "the new one").ok());
  EXPECT_FALSE(teams_->login("ada", "the old one").ok());
  EXPECT_TRUE(teams_->login("ada", "the new one").ok());
}

TEST_P(PasswordTest, after_too_many_wrong_passwords_even_the_right_one_has_to_wait) {
  ASSERT_TRUE(teams_->set_password(teams_->owner().id, "correct horse").ok());
  for (int i = 0; i < kWrongPasswordsFree; ++i)
    EXPECT_EQ(teams_->login("ada", "guess").error().code, ErrorCode::unauthenticated);
  const auto refused = teams_->login("ada", "correct horse").error();
  EXPECT_EQ(refused.code, ErrorCode::busy);
  EXPECT_NE(refused.message.find("try again in 1 s"), std::string::npos) << refused.message;
  clock_.advance(1s);
  EXPECT_TRUE(teams_->login("ada", "correct horse").ok());
}

TEST_P(TeamsTest, only_a_credential_of_an_admin_that_is_still_good_opens_the_server) {
  const Member bob = member("bob");
  EXPECT_EQ(teams_->an_admin_has_a_credential().value(), false);
  token(bob);
  ASSERT_TRUE(teams_->set_password(bob.id, "long enough").ok());
  ASSERT_TRUE(teams_->issue_run_token(RunId("r1"), teams_->owner().id, 1h).ok());
  EXPECT_EQ(teams_->an_admin_has_a_credential().value(), false);
  const auto mine = token(teams_->owner(), 1h);
  EXPECT_EQ(teams_->an_admin_has_a_credential().value(), true);
  clock_.advance(2h);
  EXPECT_EQ(teams_->an_admin_has_a_credential().value(), false);
  ASSERT_TRUE(teams_->set_password(teams_->owner().id, "long enough").ok());
  EXPECT_EQ(teams_->an_admin_has_a_credential().value(), true);
}

TEST_P(TeamsTest, members_are_listed_by_name_and_a_name_is_taken_once) {
  member("bob");
  EXPECT_EQ(teams_->create_member("bob", Role::admin).error().code, ErrorCode::already_exists);
  EXPECT_EQ(teams_->create_member("bo:b", Role::member).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(teams_->create_member(std::string(kMemberNameBytesMax + 1, 'x'), Role::member).error().code,
            ErrorCode::invalid_argument);
  const auto all = teams_->members().value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "ada");
  EXPECT_EQ(all[1].role, Role::member);
  EXPECT_EQ(teams_->find_member("bob").value(), all[1].id);
  EXPECT_EQ(teams_->find_member("eve").error().code, ErrorCode::not_found);
}

TEST_P(TeamsTest, there_is_a_default_project_and_others_are_found_by_name) {
  EXPECT_EQ(teams_->find_project("default"), kDefaultProject);
  const Project made = teams_->create_project("inspection", "welds").value();
  EXPECT_EQ(teams_->find_project("inspection"), made.id);
  EXPECT_EQ(teams_->find_project("Inspection"), std::nullopt);
  EXPECT_EQ(teams_->create_project("inspection", "").error().code, ErrorCode::already_exists);
  EXPECT_EQ(teams_->create_project("a/b", "").error().code, ErrorCode::invalid_argument);
  teams_ = open();
  EXPECT_EQ(teams_->find_project("inspection"), made.id);
  const auto all = teams_->projects().value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].description, "welds");
}

TEST(Passwords, a_hash_is_argon2id_with_its_own_salt) {
  const std::string one = hash_password("correct horse"), two = hash_password("correct horse");
  EXPECT_TRUE(one.starts_with("$argon2id$v=19$m=65536,t=3,p=1$")) << one;
  EXPECT_NE(one, two);
  EXPECT_TRUE(verify_password(one, "correct horse"));
  EXPECT_FALSE(verify_password(one, "correct horse "));
  EXPECT_FALSE(verify_password("nonsense", "correct horse"));
}

}  // namespace
}  // namespace slipway::teams
