// The audit trail, on SQLite and on PostgreSQL.
#include "base/file.h"
#include "catalog/testing.h"
#include "teams/teams.h"

namespace slipway::teams {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

class AuditTrailTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder_.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    database_ = catalog::Database::open({.url = *url}, catalog::schema(), counters_).value();
    teams_ = Teams::open(*database_, clock_, "ada").value();
    bob_ = teams_->create_member("bob", Role::member)->id;
    lab_ = teams_->create_project("lab", "")->id;
    add({teams_->owner().id, "create token", "token", "t1", "laptop"});
    add({bob_, "delete run", "run", "r1", "", kDefaultProject});
    add({bob_, "deleted", "run", "r2", "", lab_});  // no word of its own is "delete"
    add({teams_->owner().id, "delete model", "model", "digits", "", lab_});
  }
  /// A second after the one before.
  void add(const AuditLine& line) {
    clock_.advance(1s);
    ASSERT_TRUE(teams_->audit(line).ok());
  }
  Names subjects(const AuditQuery& query) {
    Names names;
    const auto found = teams_->audit_trail(query);
    for (const AuditEntry& entry : found.value()) names.push_back(entry.line.subject);
    return names;
  }

  TemporaryDirectory folder_;
  FakeClock clock_;
  Counters counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<Teams> teams_;
  MemberId bob_;
  ProjectId lab_;
};
SLIPWAY_ON_BOTH_DATABASES(AuditTrailTest);

TEST_P(AuditTrailTest, it_tells_who_did_what_where_newest_first) {
  const auto trail = teams_->audit_trail({}).value();
  ASSERT_EQ(trail.size(), 4u);
  EXPECT_EQ(trail[0].line.action, "delete model");
  EXPECT_EQ(trail[0].at, clock_.now());
  EXPECT_EQ(trail[0].member_name, "ada");
  EXPECT_EQ(trail[0].project_name, "lab");
  EXPECT_EQ(trail[0].line.project, lab_);
  EXPECT_EQ(trail[3].line.details, "laptop");
  EXPECT_EQ(trail[3].line.project, std::nullopt);
}

TEST_P(AuditTrailTest, it_is_asked_by_person_action_subject_project_and_time) {
  EXPECT_EQ(subjects({.person = "bob"}), (Names{"r2", "r1"}));
  EXPECT_EQ(subjects({.person = bob_.text}), (Names{"r2", "r1"}));
  EXPECT_EQ(subjects({.person = "eve"}), Names{});
  EXPECT_EQ(subjects({.action = "delete"}), (Names{"digits", "r1"}));
  EXPECT_EQ(subjects({.action = "delete run"}), Names{"r1"});
  EXPECT_EQ(subjects({.subject = "r1"}), Names{"r1"});
  EXPECT_EQ(subjects({.project = "lab"}), (Names{"digits", "r2"}));
  EXPECT_EQ(subjects({.person = "bob", .project = lab_.text}), Names{"r2"});
  const Time last = clock_.now();
  EXPECT_EQ(subjects({.since = last - 1s, .until = last}), Names{"r2"});
}

TEST_P(AuditTrailTest, pages_go_on_behind_the_last_line_although_new_ones_come) {
  const auto first = teams_->audit_trail({.most = 2}).value();
  ASSERT_EQ(first.size(), 2u);
  add({bob_, "delete run", "run", "r3", ""});
  EXPECT_EQ(subjects({.before = first.back().line.id, .most = 2}), (Names{"r1", "t1"}));
}

TEST_P(AuditTrailTest, a_line_with_an_id_is_added_once) {
  AuditLine line{bob_, "restore run", "run", "r1"};
  line.id = teams_->new_audit_id();
  add(line);
  add(line);
  EXPECT_EQ(subjects({.action = "restore run"}), Names{"r1"});
}

}  // namespace
}  // namespace slipway::teams
