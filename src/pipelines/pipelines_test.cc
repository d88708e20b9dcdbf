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
    return Json(Json::Object{})
        .set("step", request.declaration.step)
        .set("parameters", std::move(parameters))
        .set("code", request.snapshot);
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
    if (*stopped.lock() || (request.node == "fails" && !*mended.lock()))
      progress = {NodeProgress::State::failed, Json(Json::Object{}), "it did not work"};
    return progress;
  }
  void stop(const NodeRequest&, const std::string&) override {
    *stopped.lock() = true;
    *hold.lock() = false;
  }

  Guarded<std::vector<std::string>> started;
  Guarded<bool> outputs_gone{false}, hold{false}, stopped{false}, mended{false};
};

constexpr char kFile[] = R"(steps:
  work: {command: "true", parameters: {lr: {type: float, default: 0.1}}, outputs: {model: {path: m, model: m}}}
evaluations:
  test: {task: classification, dataset: "dataset:digits@test"}
deployments:
  digits: {model: "model:m@production"}
pipelines:
  refresh:
    nodes:
      first:  {step: work}
      second: {step: work, parameters: {lr: 0.5}, after: [first]}
  unlucky:
    nodes:
      fails: {step: work}
      after: {step: work, parameters: {lr: 0.7}, after: [fails]}
      aside: {step: work, parameters: {lr: 0.9}}
  guarded:
    nodes:
      train: {step: work}
      fails: {evaluate: test, model: train.model, against: "model:m@production"}
      ship: {deploy: digits, version: train.model}
)";

class PipelinesTest : public testing::Test {
 protected:
  PipelinesTest() {
    database = std::move(
        catalog::Database::open({.url = "sqlite:" + (folder.path() / "db").string()}, catalog::schema(), counters)
            .value());
    store = store::Store::open({.folder = folder.path() / "blobs", .disk_free_bytes_min = 0}, system_clock(), counters)
                .value();
    open();
  }
  void open() {
    pipelines.reset();
    pipelines = std::make_unique<Pipelines>(
        *database, *store, system_clock(), events, counters,
        std::map<std::string, NodeKind*>{{"step", &kind}, {"evaluate", &kind}, {"deploy", &kind}});
  }
  /// A snapshot of this code, as a hash.
  std::string code(const std::string& text) { return render(store->put(text).value().hash); }

  PipelineRun start(const std::string& pipeline, const std::string& code_text = "one") {
    auto run = pipelines->start({kDefaultProject, pipeline, "ann", "by hand", kFile, code(code_text)});
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
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Pipelines> pipelines;
};

TEST_F(PipelinesTest, nodes_run_in_order_and_the_run_finishes) {
  const PipelineRun run = ended(start("refresh").id);
  EXPECT_EQ(run.state, PipelineRunState::finished);
  EXPECT_EQ(*kind.started.lock(), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(run.nodes[0].cache, "miss");
  EXPECT_EQ(run.nodes[0].why, "it never finished before");
}

TEST_F(PipelinesTest, the_second_run_of_the_same_does_no_work) {
  ended(start("refresh").id);
  const PipelineRun again = ended(start("refresh").id);
  EXPECT_EQ(again.state, PipelineRunState::finished);
  EXPECT_EQ(again.nodes[1].cache, "hit");
  EXPECT_EQ(kind.started.lock()->size(), 2u);
}

TEST_F(PipelinesTest, a_changed_input_is_a_miss_that_says_why) {
  ended(start("refresh", "one").id);
  const PipelineRun again = ended(start("refresh", "two").id);
  EXPECT_EQ(again.nodes[0].cache, "miss");
  EXPECT_EQ(again.nodes[0].why, "the code changed: it was \"" + code("one") + "\" and is \"" + code("two") + "\"");
}

TEST_F(PipelinesTest, a_deleted_output_is_a_miss_never_a_wrong_hit) {
  ended(start("refresh").id);
  *kind.outputs_gone.lock() = true;
  const PipelineRun again = ended(start("refresh").id);
  EXPECT_EQ(again.nodes[0].cache, "miss");
  EXPECT_NE(again.nodes[0].why.find("is gone"), std::string::npos);
}

TEST_F(PipelinesTest, a_failed_node_skips_what_needs_it_and_nothing_else) {
  const PipelineRun run = ended(start("unlucky").id);
  EXPECT_EQ(run.nodes[2].state, NodeState::finished);
  EXPECT_EQ(run.state, PipelineRunState::failed);
  EXPECT_EQ(run.nodes[0].message, "it did not work");
  EXPECT_EQ(run.nodes[1].state, NodeState::skipped);
}

TEST_F(PipelinesTest, the_loser_of_an_evaluation_is_not_deployed) {
  const PipelineRun run = ended(start("guarded").id);
  EXPECT_EQ(run.state, PipelineRunState::failed);
  EXPECT_EQ(run.nodes[1].message, "it did not work");
  EXPECT_EQ(run.nodes[2].state, NodeState::skipped);
  EXPECT_EQ(run.nodes[2].message, "it needs 'fails', which failed");
  EXPECT_EQ(*kind.started.lock(), (std::vector<std::string>{"train", "fails"}));
}

TEST_F(PipelinesTest, a_rerun_asks_every_node_anew) {
  const PipelineRun first = ended(start("refresh").id);
  const PipelineRun again = ended(pipelines->rerun({kDefaultProject, first.id, "bob"})->id);
  EXPECT_EQ(again.rerun_of, first.id);
  EXPECT_EQ(again.member, "bob");
  EXPECT_EQ(again.snapshot, first.snapshot);
  EXPECT_EQ(again.reason, "a rerun of pipeline run " + first.id.text);
  EXPECT_EQ(again.nodes[0].cache, "hit");
  EXPECT_EQ(kind.started.lock()->size(), 2u);
}

TEST_F(PipelinesTest, the_rest_of_a_run_keeps_what_finished) {
  const PipelineRun first = ended(start("unlucky").id);
  *kind.mended.lock() = true;
  kind.started.lock()->clear();
  const PipelineRun rest = ended(pipelines->rerun({kDefaultProject, first.id, "ann", true})->id);
  EXPECT_EQ(rest.state, PipelineRunState::finished);
  EXPECT_EQ(*kind.started.lock(), (std::vector<std::string>{"fails", "after"}));
  EXPECT_EQ(rest.nodes[2].cache, "kept");
  EXPECT_EQ(rest.nodes[2].why, "it finished in pipeline run " + first.id.text + ", of which this run does the rest");
  EXPECT_EQ(rest.nodes[2].result["outputs"]["model"].string(), "model:m/1");
  const auto nothing = pipelines->rerun({kDefaultProject, rest.id, "ann", true});
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().message, "every node of the pipeline run " + rest.id.text +
                                         " finished, so nothing of it is left to do; rerun it whole");
}

TEST_F(PipelinesTest, the_rest_makes_again_what_is_gone_and_what_got_other_parameters) {
  const PipelineRun first = ended(start("unlucky").id);
  kind.started.lock()->clear();
  Rerun request{kDefaultProject, first.id, "ann", true};
  request.parameters = *Json::parse(R"({"aside":{"lr":0.3}})");
  const PipelineRun rest = ended(pipelines->rerun(request)->id);
  EXPECT_EQ(rest.nodes[2].cache, "miss");
  EXPECT_EQ(rest.parameters.render(), R"({"aside":{"lr":0.3}})");
  *kind.outputs_gone.lock() = true;
  const PipelineRun gone = ended(pipelines->rerun({kDefaultProject, rest.id, "ann", true})->id);
  EXPECT_EQ(gone.nodes[2].cache, "miss");
}

TEST_F(PipelinesTest, what_still_runs_is_not_rerun) {
  *kind.hold.lock() = true;
  const PipelineRunId id = start("refresh").id;
  const auto again = pipelines->rerun({kDefaultProject, id, "ann"});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().message, "the pipeline run " + id.text +
                                       " is running; wait for its end, or stop it with `slipway pipelines stop " +
                                       id.text + "`");
  *kind.hold.lock() = false;
  ended(id);
}

TEST_F(PipelinesTest, code_that_is_not_here_is_refused_at_once) {
  const std::string absent(64, 'a');
  const auto run = pipelines->start({kDefaultProject, "refresh", "ann", "", kFile, absent});
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().message, "the snapshot " + absent + " is not on the server; upload it first");
  EXPECT_TRUE(pipelines->list(kDefaultProject, "", 10, "")->empty());
}

TEST_F(PipelinesTest, the_code_of_runs_is_kept_from_the_sweep) {
  const PipelineRun run = start("refresh");
  std::vector<std::string> named;
  ASSERT_TRUE(pipelines
                  ->visit_snapshots(
                      [&](const Hash& hash, bool is_tree) { named.push_back(render(hash) + (is_tree ? " tree" : "")); })
                  .ok());
  EXPECT_EQ(named, std::vector<std::string>{run.snapshot + " tree"});
  ended(run.id);
}

TEST_F(PipelinesTest, lists_the_runs_of_one_pipeline) {
  ended(start("refresh").id);
  ended(start("unlucky").id);
  EXPECT_EQ(pipelines->list(kDefaultProject, "", 10, "")->size(), 2u);
  const auto unlucky = pipelines->list(kDefaultProject, "unlucky", 10, "").value();
  ASSERT_EQ(unlucky.size(), 1u);
  EXPECT_EQ(unlucky[0].pipeline, "unlucky");
  EXPECT_EQ(unlucky[0].nodes[1].needs, std::vector<std::string>{"fails"});
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
