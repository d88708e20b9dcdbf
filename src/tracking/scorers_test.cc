// Scorers, on SQLite and on PostgreSQL.
#include "tracking/scorers.h"

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

const ExperimentId kExperiment("0");
const ProjectId kElsewhere("elsewhere");

class ScorersTest : public TrackingTest {
 protected:
  Scorers& scorers() { return tracking_->scorers(); }

  Scorer add(const std::string& name, const std::string& body = "{}", const ExperimentId& experiment = kExperiment) {
    return scorers().add(kDefaultProject, experiment, name, body).value();
  }
  std::string listed(std::optional<std::vector<ExperimentId>> experiments = std::nullopt) {
    std::string out;
    const std::vector<Scorer> found = scorers().list(kDefaultProject, experiments).value();
    for (const Scorer& scorer : found)
      out += (out.empty() ? "" : " ") + scorer.name + "/" + std::to_string(scorer.version);
    return out;
  }
};
SLIPWAY_ON_BOTH_DATABASES(ScorersTest);

TEST_P(ScorersTest, versions_count_from_one_under_one_id) {
  const Scorer first = add("safe", R"({"v": 1})"), second = add("safe", R"({"v": 2})");
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(first.id, second.id);
  EXPECT_NE(add("other").id, first.id);
  EXPECT_EQ(scorers().get(kDefaultProject, kExperiment, "safe", std::nullopt)->body, R"({"v": 2})");
  EXPECT_EQ(scorers().get(kDefaultProject, kExperiment, "safe", 1)->body, R"({"v": 1})");
  EXPECT_EQ(scorers().versions(kDefaultProject, kExperiment, "safe")->size(), 2u);
  EXPECT_EQ(listed(), "other/1 safe/2");
}

TEST_P(ScorersTest, an_experiment_is_named_by_id_or_by_number) {
  const Scorer made = add("safe");
  const ExperimentId numbered(std::to_string(made.experiment_number));
  EXPECT_EQ(scorers().get(kDefaultProject, numbered, "safe", std::nullopt)->experiment, kExperiment);
  EXPECT_EQ(listed(std::vector{numbered}), "safe/1");
  EXPECT_EQ(scorers().get(kElsewhere, numbered, "safe", std::nullopt).error().code, ErrorCode::not_found);
}

TEST_P(ScorersTest, what_is_not_there_is_not_found) {
  add("safe");
  EXPECT_EQ(scorers().get(kDefaultProject, kExperiment, "none", std::nullopt).error().message,
            "Scorer with name 'none' not found for experiment 0.");
  EXPECT_EQ(scorers().get(kDefaultProject, kExperiment, "safe", 7).error().message,
            "Scorer with name 'safe' and version 7 not found for experiment 0.");
  EXPECT_EQ(scorers().add(kDefaultProject, ExperimentId("nowhere"), "a", "{}").error().code, ErrorCode::not_found);
  EXPECT_EQ(scorers().versions(kDefaultProject, ExperimentId("999999"), "a").error().code, ErrorCode::not_found);
  EXPECT_EQ(scorers().remove(kDefaultProject, kExperiment, "none", std::nullopt).error().code, ErrorCode::not_found);
  EXPECT_EQ(scorers().add(kDefaultProject, kExperiment, " ", "{}").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(scorers().add(kDefaultProject, kExperiment, "a", R"({"call_source": "x"})").error().code,
            ErrorCode::invalid_argument);
}

TEST_P(ScorersTest, a_version_goes_alone_or_all_with_the_name) {
  for (int i = 0; i < 3; ++i) add("safe");
  ASSERT_TRUE(scorers().remove(kDefaultProject, kExperiment, "safe", 2).ok());
  EXPECT_EQ(scorers().remove(kDefaultProject, kExperiment, "safe", 2).error().code, ErrorCode::not_found);
  EXPECT_EQ(scorers().versions(kDefaultProject, kExperiment, "safe")->size(), 2u);
  ASSERT_TRUE(scorers().set_sampling(kDefaultProject, kExperiment, "safe", 0, std::nullopt).ok());
  ASSERT_TRUE(scorers().remove(kDefaultProject, kExperiment, "safe", std::nullopt).ok());
  EXPECT_EQ(listed(), "");
  EXPECT_EQ(add("safe").version, 1);
}

TEST_P(ScorersTest, a_deleted_experiment_lists_none_and_takes_none) {
  const ExperimentId gone = tracking_->experiments().create(kDefaultProject, "gone", "", {})->id;
  add("here");
  add("there", "{}", gone);
  EXPECT_EQ(listed(), "here/1 there/1");
  ASSERT_TRUE(tracking_->experiments().remove(kDefaultProject, gone).ok());
  EXPECT_EQ(listed(), "here/1");
  EXPECT_EQ(listed(std::vector{gone, ExperimentId("nowhere")}), "");
  EXPECT_EQ(scorers().add(kDefaultProject, gone, "a", "{}").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(scorers().check_experiment(kDefaultProject, gone).error().code, ErrorCode::invalid_argument);
}

TEST_P(ScorersTest, sampling_is_kept_at_zero_and_refused_above) {
  const Scorer scorer = add("safe");
  EXPECT_EQ(scorers().sampling(kDefaultProject, {scorer.id})->size(), 0u);
  ASSERT_TRUE(scorers().set_sampling(kDefaultProject, kExperiment, "safe", 0, "status = 'OK'").ok());
  const auto changed = scorers().set_sampling(kDefaultProject, kExperiment, "safe", 0, std::nullopt);
  const auto all = scorers().sampling(kDefaultProject, {scorer.id, ScorerId("none")}).value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, changed->id);
  EXPECT_EQ(all[0].filter, std::nullopt);
  EXPECT_EQ(scorers().sampling(kElsewhere, {scorer.id})->size(), 0u);
  EXPECT_EQ(scorers().set_sampling(kDefaultProject, kExperiment, "safe", 0.5, std::nullopt).error().code,
            ErrorCode::failed_precondition);
  for (const double rate : {-0.1, 1.1, kNaN})
    EXPECT_EQ(scorers().set_sampling(kDefaultProject, kExperiment, "safe", rate, std::nullopt).error().code,
              ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace slipway::tracking
