#include "registry/change_listener.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "registry/fixture.h"

namespace slipway::registry {
namespace {

/// Remembers what it is told; refuses when asked to.
class Listener : public ChangeListener {
 public:
  Result<void> note(catalog::Connection&, const ProjectId&, std::string_view event,
                    const std::string& data_json) override {
    if (refuses) return Error{ErrorCode::busy, "not now"};
    told.emplace_back(event, Json::parse(data_json).value());
    return {};
  }
  void committed() override { ++commits; }

  bool refuses = false;
  int commits = 0;
  std::vector<std::pair<std::string, Json>> told;
};

class TellingTest : public RegistryTest {
 protected:
  void SetUp() override {
    RegistryTest::SetUp();
    if (database) registry = std::make_unique<Registry>(*database, *store, clock, &events, &listener);
  }
  Models& models() { return registry->models(); }

  /// The events so far, forgotten.
  std::vector<std::string> heard() {
    std::vector<std::string> names;
    for (const auto& [event, data] : listener.told) names.push_back(event);
    listener.told.clear();
    return names;
  }

  Listener listener;
};

using Names = std::vector<std::string>;

TEST_P(TellingTest, what_happens_to_a_model_is_told_with_its_data) {
  models().create(project, "m", "about", {{"team", "vision"}}).value();
  NewVersion request;
  request.source = "s3://bucket/model";
  request.run = RunId("r1");
  request.tags = {{"k", "v"}};
  models().create_version(project, "m", request).value();
  ASSERT_EQ(listener.told.size(), 2u);
  EXPECT_EQ(listener.told[0].second.render(), R"({"name":"m","tags":{"team":"vision"},"description":"about"})");
  EXPECT_EQ(
      listener.told[1].second.render(),
      R"({"name":"m","version":"1","source":"s3://bucket/model","run_id":"r1","tags":{"k":"v"},"description":null})");
  EXPECT_EQ(heard(), (Names{"registered_model.created", "model_version.created"}));

  ASSERT_TRUE(models().set_version_tag(project, "m", 1, "k", "w").ok());
  EXPECT_EQ(listener.told[0].second.render(), R"({"name":"m","version":"1","key":"k","value":"w"})");
  ASSERT_TRUE(models().remove_version_tag(project, "m", 1, "k").ok());
  ASSERT_TRUE(models().set_alias(project, "m", "best", 1, "anna", "").ok());
  EXPECT_EQ(listener.told[2].second.render(), R"({"name":"m","alias":"best","version":"1"})");
  ASSERT_TRUE(models().remove_alias(project, "m", "best", "anna", "").ok());
  ASSERT_TRUE(models().set_tag(project, "m", "k", "v").ok());
  EXPECT_EQ(heard(), (Names{"model_version_tag.set", "model_version_tag.deleted", "model_version_alias.created",
                            "model_version_alias.deleted"}));
}

TEST_P(TellingTest, a_prompt_is_told_as_one_without_its_marks) {
  models().create(project, "p", "", {{"mlflow.prompt.is_prompt", "true"}, {"a", "b"}}).value();
  NewVersion request;
  request.tags = {{"mlflow.prompt.is_prompt", "true"}, {"mlflow.prompt.text", "Hello {{x}}"}, {"c", "d"}};
  models().create_version(project, "p", request).value();
  EXPECT_EQ(listener.told[0].second.render(), R"({"name":"p","tags":{"a":"b"},"description":""})");
  EXPECT_EQ(listener.told[1].second.render(),
            R"({"name":"p","version":"1","template":"Hello {{x}}","tags":{"c":"d"},"description":null})");
  ASSERT_TRUE(models().set_tag(project, "p", "k", "v").ok());
  ASSERT_TRUE(models().remove_tag(project, "p", "k").ok());
  ASSERT_TRUE(models().set_version_tag(project, "p", 1, "k", "v").ok());
  ASSERT_TRUE(models().set_alias(project, "p", "best", 1, "anna", "").ok());
  EXPECT_EQ(heard(), (Names{"prompt.created", "prompt_version.created", "prompt_tag.set", "prompt_tag.deleted",
                            "prompt_version_tag.set", "prompt_alias.created"}));
}

TEST_P(TellingTest, a_refused_note_refuses_the_change) {
  listener.refuses = true;
  EXPECT_FALSE(models().create(project, "m", "", {}).ok());
  listener.refuses = false;
  EXPECT_FALSE(models().get(project, "m").ok());
}

TEST_P(TellingTest, a_change_that_fails_wakes_nobody) {
  EXPECT_FALSE(models().set_alias(project, "none", "best", 1, "anna", "").ok());
  EXPECT_EQ(listener.commits, 0);
  EXPECT_TRUE(listener.told.empty());
}

INSTANTIATE_TEST_SUITE_P(Databases, TellingTest, testing::Values("sqlite", "postgres"));

}  // namespace
}  // namespace slipway::registry
