#include "pipelines/pipelines.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::pipelines {
namespace {

class Silent : public EventSink {
 public:
  void emit(const Event&) override {}
};

/// Work that finishes when it is asked the second time, and remembers what it was asked to do.
class FakeKind : public NodeKind {
 public:
  Result<Json> inputs_of(const NodeRequest& request) override {
    Json parameters{Json::Object{}};
    for (const auto& [key, value] : request.declaration.parameters) parameters.set(key, value);
    return Json(Json::Object{}).set("step", request.declaration.step).set("parameters", std::move(parameters)).set("code", request.snapshot);
  }
  Result<bool> still_exists(const ProjectId&, const Json&) override { return !*outputs_gone.lock(); }
  Result<std::string> start(const NodeRequest& request) override {
    if (request.declaration.step == "broken") return Error{ErrorCode::not_found, "there is no step 'broken'"};
    started.lock()->push_back(request.node);
    return "handle of " + request.node;
  }
  Result<NodeProgress> poll(const NodeRequest& request, const std::string& handle) override {
    EXPECT_EQ(handle, "handle of " + request.node);
    if (*hold.lock()) return NodeProgress{};
    NodeProgress progress{NodeProgress::State::finished, Json(Json::Object{}), ""};
    progress.result.set("outputs", Json(Json::Object{}).set("model", "model:m/1"));
    if (*stopped.lock() || request.node == "fails") progress = {NodeProgress::State::failed, Json(Json::Object{}), "it did not work"};
    return progress;
  }
  void stop(const NodeRequest&, const std::string&) override {
    *stopped.lock() = true;
    *hold.lock() = false;
  }

  Guarded<std::vector<std::string>> started;
  Guarded<bool> outputs_gone{false}, hold{false}, stopped{false};
};

constexpr char kFile[] = R"(steps:
  work: {command: "true", parameters: {lr: {type: float, default: 0.1}}}
pipelines:
  refresh:
    nodes:
      first:  {step: work}
      second: {step: work, parameters: {lr: 0.5}, after: [first]}
  unlucky:
    nodes:
      fails: {step: work}
      after: {step: work, parameters: {lr: 0.7}, after: [fails]}
)";

class PipelinesTest : public testing::Test {
 protected:
  PipelinesTest() {
    database = std::move(catalog::Database::open({.url = "sqlite:" + (folder.path() / "db").string()}, catalog::schema(), counters).value());
    open();
  }
  void open() {
    pipelines.reset();
    pipelines = std::make_unique<Pipelines>(*database, system_clock(), events, counters, std::map<std::string, NodeKind*>{{"step", &kind}});
  }

  PipelineRun start(const std::string& pipeline, const std::string& snapshot = "c0de") {
    auto run = pipelines->start({kDefaultProject, pipeline, "ann", "by hand", kFile, snapshot});
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().message);
    return std::move(*run);
  }
  PipelineRun ended(const PipelineRunId& id) {
    for (int i = 0; i < 500; ++i) {
      PipelineRun run = pipelines->get(kDefaultProject, id).value();
      if (run.ended_at) return run;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "the pipeline run did not end";
    return pipelines->get(kDefaultProject, id).value();
  }

  TemporaryDirectory folder;
  Counters counters;
  Silent events;
  FakeKind kind;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<Pipelines> pipelines;
};

TEST_F(PipelinesTest, nodes_run_in_order_and_the_run_finishes) {
  const PipelineRun run = ended(start("refresh").id);
  EXPECT_EQ(run.state, PipelineRunState::finished);
  EXPECT_EQ(*kind.started.lock(), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(run.nodes[0].cache, "miss");
  EXPECT_EQ(run.nodes[0].why, "it never ran before");
}

TEST_F(PipelinesTest, the_second_run_of_the_same_does_no_work) {
  ended(start("refresh").id);
  const PipelineRun again = ended(start("refresh").id);
  EXPECT_EQ(again.state, PipelineRunState::finished);
  EXPECT_EQ(again.nodes[1].cache, "hit");
  EXPECT_EQ(kind.started.lock()->size(), 2u);
}

TEST_F(PipelinesTest, a_changed_input_is_a_miss_that_says_why) {
  ended(start("refresh", "c0de").id);
  const PipelineRun again = ended(start("refresh", "beef").id);
  EXPECT_EQ(again.nodes[0].cache, "miss");
  EXPECT_EQ(again.nodes[0].why, R"(the code changed: it was "c0de" and is "beef")");
}

TEST_F(PipelinesTest, a_deleted_output_is_a_miss_never_a_wrong_hit) {
  ended(start("refresh").id);
  *kind.outputs_gone.lock() = true;
  const PipelineRun again = ended(start("refresh").id);
  EXPECT_EQ(again.nodes[0].cache, "miss");
  EXPECT_NE(again.nodes[0].why.find("is gone"), std::string::npos);
}

TEST_F(PipelinesTest, a_failed_node_skips_what_needs_it) {
  const PipelineRun run = ended(start("unlucky").id);
  EXPECT_EQ(run.state, PipelineRunState::failed);
  EXPECT_EQ(run.nodes[0].message, "it did not work");
  EXPECT_EQ(run.nodes[1].state, NodeState::skipped);
}

TEST_F(PipelinesTest, stopping_ends_what_runs_and_starts_nothing_more) {
  *kind.hold.lock() = true;
  const PipelineRunId id = start("refresh").id;
  while (kind.started.lock()->empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(pipelines->stop(kDefaultProject, id).ok());
  const PipelineRun run = ended(id);
  EXPECT_EQ(run.state, PipelineRunState::stopped);
  EXPECT_EQ(run.nodes[0].state, NodeState::stopped);
  EXPECT_EQ(run.nodes[1].state, NodeState::skipped);
  EXPECT_FALSE(pipelines->stop(kDefaultProject, id).ok());
}

TEST_F(PipelinesTest, goes_on_where_it_was_after_a_restart) {
  *kind.hold.lock() = true;
  const PipelineRunId id = start("refresh").id;
  while (kind.started.lock()->empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  open();
  *kind.hold.lock() = false;
  EXPECT_EQ(ended(id).state, PipelineRunState::finished);
  EXPECT_EQ(*kind.started.lock(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(PipelinesTest, an_unknown_pipeline_or_node_is_named) {
  const auto unknown = pipelines->start({kDefaultProject, "refesh", "ann", "", kFile, ""});
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("did you mean 'refresh'"), std::string::npos);
  NewPipelineRun request{kDefaultProject, "refresh", "ann", "", kFile, ""};
  request.parameters = *Json::parse(R"({"third":{"lr":1}})");
  EXPECT_FALSE(pipelines->start(request).ok());
}

}  // namespace
}  // namespace slipway::pipelines
