// Removing projects, on SQLite and on PostgreSQL.
#include "base/file.h"
#include "catalog/testing.h"
#include "teams/teams.h"

namespace slipway::teams {
namespace {

class RemoveProjectTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder_.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    database_ = catalog::Database::open({.url = *url}, catalog::schema(), counters_).value();
    teams_ = Teams::open(*database_, system_clock(), "ada").value();
  }
  void run(const std::string& sql, catalog::Values values) {
    ASSERT_TRUE(database_
                    ->write(catalog::Durability::record,
                            [&](catalog::Connection& c) -> Result<void> {
                              TRY(c.run(sql, values));
                              return {};
                            })
                    .ok());
  }
  void add_experiment(const Project& project, const std::string& name) {
    run("INSERT INTO experiments (id, project_id, name, artifact_location, created_at, updated_at) VALUES (?, ?, ?, '', 0, 0)",
        {project.id.text + name, project.id.text, name});
  }

  TemporaryDirectory folder_;
  Counters counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<Teams> teams_;
};
SLIPWAY_ON_BOTH_DATABASES(RemoveProjectTest);

TEST_P(RemoveProjectTest, an_empty_project_goes_and_its_name_is_free) {
  const Project first = teams_->create_project("attic", "").value();
  add_experiment(first, "Default");  // as looking for it makes it
  run("INSERT INTO metric_names (project_id, name) VALUES (?, 'loss')", {first.id.text});
  ASSERT_TRUE(teams_->remove_project("attic").ok());
  EXPECT_EQ(teams_->find_project("attic"), std::nullopt);
  EXPECT_EQ(teams_->find_project(first.id.text), std::nullopt);
  EXPECT_EQ(teams_->projects()->size(), 1u);
  EXPECT_EQ(teams_->remove_project("attic").error().code, ErrorCode::not_found);
  const auto second = teams_->create_project("attic", "");
  ASSERT_TRUE(second.ok());
  EXPECT_NE(second->id, first.id);
  EXPECT_TRUE(teams_->remove_project("attic").ok());
}

TEST_P(RemoveProjectTest, a_project_that_holds_something_stays) {
  const Project project = teams_->create_project("lab", "").value();
  add_experiment(project, "mine");
  const auto refused = teams_->remove_project("lab");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(refused.error().message.find("'experiments' still contains 1"), std::string::npos);
  run("DELETE FROM experiments WHERE project_id = ?", {project.id.text});
  run("INSERT INTO traces (id, project_id, experiment, state, started_at) VALUES ('t', ?, 1, 'OK', 0)",
      {project.id.text});
  EXPECT_EQ(teams_->remove_project("lab").error().code, ErrorCode::failed_precondition);
  EXPECT_NE(teams_->find_project("lab"), std::nullopt);
}

TEST_P(RemoveProjectTest, the_first_project_and_an_unknown_one_are_refused) {
  EXPECT_EQ(teams_->remove_project("default").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(teams_->remove_project("none").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace slipway::teams
