#include "retention/projects.h"

#include <algorithm>
#include <set>

#include "retention/fixture.h"
#include "tracking/erasure.h"

namespace slipway::retention {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

class ProjectsTest : public RetentionTest {
 protected:
  void SetUp() override {
    RetentionTest::SetUp();
    if (IsSkipped()) return;
    write("INSERT INTO projects (id, name, created_at) VALUES (?, 'lab', 0)", {lab_.text});
    experiment_ = tracking_->experiments().create(lab_, "train", "", {})->id;
  }
  void write(const std::string& sql, const catalog::Values& values) {
    ASSERT_TRUE(in_one([&](Connection& c) -> Result<void> {
                  TRY(c.run(sql, values));
                  return {};
                }).ok());
  }
  Result<void> in_one(catalog::Write body) { return database_->write(Durability::record, std::move(body)); }
  Result<void> move() {
    return in_one([this](Connection& c) { return move_project(c, lab_, kDefaultProject); });
  }
  Result<void> begin() {
    return in_one([this](Connection& c) { return begin_project_erasure(c, lab_, clock_.now()); });
  }
  tracking::Run create_in_lab(const std::string& name) {
    return tracking_->runs()
        .create({.project = lab_,
                 .experiment = experiment_,
                 .name = name,
                 .state = RunState::finished,
                 .params = {{"lr", "0.1"}},
                 .tags = {{"team", "vision"}}})
        .value();
  }
  void log_in(const ProjectId& project, const RunId& run, const std::string& key, std::int64_t step, double value) {
    tracking::LogRequest request{project, run, {}, {}, {}, {}, {}};
    {
      const auto lookup = tracking_->log().names().lookup(project);
      tracking::MetricLog::add_point(request, lookup, key, step, step, value);
    }
    std::promise<Result<void>> promise;
    tracking_->log().log(std::move(request), [&](Result<void> result) { promise.set_value(std::move(result)); });
    ASSERT_TRUE(promise.get_future().get().ok());
  }
  /// Everything that a project can hold for which there is a room below this one.
  tracking::Run fill_lab() {
    const auto run = create_in_lab("first");
    for (int step = 0; step < 10; ++step) log_in(lab_, run.id, "loss", step, step);
    sort();
    log_in(lab_, run.id, "loss", 10, 10);  // still in the log of batches
    put({lab_, registry::OwnerKind::run, run.id.text}, "net.onnx", "weights of the lab");
    EXPECT_TRUE(registry_->models().create(lab_, "digits", "", {{"k", "v"}}).ok());
    registry::NewVersion version;
    version.source = "runs:/" + run.id.text + "/net.onnx";
    version.run = run.id;
    EXPECT_TRUE(registry_->models().create_version(lab_, "digits", version).ok());
    EXPECT_TRUE(registry_->models().set_alias(lab_, "digits", "production", 1, "ada", "").ok());
    write(
        "INSERT INTO reports (id, project_id, title, revision, author, editor, created_at, updated_at) VALUES ('r', ?, 't', 1, "
        "'a', 'a', 0, 0)",
        {lab_.text});
    write(
        "INSERT INTO report_revisions (report_id, number, title, text, bytes, member, created_at) VALUES ('r', 1, 't', '', 0, "
        "'a', 0)",
        {});
    write(
        "INSERT INTO pipeline_runs (id, project_id, pipeline, state, member, file, parameters, created_at) VALUES ('p', ?, 'x', "
        "'finished', 'a', '', '{}', 0)",
        {lab_.text});
    write(
        "INSERT INTO pipeline_nodes (pipeline_run_id, name, position, kind, state, result) VALUES ('p', 'n', 0, 'step', "
        "'finished', '{}')",
        {});
    write(
        "INSERT INTO views (id, project_id, page, name, query, member, created_at, updated_at) VALUES ('v', ?, 'runs', 'mine', "
        "'', 'a', 0, 0)",
        {lab_.text});
    return run;
  }
  Names tables(const char* sqlite, const char* postgres) {
    return database_
        ->read_value([&](Connection& c) {
          return c.rows(c.is_postgres() ? postgres : sqlite, {},
                        [](const Row& row) { return std::string(row.text(0)); });
        })
        .value();
  }
  /// Tables that still have something of the lab.
  Names left() {
    Names out;
    for (
        const std::string& table : tables(
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'project_id' WHERE m.type = "
            "'table' ORDER BY m.name",
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'project_id' AND table_schema = "
            "current_schema() ORDER BY table_name")) {
      if (count(fmt::format("SELECT COUNT(*) FROM {} WHERE project_id = ?", table), {lab_.text}) > 0)
        out.push_back(table);
    }
    return out;
  }
  std::vector<double> history(const ProjectId& project, const RunId& run, const std::string& key) {
    std::vector<double> values;
    const auto found = tracking_->metrics().history(project, run, key);
    for (const auto& point : found.value()) values.push_back(point.value);
    return values;
  }

  const ProjectId lab_{"01LAB"};
  ExperimentId experiment_;
};
SLIPWAY_ON_BOTH_DATABASES(ProjectsTest);

TEST_P(ProjectsTest, a_project_is_erased_with_all_it_held_and_nothing_else) {
  const auto run = fill_lab();
  const auto other = create("other");
  log(other.id, "loss", 1, 0.5);
  put(owner_of(other.id), "own.txt", "stays");
  ASSERT_TRUE(begin().ok());
  ASSERT_TRUE(collector_->finish().ok());
  EXPECT_EQ(left(), Names{});
  EXPECT_EQ(left_of(run), Names{});
  for (const char* table : {"model_versions", "model_tags", "model_aliases", "model_alias_moves", "report_revisions",
                            "pipeline_nodes", "project_erasures", "run_erasures", "experiment_erasures"})
    EXPECT_EQ(count(fmt::format("SELECT COUNT(*) FROM {}", table)), 0) << table;
  EXPECT_TRUE(is_there(other.id));
  EXPECT_EQ(history(kDefaultProject, other.id, "loss"), (std::vector<double>{0.5}));
  EXPECT_EQ(count("SELECT COUNT(*) FROM artifacts"), 1);
}

TEST_P(ProjectsTest, an_erasure_that_a_kill_interrupted_goes_on_where_it_was) {
  fill_lab();
  for (int i = 0; i < 3; ++i) create_in_lab("more");
  ASSERT_TRUE(begin().ok());
  bool more = true;
  // After each transaction the server may be gone; the next one has only what is in the database.
  for (int i = 0; more && i < 1'000; ++i) {
    ASSERT_TRUE(in_one([&](Connection& c) -> Result<void> {
                  more = TRY(erase_some_of_projects(c, clock_.now()));
                  return {};
                }).ok());
    if (i % 2 == 0) {
      Collector next(*database_, registry_->references(), clock_, nullptr, audit());
      ASSERT_TRUE(next.finish(Duration(0)).ok());  // no time for anything
      ASSERT_TRUE(next.finish().ok());
    }
  }
  EXPECT_FALSE(more);
  EXPECT_EQ(left(), Names{});
}

TEST_P(ProjectsTest, what_is_at_work_or_needed_elsewhere_keeps_it) {
  const auto run = fill_lab();
  write(
      "INSERT INTO executions (run_id, project_id, member_id, state, told_state, spec, inputs, created_at, queued_at) VALUES ('e', "
      "?, 'm', 'running', 'running', '{}', '{}', 0, 0)",
      {lab_.text});
  for (const auto& refused : {begin(), move()}) {
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_NE(refused.error().message.find("its run e is not over"), std::string::npos) << refused.error().message;
  }
  write("UPDATE executions SET state = 'finished', told_state = 'finished'", {});
  ASSERT_TRUE(registry_->models().create(kDefaultProject, "theirs", "", {}).ok());
  registry::NewVersion version;
  version.source = "https://example.org/net";
  version.run = run.id;
  ASSERT_TRUE(registry_->models().create_version(kDefaultProject, "theirs", version).ok());
  const auto needed = begin();
  EXPECT_EQ(needed.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(needed.error().message.find("the model 'theirs' of another project"), std::string::npos);
  EXPECT_TRUE(tracking_->runs().get(lab_, run.id).ok());
  EXPECT_TRUE(move().ok());  // nothing is lost by that
}

TEST_P(ProjectsTest, everything_moves_and_shared_metrics_become_one) {
  const auto here = create("here");
  log(here.id, "loss", 1, 0.5);  // so that the name is known to both
  const auto run = fill_lab();
  log_in(lab_, run.id, "only", 1, 7);
  ASSERT_TRUE(move().ok());
  EXPECT_EQ(left(), Names{"metric_names"});  // a number never loses its name
  const auto moved = tracking_->runs().get(kDefaultProject, run.id);
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->params, (tracking::KeyValues{{"lr", "0.1"}}));
  ASSERT_EQ(moved->metrics.size(), 2u);
  EXPECT_EQ(moved->metrics[0].key, "loss");
  const std::vector<double> expected{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(history(kDefaultProject, run.id, "loss"), expected);
  EXPECT_EQ(history(kDefaultProject, run.id, "only"), std::vector<double>{7});
  sort();
  log(run.id, "loss", 11, 11);
  sort();
  EXPECT_EQ(history(kDefaultProject, run.id, "loss").size(), 12u);
  EXPECT_EQ(count("SELECT COUNT(*) FROM metric_latest WHERE run = ?", {run.number}), 2);
  EXPECT_EQ(registry_->models().version_of_alias(kDefaultProject, "digits", "production")->version, 1);
  EXPECT_EQ(count("SELECT COUNT(*) FROM artifacts WHERE owner_id = ? AND project_id = 'default'", {run.id.text}), 1);
  EXPECT_EQ(tracking_->experiments().find(kDefaultProject, "train")->id, experiment_);
}

TEST_P(ProjectsTest, names_that_both_have_are_said_and_nothing_moves) {
  const auto run = fill_lab();
  ASSERT_TRUE(tracking_->experiments().create(kDefaultProject, "train", "", {}).ok());
  ASSERT_TRUE(registry_->models().create(kDefaultProject, "digits", "", {}).ok());
  const auto refused = move();
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  for (const char* name : {"experiments: 'train'", "models: 'digits'", "workspace 'lab'"})
    EXPECT_NE(refused.error().message.find(name), std::string::npos) << refused.error().message;
  EXPECT_TRUE(tracking_->runs().get(lab_, run.id).ok());
}

TEST_P(ProjectsTest, a_new_table_must_say_what_becomes_of_it) {
  // Rows of runs, experiments, traces and logged models go by the erasures of tracking; the second line belongs to
  // nobody's project, or stays.
  std::set<std::string> known = {
      "runs", "run_params", "run_tags", "run_datasets", "run_models", "run_usage", "run_resumes", "run_erasures",
      "metric_batches", "metric_segments", "metric_chunks", "metric_staged", "metric_latest", "experiments",
      "experiment_tags", "experiment_erasures", "input_datasets", "logged_models", "logged_model_params",
      "logged_model_tags", "logged_model_metrics", "traces", "trace_tags", "trace_metadata", "trace_links",
      "trace_spans", "trace_span_batches", "trace_files", "assessments", "scorers", "scorer_versions",
      "scorer_sampling", "projects", "catalog_marks", "members", "tokens", "settings", "leases", "audit",
      "metric_sorter", "snapshots", "project_erasures",
      // all at once
      "blob_holds", "drift_references", "idempotency_keys", "lineage", "node_results", "pipeline_definitions",
      "pipeline_triggers", "retention_rules", "traffic_minutes"};
  for (const ProjectTable& table : project_tables()) {
    known.emplace(table.name);
    for (const auto& [name, column] : table.belongings) known.emplace(name);
  }
  for (const std::string& table :
       tables("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
              "SELECT table_name FROM information_schema.tables WHERE table_schema = "
              "current_schema()"))
    EXPECT_TRUE(known.contains(table) || table.find("schema") != std::string::npos)
        << "the table " << table << " is new: say in projects.cc what becomes of its rows when their project goes";
}

}  // namespace
}  // namespace slipway::retention
