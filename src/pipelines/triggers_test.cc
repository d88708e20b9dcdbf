#include "pipelines/triggers.h"

#include "registry/fixture.h"

namespace slipway::pipelines {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class Silent : public EventSink {
 public:
  void emit(const Event&) override {}
};

/// A step that ends as it is told to, and says which run it is.
class FakeStep : public NodeKind {
 public:
  Result<Json> inputs_of(const NodeRequest&) override { return Json(); }
  Result<bool> still_exists(const ProjectId&, const Json&) override { return true; }
  Result<std::string> start(const NodeRequest& request) override {
    const std::string run = "run-of-" + request.pipeline_run.text;
    *last_run.lock() = run;
    return run;
  }
  Result<NodeProgress> poll(const NodeRequest&, const std::string&) override {
    NodeProgress progress;
    if (!*hold.lock()) progress.state = *fails.lock() ? NodeProgress::State::failed : NodeProgress::State::finished;
    if (progress.state == NodeProgress::State::failed) progress.message = "exit code 1";
    return progress;
  }
  void stop(const NodeRequest&, const std::string&) override {}

  Guarded<bool> hold{false}, fails{false};
  Guarded<std::string> last_run;
};

constexpr char kFile[] = R"(steps:
  work: {command: "true"}
pipelines:
  refresh:
    nodes: {train: {step: work}}
    triggers: [{dataset: digits@main}, {cron: "0 3 * * *"}, {finding: drift, deployment: digits}]
  other:
    nodes: {label: {step: work}}
    triggers: [{dataset: digits@main}]
  quiet:
    nodes: {train: {step: work}}
  released:
    nodes: {train: {step: work}}
    triggers: [{model: digits}]
)";

class TriggersTest : public registry::RegistryTest {
 protected:
  void SetUp() override {
    RegistryTest::SetUp();
    if (IsSkipped()) return;
    commit();
    open();
  }

  /// As after a start of the server.
  void open() {
    triggers.reset();
    definitions.reset();
    watcher.reset();
    pipelines.reset();
    pipelines = std::make_unique<Pipelines>(*database, *store, clock, silent, counters,
                                            std::map<std::string, NodeKind*>{{"step", &step}});
    watcher = std::make_unique<Watcher>(
        *database, clock, *registry,
        [this](const ProjectId&, const std::string& kind,
               const std::string& deployment) -> Result<std::vector<FindingNotice>> {
          std::vector<FindingNotice> found;
          for (const FindingNotice& finding : findings) {
            if (finding.kind == kind && (deployment.empty() || finding.deployment == deployment))
              found.insert(found.begin(), finding);
          }
          return found;
        });
    definitions = std::make_unique<Definitions>(*database, clock, silent, *pipelines, *watcher);
    triggers =
        std::make_unique<Triggers>(*database, clock, silent, counters, *pipelines, *definitions, *watcher, false);
  }

  /// On top of the branch main of digits; by the run `maker` when there is one.
  CommitId commit(const std::string& maker = "", const std::string& branch = "main") {
    clock.advance(seconds(1));
    registry::NewCommit next{
        .branch = branch, .tree = blob(render(Tree{})).hash, .message = std::to_string(++commits), .author = "ada"};
    if (const auto head = registry->datasets().get_commit(project, "digits", branch); head.ok()) next.parent = head->id;
    const CommitId id = registry->datasets().commit(project, "digits", next).value().id;
    if (!maker.empty()) {
      EXPECT_TRUE(registry->lineage().add(project, {"run", maker}, {"dataset_commit", id.text}, "output").ok());
    }
    clock.advance(kCommitSettles);
    return id;
  }
  void finding(const std::string& deployment) {
    findings.push_back(
        {new_id<FindingId>(clock), deployment, "drift", "the brightness of " + deployment + " drifted", clock.now()});
    clock.advance(seconds(1));
  }

  Result<Definition> put(const std::string& pipeline, bool enabled = true, const std::string& file = kFile) {
    clock.advance(seconds(1));
    return definitions->put({project, pipeline, "ann", file, "", "", enabled});
  }
  std::vector<PipelineRun> runs(const std::string& pipeline = "refresh") {
    return pipelines->list(project, pipeline, 100, "").value();
  }
  TriggerRow row(const std::string& pipeline, size_t index) {
    return definitions->get(project, pipeline).value().triggers.at(index);
  }

  /// Looks once, and waits for the end of what started.
  void look() {
    triggers->tick();
    settle();
  }
  void settle() {
    for (int i = 0; i < 500; ++i) {
      bool over = true;
      for (const PipelineRun& run : runs("")) over = over && is_over(run.state);
      if (over || *step.hold.lock()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "a pipeline run did not end";
  }
  void wait_for_start() {
    while (step.last_run.lock()->empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  Silent silent;
  FakeStep step;
  std::vector<FindingNotice> findings;
  int commits = 0;
  std::unique_ptr<Pipelines> pipelines;
  std::unique_ptr<Watcher> watcher;
  std::unique_ptr<Definitions> definitions;
  std::unique_ptr<Triggers> triggers;
};
SLIPWAY_ON_BOTH_DATABASES(TriggersTest);

TEST_P(TriggersTest, what_was_there_before_starts_nothing) {
  finding("digits");
  ASSERT_TRUE(put("refresh").ok());
  look();
  EXPECT_TRUE(runs().empty());
}

TEST_P(TriggersTest, a_commit_starts_one_run_that_says_why) {
  const std::string before = registry->datasets().get_commit(project, "digits", "main")->id.text;
  ASSERT_TRUE(put("refresh").ok());
  const std::string after = commit().text;
  look();
  look();
  ASSERT_EQ(runs().size(), 1u);
  const PipelineRun run = runs().front();
  EXPECT_EQ(run.reason, "started by the dataset trigger: digits@main moved from " + before + " to " + after);
  EXPECT_EQ(run.member, "ann");
  ASSERT_EQ(run.causes.size(), 1u);
  EXPECT_EQ(run.causes[0].name, "dataset digits@main");
  EXPECT_EQ(row("refresh", 0).run, run.id.text);
  EXPECT_EQ(row("refresh", 0).seen, after);
}

TEST_P(TriggersTest, a_commit_that_is_still_settling_waits_for_the_next_look) {
  ASSERT_TRUE(put("refresh").ok());
  registry::NewCommit next{.branch = "main",
                           .parent = registry->datasets().get_commit(project, "digits", "main")->id,
                           .tree = blob(render(Tree{})).hash,
                           .message = "m",
                           .author = "ada"};
  ASSERT_TRUE(registry->datasets().commit(project, "digits", next).ok());
  look();
  EXPECT_TRUE(runs().empty());
  clock.advance(kCommitSettles);
  look();
  EXPECT_EQ(runs().size(), 1u);
}

TEST_P(TriggersTest, a_time_missed_while_the_server_was_down_starts_one_run) {
  ASSERT_TRUE(put("refresh").ok());
  clock.advance(minutes(60 * 24 * 4));
  open();
  look();
  look();
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_NE(runs().front().reason.find("by the cron trigger: it was "), std::string::npos) << runs().front().reason;
  EXPECT_NE(runs().front().reason.find("earlier times had passed"), std::string::npos) << runs().front().reason;
}

TEST_P(TriggersTest, a_new_finding_of_that_deployment_starts_a_run) {
  ASSERT_TRUE(put("refresh").ok());
  finding("letters");
  look();
  EXPECT_TRUE(runs().empty());
  finding("digits");
  look();
  look();
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_EQ(runs().front().reason, "started by the finding trigger: the brightness of digits drifted");
}

TEST_P(TriggersTest, a_new_version_starts_a_run) {
  ASSERT_TRUE(registry->models().create(project, "digits", "", {}).ok());
  ASSERT_TRUE(put("released").ok());
  ASSERT_TRUE(registry->models().create_version(project, "digits", {}).ok());
  look();
  ASSERT_EQ(runs("released").size(), 1u);
  EXPECT_EQ(runs("released").front().reason, "started by the model trigger: digits has version 1");
}

TEST_P(TriggersTest, several_that_are_due_start_one_run_together) {
  ASSERT_TRUE(put("refresh").ok());
  commit();
  finding("digits");
  look();
  look();
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_EQ(runs().front().causes.size(), 2u);
  EXPECT_NE(runs().front().reason.find("; and by the finding trigger: the brightness"), std::string::npos)
      << runs().front().reason;
}

TEST_P(TriggersTest, while_a_run_is_in_flight_changes_wait_and_then_start_one) {
  ASSERT_TRUE(put("refresh").ok());
  *step.hold.lock() = true;
  commit();
  triggers->tick();
  wait_for_start();
  commit();
  commit();
  triggers->tick();
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_EQ(row("refresh", 0).state, TriggerState::waiting);
  EXPECT_NE(row("refresh", 0).message.find("waits for the end of pipeline run " + runs().front().id.text),
            std::string::npos)
      << row("refresh", 0).message;
  *step.hold.lock() = false;
  settle();
  look();
  look();
  ASSERT_EQ(runs().size(), 2u);
  EXPECT_NE(runs().front().reason.find("(2 changes)"), std::string::npos) << runs().front().reason;
  EXPECT_EQ(row("refresh", 0).state, TriggerState::armed);
}

TEST_P(TriggersTest, its_own_commit_starts_nothing) {
  ASSERT_TRUE(put("refresh").ok());
  commit();
  look();
  const CommitId own = commit(*step.last_run.lock());
  look();
  EXPECT_EQ(runs().size(), 1u);
  EXPECT_EQ(row("refresh", 0).seen, own.text);
  EXPECT_EQ(row("refresh", 0).message, "passed over " + own.text + ", which the pipeline made itself or set off");
  commit();
  look();
  EXPECT_EQ(runs().size(), 2u) << "a person's commit on top of it counts";
}

TEST_P(TriggersTest, a_branch_that_a_person_moves_to_its_commit_counts) {
  ASSERT_TRUE(put("refresh").ok());
  commit();
  look();
  const CommitId own = commit(*step.last_run.lock(), "candidate");
  clock.advance(seconds(5));
  ASSERT_TRUE(
      registry->datasets().set_branch(project, "digits", "main", own, std::nullopt, "ada", "looked at it").ok());
  clock.advance(kCommitSettles);
  look();
  EXPECT_EQ(runs().size(), 2u);
}

TEST_P(TriggersTest, two_pipelines_do_not_set_each_other_off_for_ever) {
  ASSERT_TRUE(put("refresh").ok());
  commit();
  look();
  ASSERT_TRUE(put("other").ok());
  commit(*step.last_run.lock());  // of refresh: sets off `other`
  look();
  ASSERT_EQ(runs("other").size(), 1u);
  EXPECT_EQ(runs("other").front().ancestors, std::vector<std::string>{"refresh"});
  commit(*step.last_run.lock());  // of `other`, which `refresh` had set off
  look();
  look();
  EXPECT_EQ(runs("refresh").size(), 1u);
  EXPECT_EQ(runs("other").size(), 1u);
}

TEST_P(TriggersTest, a_trigger_whose_runs_keep_failing_pauses_until_it_is_enabled_again) {
  ASSERT_TRUE(put("refresh").ok());
  *step.fails.lock() = true;
  for (int i = 0; i < 5; ++i) {
    commit();
    look();
  }
  EXPECT_EQ(runs().size(), static_cast<size_t>(kTriggerFailuresMax));
  EXPECT_EQ(row("refresh", 0).state, TriggerState::paused);
  EXPECT_EQ(row("refresh", 0).failures, kTriggerFailuresMax);
  EXPECT_EQ(
      row("refresh", 0).message,
      "paused, because the last 3 runs that it started failed (train: exit code 1); `slipway pipelines enable` arms it again");
  EXPECT_EQ(row("refresh", 1).state, TriggerState::armed) << "the clock's trigger is another one";
  *step.fails.lock() = false;
  ASSERT_TRUE(put("refresh").ok());
  look();
  EXPECT_EQ(runs().size(), static_cast<size_t>(kTriggerFailuresMax) + 1) << "what came while it was paused is not lost";
  EXPECT_EQ(row("refresh", 0).state, TriggerState::armed);
}

TEST_P(TriggersTest, one_success_forgets_the_failures) {
  ASSERT_TRUE(put("refresh").ok());
  for (const bool fails : {true, true, false, true, true}) {
    *step.fails.lock() = fails;
    commit();
    look();
  }
  look();
  EXPECT_EQ(runs().size(), 5u);
  EXPECT_EQ(row("refresh", 0).failures, 2);
  EXPECT_EQ(row("refresh", 0).state, TriggerState::armed);
}

TEST_P(TriggersTest, a_disabled_pipeline_waits_for_a_person_and_forgets_what_it_missed) {
  ASSERT_TRUE(put("refresh").ok());
  ASSERT_TRUE(definitions->set_enabled(project, "refresh", false).ok());
  commit();
  look();
  EXPECT_TRUE(runs().empty());
  ASSERT_TRUE(definitions->start(project, "refresh", "bob", "started by hand", Json(Json::Object{})).ok());
  settle();
  ASSERT_TRUE(definitions->set_enabled(project, "refresh", true).ok());
  look();
  EXPECT_EQ(runs().size(), 1u);
}

TEST_P(TriggersTest, a_new_version_of_the_file_keeps_the_place_of_its_triggers) {
  ASSERT_TRUE(put("refresh").ok());
  commit();
  ASSERT_TRUE(put("refresh", true, std::string(kFile) + "  more: {nodes: {train: {step: work}}}\n").ok());
  look();
  EXPECT_EQ(runs().size(), 1u);
}

TEST_P(TriggersTest, two_servers_start_one_run) {
  ASSERT_TRUE(put("refresh").ok());
  commit();
  Triggers second(*database, clock, silent, counters, *pipelines, *definitions, *watcher, false);
  *step.hold.lock() = true;
  Thread other("other", [&] { second.tick(); });
  triggers->tick();
  other.join();
  EXPECT_EQ(runs().size(), 1u);
  *step.hold.lock() = false;
  settle();
}

TEST_P(TriggersTest, what_goes_away_is_said_and_comes_back) {
  ASSERT_TRUE(put("refresh").ok());
  ASSERT_TRUE(registry->datasets().remove(project, "digits").ok());
  look();
  EXPECT_EQ(row("refresh", 0).state, TriggerState::broken);
  EXPECT_EQ(row("refresh", 0).message,
            "there is no dataset 'digits' in the project default; `slipway data list` shows what there is");
  commit();
  look();
  EXPECT_EQ(row("refresh", 0).state, TriggerState::armed);
  EXPECT_EQ(runs().size(), 1u);
}

TEST_P(TriggersTest, what_cannot_start_says_so_and_stays_due) {
  const Hash code = blob("code").hash;
  ASSERT_TRUE(definitions->put({project, "refresh", "ann", kFile, render(code), "", true}).ok());
  commit();
  clock.advance(minutes(60 * 48));
  ASSERT_TRUE(store->sweep([&](const Hash& hash) -> Result<bool> { return hash != code; }, false).ok());
  look();
  EXPECT_TRUE(runs().empty());
  EXPECT_EQ(row("refresh", 0).state, TriggerState::broken);
  EXPECT_NE(row("refresh", 0).message.find("could not start the pipeline (digits@main moved from "), std::string::npos)
      << row("refresh", 0).message;
  EXPECT_NE(row("refresh", 0).message.find("the snapshot " + render(code) + " is not on the server"), std::string::npos)
      << row("refresh", 0).message;
  blob("code");
  look();
  EXPECT_EQ(runs().size(), 1u);
  EXPECT_EQ(row("refresh", 0).state, TriggerState::armed);
}

TEST_P(TriggersTest, what_cannot_be_enabled_is_said) {
  std::string nowhere = kFile;
  nowhere.replace(nowhere.find("digits@main"), 11, "digit@main");
  EXPECT_EQ(
      put("refresh", true, nowhere).error().message,
      "the trigger 'dataset digit@main' of the pipeline 'refresh' has nothing to watch: there is no dataset 'digit' in the project default; `slipway data list` shows what there is");
  EXPECT_EQ(
      put("quiet").error().message,
      "the pipeline 'quiet' has no triggers: in slipway.yaml, say what starts it, such as triggers: [{dataset: scenes@main}]");
  EXPECT_TRUE(put("quiet", false).ok());
  EXPECT_EQ(put("refrehs").error().message, "slipway.yaml has no pipeline 'refrehs'; did you mean 'refresh'?");
  std::string twice = kFile;
  twice.replace(twice.find("{cron: \"0 3 * * *\"}"), 19, "{dataset: digits@main}");
  EXPECT_EQ(put("refresh", true, twice).error().message,
            "the pipeline 'refresh' has the trigger 'dataset digits@main' twice");
  EXPECT_EQ(
      definitions->set_enabled(project, "refresh", true).error().message,
      "the server has no stored pipeline 'refresh' in the project default; `slipway pipelines enable refresh` in a working copy stores it");
  EXPECT_TRUE(definitions->enabled()->empty());
}

}  // namespace
}  // namespace slipway::pipelines
