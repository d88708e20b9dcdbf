#include "runs/runs.h"

#include <gtest/gtest.h>

#include "base/base.h"
#include "runs/loop.h"

namespace slipway::runs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class FakeExecutor : public Executor {
 public:
  std::string node() const override { return "n1"; }
  Capacity capacity() const override { return {2, 4ull << 30, 0}; }
  Result<StartedRunner> start(const Ticket& ticket) override {
    if (refuses) return Error{ErrorCode::internal, "no more processes"};
    tickets.push_back(ticket);
    const StartedRunner runner{static_cast<std::int64_t>(tickets.size()), 7};
    alive.insert(runner.pid);
    return runner;
  }
  bool is_alive(const StartedRunner& runner) override { return alive.contains(runner.pid) && runner.start_ticks == 7; }
  std::optional<StartedRunner> find(const AttemptId& attempt) override {
    for (size_t i = 0; i < tickets.size(); ++i) {
      const StartedRunner runner{static_cast<std::int64_t>(i + 1), 7};
      if (tickets[i].attempt == attempt && is_alive(runner)) return runner;
    }
    return std::nullopt;
  }
  void kill(const StartedRunner& runner, const AttemptId&) override {
    alive.erase(runner.pid);
    killed.insert(runner.pid);
  }

  std::vector<Ticket> tickets;
  std::set<std::int64_t> alive, killed;
  bool refuses = false;
};

class FakeTokens : public TokenIssuer {
 public:
  Result<std::string> issue_run_token(const RunId& run, const MemberId&, Duration) override {
    return "token-" + run.text;
  }
  Result<void> revoke_run_tokens(const RunId& run) override {
    revoked.insert(run);
    return {};
  }
  std::set<RunId> revoked;
};

class RunsTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  /// As after a start of the server: everything but the database, the store and the node is new.
  void open() {
    loop_.reset();
    runs_.reset();
    registry_.reset();
    tracking_.reset();
    store_.reset();
    database_.reset();
    counters_ = std::make_unique<Counters>();
    auto database =
        catalog::Database::open({.url = "sqlite:" + (folder_.path() / "t.db").string()}, catalog::schema(), *counters_);
    ASSERT_TRUE(database.ok()) << database.error().message;
    database_ = std::move(*database);
    store::StoreOptions store_options;
    store_options.folder = folder_.path() / "store";
    store_ = *store::Store::open(store_options, clock_, *counters_);
    tracking_ = std::make_unique<tracking::Tracking>(*database_, clock_, *counters_, nullptr,
                                                     tracking::SorterOptions{.background = false});
    registry_ = std::make_unique<registry::Registry>(*database_, *store_, clock_);
    runs_ = std::make_unique<Runs>(*database_, *store_, *tracking_, *registry_, clock_, nullptr);
    loop_ = std::make_unique<Loop>(*runs_, executor_, tokens_, clock_, *counters_,
                                   LoopOptions{.server_url = "http://127.0.0.1:1"});
  }

  NewExecution request(std::string command = "true") {
    NewExecution request;
    request.project = kDefaultProject;
    request.member_name = "ann";
    request.spec.step = "train";
    request.spec.command = std::move(command);
    return request;
  }
  RunId submit(const NewExecution& wanted) {
    const auto run = runs_->submit(wanted);
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().message);
    return run.ok() ? *run : RunId();
  }
  RunState state(const RunId& run) { return runs_->get(kDefaultProject, run)->state; }
  RunState tracked(const RunId& run) { return tracking_->runs().get(kDefaultProject, run)->state; }
  Attempt last_attempt(const RunId& run) { return runs_->attempts(kDefaultProject, run)->back(); }
  std::string log(const RunId& run) { return runs_->log().read(run, 0, 1 << 20)->bytes; }
  void beat(const RunId& run) { EXPECT_TRUE(runs_->heartbeat(last_attempt(run).id, {"running", 5, 1, 2}).ok()); }
  void end(const RunId& run, AttemptResult result = {}) { EXPECT_TRUE(runs_->end(last_attempt(run).id, result).ok()); }
  RunId running(const NewExecution& wanted) {
    const RunId run = submit(wanted);
    loop_->step();
    EXPECT_EQ(state(run), RunState::running);
    beat(run);
    return run;
  }

  TemporaryDirectory folder_;
  FakeClock clock_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<Runs> runs_;
  FakeExecutor executor_;
  FakeTokens tokens_;
  std::unique_ptr<Loop> loop_;
};

TEST_F(RunsTest, a_submitted_run_is_queued_and_recorded_in_tracking) {
  NewExecution wanted = request("train {lr}");
  wanted.spec.parameters = {{"lr", 0.5}, {"name", "x"}};
  const auto manifest = store_->put(R"({"version":1,"commit":"abc","branch":"main","dirty":true})");
  wanted.manifest = render(manifest->hash);
  const RunId run = submit(wanted);
  EXPECT_EQ(state(run), RunState::queued);
  const auto row = tracking_->runs().get(kDefaultProject, run);
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->state, RunState::queued);
  EXPECT_EQ(row->params, (tracking::KeyValues{{"lr", "0.5"}, {"name", "x"}}));
  EXPECT_EQ(row->source_kind, tracking::SourceKind::step);
  const auto source = Json::parse(row->source);
  EXPECT_EQ((*source)["commit"].string(), "abc");
  EXPECT_EQ((*source)["dirty"].boolean(), true);
  EXPECT_EQ(row->experiment_name, "train");
}

TEST_F(RunsTest, the_same_key_is_the_same_run) {
  NewExecution wanted = request();
  wanted.request_key = "once";
  const RunId first = submit(wanted);
  EXPECT_EQ(submit(wanted), first);
  wanted.request_key = "twice";
  EXPECT_NE(submit(wanted), first);
}

TEST_F(RunsTest, a_snapshots_manifest_is_found_by_its_tree) {
  const auto tree = store_->put(render(Tree{}));
  const auto manifest = store_->put(R"({"version":1,"commit":"abc","branch":"main","dirty":false})");
  ASSERT_TRUE(runs_->tell_manifest(tree->hash, manifest->hash).ok());
  EXPECT_FALSE(runs_->tell_manifest(tree->hash, hash_of("nowhere")).ok());
  NewExecution wanted = request();
  wanted.spec.snapshot = render(tree->hash);
  const RunId run = submit(wanted);
  EXPECT_EQ(runs_->get(kDefaultProject, run)->manifest, render(manifest->hash));
}

TEST_F(RunsTest, what_a_run_names_must_exist) {
  NewExecution wanted = request();
  wanted.spec.snapshot = std::string(64, 'a');
  EXPECT_EQ(runs_->submit(wanted).error().code, ErrorCode::failed_precondition);
  wanted = request();
  wanted.spec.inputs = {{"digits", *parse_reference("dataset:digits@main")}};
  const auto refused = runs_->submit(wanted);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_NE(refused.error().message.find("needed as the input 'digits' (dataset:digits@main)"), std::string::npos)
      << refused.error().message;
}

TEST_F(RunsTest, runs_from_the_queue_to_its_end) {
  const RunId run = submit(request());
  loop_->step();
  ASSERT_EQ(executor_.tickets.size(), 1u);
  EXPECT_EQ(executor_.tickets[0].run, run);
  EXPECT_EQ(executor_.tickets[0].token, "token-" + run.text);
  EXPECT_EQ(tracked(run), RunState::running);
  const AttemptId attempt = last_attempt(run).id;
  EXPECT_EQ(runs_->plan(attempt)->spec.command, "true");
  beat(run);
  EXPECT_EQ(last_attempt(run).state, AttemptState::running);
  EXPECT_TRUE(runs_->record(attempt, Json(Json::Object{{"machine", Json(Json::Object{{"host", "h"}})}})).ok());
  EXPECT_EQ((*runs_->document(kDefaultProject, run, "machine"))["host"].string(), "h");
  EXPECT_FALSE(runs_->record(attempt, Json(Json::Object{{"weather", 1}})).ok());
  end(run);
  EXPECT_EQ(state(run), RunState::finished);
  EXPECT_EQ(tracked(run), RunState::finished);
  EXPECT_TRUE(tracking_->runs().get(kDefaultProject, run)->ended_at.has_value());
  EXPECT_TRUE(runs_->get(kDefaultProject, run)->is_told);
  loop_->step();
  EXPECT_TRUE(tokens_.revoked.contains(run));
  EXPECT_TRUE(runs_->end(attempt, {}).ok()) << "a runner that did not hear our answer says it again";
  EXPECT_EQ(runs_->heartbeat(attempt, {}).error().code, ErrorCode::failed_precondition);
}

TEST_F(RunsTest, several_runs_queue_for_the_cores_of_the_node) {
  std::vector<RunId> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(submit(request()));
    clock_.advance(seconds(1));
  }
  loop_->step();
  EXPECT_EQ(executor_.tickets.size(), 2u);
  EXPECT_EQ(state(all[2]), RunState::queued);
  for (const RunId& run : {all[0], all[1]}) beat(run);
  end(all[0]);
  loop_->step();
  EXPECT_EQ(state(all[2]), RunState::running);
}

TEST_F(RunsTest, what_the_node_can_never_hold_fails_with_the_reason) {
  NewExecution wanted = request();
  wanted.spec.resources.memory_bytes = 1ull << 40;
  const RunId run = submit(wanted);
  loop_->step();
  EXPECT_EQ(tracked(run), RunState::failed);
  EXPECT_NE(log(run).find("asks for 1 TiB of memory"), std::string::npos) << log(run);
}

TEST_F(RunsTest, the_log_takes_each_byte_once_whatever_is_sent_again) {
  const RunId run = running(request());
  const AttemptId attempt = last_attempt(run).id;
  EXPECT_EQ(*runs_->append_log(attempt, 0, "hello "), 6u);
  EXPECT_EQ(*runs_->append_log(attempt, 0, "hello "), 6u) << "again";
  EXPECT_EQ(*runs_->append_log(attempt, 3, "lo world"), 11u) << "overlapping";
  EXPECT_EQ(*runs_->append_log(attempt, 50, "gap"), 11u) << "a gap is not filled with anything";
  EXPECT_EQ(log(run), "hello world");
  const std::string binary("\0\xff\xfe\n", 4);
  EXPECT_EQ(*runs_->append_log(attempt, 11, binary), 15u);
  EXPECT_EQ(log(run), "hello world" + binary);
}

TEST_F(RunsTest, a_long_log_is_read_from_any_offset) {
  const RunId run = running(request());
  const AttemptId attempt = last_attempt(run).id;
  std::string all;
  for (int i = 0; all.size() < 300'000; ++i) {
    const std::string line = "line " + std::to_string(i) + std::string(static_cast<size_t>(i * 37 % 3000), 'x') + "\n";
    ASSERT_EQ(*runs_->append_log(attempt, all.size(), line), all.size() + line.size());
    all += line;
  }
  for (std::uint64_t offset : {0ull, 1ull, 32'767ull, 32'768ull, 100'000ull, 299'999ull}) {
    const auto piece = runs_->log().read(run, static_cast<std::int64_t>(offset), 70'000);
    ASSERT_TRUE(piece.ok());
    EXPECT_EQ(piece->bytes, all.substr(offset, 70'000)) << offset;
    EXPECT_EQ(piece->next_offset, offset + piece->bytes.size());
    EXPECT_EQ(piece->size, all.size());
  }
  EXPECT_EQ(runs_->log().read(run, -10, 1000)->bytes, all.substr(all.size() - 10));
  EXPECT_EQ(runs_->log().read(run, 10'000'000, 1000)->bytes, "");
  EXPECT_EQ(*runs_->log().size(run), all.size());
}

TEST_F(RunsTest, a_failed_command_fails_the_run) {
  const RunId run = running(request());
  end(run, {AttemptEnd::exited, 3, 0, "the command ended with exit code 3"});
  EXPECT_EQ(tracked(run), RunState::failed);
  EXPECT_EQ(last_attempt(run).result->exit_code, 3);
  EXPECT_EQ(runs_->get(kDefaultProject, run)->message, "the command ended with exit code 3");
}

TEST_F(RunsTest, a_run_survives_a_restart_of_the_server) {
  const RunId run = running(request());
  clock_.advance(minutes(30));  // the server was away
  open();
  loop_->step();
  EXPECT_EQ(state(run), RunState::running) << "its process lives, and our absence is not its silence";
  EXPECT_EQ(executor_.tickets.size(), 1u) << "it is not started twice";
  end(run);
  EXPECT_EQ(tracked(run), RunState::finished);
}

TEST_F(RunsTest, what_a_killed_server_had_claimed_and_not_started_is_started_by_the_next) {
  const RunId run = submit(request());
  ASSERT_TRUE(runs_->claim(run, executor_.node()).ok());
  open();
  loop_->step();
  EXPECT_TRUE(executor_.tickets.empty()) << "another server may be about to";
  clock_.advance(kStartPatience);
  loop_->step();
  ASSERT_EQ(executor_.tickets.size(), 1u);
  EXPECT_EQ(executor_.tickets[0].attempt, last_attempt(run).id);
  EXPECT_EQ(last_attempt(run).number, 1) << "no try of the run is spent on it";
  loop_->step();
  EXPECT_EQ(executor_.tickets.size(), 1u);
  beat(run);
  end(run);
  EXPECT_EQ(tracked(run), RunState::finished);
}

TEST_F(RunsTest, what_a_killed_server_had_started_and_not_written_down_is_found) {
  const RunId run = submit(request());
  const auto attempt = runs_->claim(run, executor_.node());
  Ticket ticket;
  ticket.run = run;
  ticket.attempt = (*attempt)->id;
  ASSERT_TRUE(executor_.start(ticket).ok());
  open();
  beat(run);
  clock_.advance(kStartPatience);
  loop_->step();
  EXPECT_EQ(executor_.tickets.size(), 1u);
  EXPECT_EQ(last_attempt(run).pid, 1);
}

TEST_F(RunsTest, what_was_claimed_and_stopped_is_not_started) {
  const RunId run = submit(request());
  ASSERT_TRUE(runs_->claim(run, executor_.node()).ok());
  ASSERT_TRUE(runs_->stop(kDefaultProject, run, std::nullopt).ok());
  open();
  clock_.advance(kStartPatience);
  loop_->step();
  EXPECT_TRUE(executor_.tickets.empty());
  EXPECT_EQ(tracked(run), RunState::killed);
}

TEST_F(RunsTest, a_run_whose_process_went_away_is_lost) {
  const RunId run = running(request());
  executor_.alive.clear();
  loop_->step();
  EXPECT_EQ(state(run), RunState::running) << "its end may be on the way";
  clock_.advance(seconds(6));
  loop_->step();
  EXPECT_EQ(tracked(run), RunState::failed);
  EXPECT_EQ(last_attempt(run).result->end, AttemptEnd::lost);
  EXPECT_NE(log(run).find("the attempt was lost"), std::string::npos);
}

TEST_F(RunsTest, a_lost_run_is_tried_again_as_declared_and_its_log_goes_on) {
  NewExecution wanted = request();
  wanted.spec.retry = {2, {"node_lost"}};
  const RunId run = running(wanted);
  EXPECT_TRUE(runs_->append_log(last_attempt(run).id, 0, "first\n").ok());
  executor_.alive.clear();
  clock_.advance(seconds(6));
  loop_->step();
  EXPECT_EQ(tracked(run), RunState::queued);
  clock_.advance(seconds(2));
  loop_->step();
  EXPECT_EQ(tracked(run), RunState::running);
  EXPECT_EQ(last_attempt(run).number, 2);
  EXPECT_TRUE(runs_->append_log(last_attempt(run).id, 0, "second\n").ok());
  EXPECT_TRUE(log(run).starts_with("first\nslipway: attempt 1 of 2 ended"));
  EXPECT_TRUE(log(run).ends_with("\nsecond\n"));
  end(run);
  EXPECT_EQ(tracked(run), RunState::finished);
}

TEST_F(RunsTest, a_queued_run_is_stopped_at_once_and_a_running_one_is_asked) {
  const RunId first = running(request()), second = submit(request());
  EXPECT_TRUE(runs_->stop(kDefaultProject, second, std::nullopt).ok());
  EXPECT_EQ(tracked(second), RunState::killed);
  EXPECT_EQ(runs_->stop(kDefaultProject, second, std::nullopt).error().code, ErrorCode::failed_precondition);
  EXPECT_TRUE(runs_->stop(kDefaultProject, first, seconds(3)).ok());
  EXPECT_EQ(tracked(first), RunState::stopping);
  const auto answer = runs_->heartbeat(last_attempt(first).id, {"running", 5, 1, 2});
  EXPECT_TRUE(answer->stop);
  EXPECT_EQ(answer->grace, seconds(3));
  end(first, {AttemptEnd::stopped, 0, 15, "stopped on request"});
  EXPECT_EQ(tracked(first), RunState::killed);
}

TEST_F(RunsTest, one_that_will_not_stop_is_killed) {
  const RunId run = running(request());
  EXPECT_TRUE(runs_->stop(kDefaultProject, run, seconds(3)).ok());
  clock_.advance(seconds(70));
  beat(run);
  loop_->step();
  EXPECT_TRUE(executor_.killed.contains(1));
  EXPECT_EQ(tracked(run), RunState::killed);
}

TEST_F(RunsTest, a_runner_that_cannot_be_started_fails_the_run) {
  executor_.refuses = true;
  const RunId run = submit(request());
  loop_->step();
  EXPECT_EQ(tracked(run), RunState::failed);
  EXPECT_NE(runs_->get(kDefaultProject, run)->message.find("no more processes"), std::string::npos);
}

TEST_F(RunsTest, a_rerun_does_the_same_with_other_parameters) {
  NewExecution wanted = request("train {lr}");
  wanted.spec.parameters = {{"lr", 0.5}, {"epochs", std::int64_t{2}}};
  const RunId run = submit(wanted);
  const auto again = runs_->rerun(kDefaultProject, run, {{"lr", "0.25"}}, MemberId(), "bob");
  ASSERT_TRUE(again.ok()) << again.error().message;
  const Execution execution = *runs_->get(kDefaultProject, *again);
  EXPECT_EQ(find(execution.spec.parameters, "lr")->number(), 0.25);
  EXPECT_EQ(find(execution.spec.parameters, "epochs")->integer(), 2);
  EXPECT_FALSE(runs_->rerun(kDefaultProject, run, {{"lrr", 1}}, MemberId(), "bob").ok());
  EXPECT_FALSE(runs_->rerun(kDefaultProject, run, {{"epochs", "many"}}, MemberId(), "bob").ok());
}

TEST_F(RunsTest, outputs_become_artifacts_and_model_versions_once) {
  NewExecution wanted = request("train");
  wanted.spec.outputs = {{"model", {"out/m.onnx", "digits", "", "", false}}, {"plots", {}}};
  const RunId run = running(wanted);
  const AttemptId attempt = last_attempt(run).id;
  const auto model = store_->put("weights"), plot = store_->put("png");
  const Tree tree{{{"x/a.png", plot->hash, 3, TreeEntryKind::file}}};
  const auto plots = store_->put(render(tree));
  for (int i = 0; i < 2; ++i) {
    const auto told = runs_->report_output(attempt, {"model", "out/m.onnx", model->hash, false, 7});
    ASSERT_TRUE(told.ok()) << told.error().message;
  }
  ASSERT_TRUE(runs_->report_output(attempt, {"plots", "plots", plots->hash, true, 3}).ok());
  EXPECT_FALSE(runs_->report_output(attempt, {"other", "x", model->hash, false, 7}).ok());
  const auto outputs = *runs_->outputs(kDefaultProject, run);
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0].version, 1);
  EXPECT_EQ(registry_->models().get(kDefaultProject, "digits")->version_count, 1);
  EXPECT_EQ(registry_->models().files(kDefaultProject, "digits", 1)->at(0).path, "m.onnx");
  const registry::Owner owner{kDefaultProject, registry::OwnerKind::run, run.text};
  EXPECT_EQ(registry_->artifacts().all(owner)->size(), 2u);

  // And they are inputs of the next run.
  NewExecution next = request("cat {inputs.plots} {inputs.model} {inputs.file}");
  next.spec.inputs = {{"plots", *parse_reference("run:" + run.text + "/plots")},
                      {"model", *parse_reference("model:digits/1")},
                      {"file", *parse_reference("run:" + run.text + "/out/m.onnx")}};
  const Execution execution = *runs_->get(kDefaultProject, submit(next));
  EXPECT_EQ(find(execution.inputs, "plots")->hash, plots->hash);
  EXPECT_TRUE(find(execution.inputs, "model")->is_tree);
  EXPECT_FALSE(find(execution.inputs, "file")->is_tree);
  EXPECT_EQ(find(execution.inputs, "file")->hash, model->hash);
}

TEST_F(RunsTest, a_folder_output_becomes_a_commit) {
  NewExecution wanted = request("make");
  wanted.spec.outputs = {{"data", {"d", "", "made", "", false}}};
  const RunId run = running(wanted);
  const auto file = store_->put("x");
  const auto tree = store_->put(render(Tree{{{"a.txt", file->hash, 1, TreeEntryKind::file}}}));
  const auto told = runs_->report_output(last_attempt(run).id, {"data", "d", tree->hash, true, 1});
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_EQ(registry_->datasets().get_commit(kDefaultProject, "made", "main")->id.text,
            runs_->outputs(kDefaultProject, run)->at(0).commit);
}

TEST_F(RunsTest, its_snapshot_is_not_swept) {
  const auto file = store_->put("code");
  const auto tree = store_->put(render(Tree{{{"a.py", file->hash, 4, TreeEntryKind::file}}}));
  NewExecution wanted = request();
  wanted.spec.snapshot = render(tree->hash);
  submit(wanted);
  registry_->references().add_source(
      [&](const registry::ReferenceVisitor& visit) { return runs_->visit_references(visit); });
  clock_.advance(std::chrono::hours(48));
  ASSERT_TRUE(registry_->references().sweep(false).ok());
  EXPECT_TRUE(*store_->contains(tree->hash));
  EXPECT_TRUE(*store_->contains(file->hash));
}

TEST_F(RunsTest, what_a_client_says_of_the_state_is_not_obeyed) {
  const RunId run = running(request());
  tracking::RunUpdate update;
  update.state = RunState::finished;
  update.by_client = true;
  EXPECT_TRUE(tracking_->runs().update(kDefaultProject, run, update).ok());
  EXPECT_EQ(tracked(run), RunState::running);
}

}  // namespace
}  // namespace slipway::runs
