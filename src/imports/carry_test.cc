// What decides whether a run is carried again, where a version's files are, and how a repeated import behaves towards a
// server that breaks off in the middle.
#include "imports/carry.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/counters.h"
#include "base/guarded.h"
#include "http/http.h"
#include "imports/mlflow_folder.h"

namespace slipway::imports {
namespace {

SourceVersion version_from(const std::string& source, const std::string& run = "") {
  SourceVersion version;
  version.source = source;
  version.run_id = run;
  return version;
}

const std::string kRun = "0123456789abcdef0123456789abcdef";

TEST(RewrittenSource, names_the_run_or_the_model_wherever_the_files_lay) {
  EXPECT_EQ(rewritten_source(version_from("mlflow-artifacts:/1/" + kRun + "/artifacts/model")),
            "runs:/" + kRun + "/model");
  EXPECT_EQ(rewritten_source(version_from("s3://bucket/x/1/" + kRun + "/artifacts/a/b")), "runs:/" + kRun + "/a/b");
  EXPECT_EQ(rewritten_source(version_from("file:///home/me/mlruns/1/" + kRun + "/artifacts")), "runs:/" + kRun);
  EXPECT_EQ(rewritten_source(version_from("/mlruns/1/models/m-77/artifacts/")), "models:/m-77");
  EXPECT_EQ(rewritten_source(version_from("mlflow-artifacts:/1/models/m-77/artifacts/sub")), "models:/m-77/sub");
  EXPECT_EQ(rewritten_source(version_from("dbfs:/x/oldrun/artifacts/m", "oldrun")), "runs:/oldrun/m");
}

TEST(RewrittenSource, leaves_what_names_no_run) {
  const std::vector<std::string> sources = {"",
                                            "s3://bucket/model",
                                            "models:/m-77",
                                            "runs:/" + kRun + "/model",
                                            "s3://bucket/artifacts",
                                            "s3://bucket/other/artifacts/model"};
  for (const std::string& source : sources) {
    EXPECT_EQ(rewritten_source(version_from(source)), source);
  }
}

SourceRun some_run() {
  SourceRun run;
  run.id = kRun;
  run.name = "one";
  run.params = {{"lr", "0.1"}};
  run.latest = {{"loss", 0.5, 1000, 3}};
  return run;
}

TEST(State, changes_with_everything_that_may_have_to_be_carried) {
  const SourceRun run = some_run();
  const std::vector<SourceFile> files = {{"a", 1}};
  const std::string state = state_of(run, files);
  EXPECT_EQ(state, state_of(some_run(), files));
  EXPECT_TRUE(state.starts_with("over:"));
  SourceRun other = run;
  other.status = "RUNNING";
  EXPECT_TRUE(state_of(other, files).starts_with("open:"));
  other = run;
  other.latest[0].value = std::nan("");
  EXPECT_NE(state_of(other, files), state);
  other = run;
  other.tags.emplace_back("k", "v");
  EXPECT_NE(state_of(other, files), state);
  EXPECT_NE(state_of(run, {{"a", 2}}), state);
  EXPECT_NE(state_of(run, {}), state);
}

TEST(MetricLines, are_read_as_mlflow_writes_them_and_not_when_cut_off) {
  const auto point = point_of_line("loss", "1700000000000 0.25 7").value();
  EXPECT_EQ(point.at_ms, 1'700'000'000'000);
  EXPECT_EQ(point.value, 0.25);
  EXPECT_EQ(point.step, 7);
  EXPECT_TRUE(std::isnan(point_of_line("loss", "1 nan 7").value().value));
  EXPECT_EQ(point_of_line("loss", "1 2").value().step, 0);
  for (const char* line : {"", "17000", "x 1 2", "1 y 2", "1 2 z"}) EXPECT_FALSE(point_of_line("loss", line)) << line;
}

/// A source with one run whose history is longer than a request, its latest point in the middle.
class OneRun : public Source {
 public:
  std::string title() const override { return "here"; }
  std::string link(const SourceRun& run) const override { return "here/" + run.id; }
  Result<std::unique_ptr<Source>> another() const override {
    return std::unique_ptr<Source>(std::make_unique<OneRun>());
  }
  Result<std::vector<SourceExperiment>> experiments() override {
    return std::vector<SourceExperiment>{{"1", "digits", {}}};
  }
  Result<void> runs(const std::string&, bool, const std::function<Result<void>(SourceRun)>& visit) override {
    SourceRun run = some_run();
    run.latest = {{"loss", 0, 9'000'000, 9'000'000}};
    return visit(run);
  }
  Result<void> history(const SourceRun&, const std::string& key,
                       const std::function<Result<void>(std::span<const Point>)>& visit) override {
    std::vector<Point> points;
    for (int i = 0; i < 2'500; ++i) points.push_back({key, 1.0 * i, i, i});
    points[1'200] = {key, 0, 9'000'000, 9'000'000};
    return visit(points);
  }
  Result<std::vector<SourceFile>> files(const Owner&) override { return std::vector<SourceFile>(); }
  Result<std::filesystem::path> fetch(const Owner&, const std::string&, const std::filesystem::path& scratch) override {
    return scratch;
  }
  Result<std::vector<SourceLoggedModel>> logged_models(const std::string&) override {
    return std::vector<SourceLoggedModel>();
  }
  Result<std::vector<SourceModel>> models() override { return std::vector<SourceModel>(); }
  std::vector<std::string> left_behind(const std::vector<SourceExperiment>&) override { return {}; }
};

/// A server that takes runs and points, and refuses after some requests.
class FakeServer {
 public:
  explicit FakeServer(int batches_taken) : batches_left_(batches_taken) {
    using http::Method;
    using http::Request;
    using http::Responder;
    using http::Response;
    router_.add(Method::get, "/api/2.0/mlflow/experiments/get-by-name", [](Request&, Responder responder) {
      responder.send(Response::json(R"({"experiment": {"experiment_id": "7", "lifecycle_stage": "active"}})"));
    });
    router_.add(Method::post, "/api/2.0/mlflow/experiments/set-experiment-tag",
                [](Request&, Responder responder) { responder.send(Response::json("{}")); });
    router_.add(Method::get, "/api/v1/runs/{run}", [this](Request&, Responder responder) { responder.send(run()); });
    router_.add(Method::put, "/api/v1/imports/runs/{run}",
                [](Request&, Responder responder) { responder.send(Response::json(R"({"is_new": true})", 201)); });
    router_.add(Method::post, "/api/2.0/mlflow/runs/log-batch", [this](Request& request, Responder responder) {
      responder.send(take(Json::parse(request.body).value()) ? Response::json("{}") : Response::json("{}", 400));
    });
    router_.add(Method::post, "/api/2.0/mlflow/runs/set-tag", [this](Request& request, Responder responder) {
      *state_tag_.lock() = Json::parse(request.body).value()["value"].string();
      responder.send(Response::json("{}"));
    });
    server_ = std::move(http::Server::start({.loops = 1}, router_, pool_, counters_).value());
  }
  ~FakeServer() { server_->stop(std::chrono::seconds(1)); }

  void take_everything() { batches_left_ = 1'000'000; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::string state_tag() { return *state_tag_.lock(); }
  std::set<std::int64_t> steps() { return *steps_.lock(); }

 private:
  bool take(const Json& body) {
    if (batches_left_-- <= 0) return false;
    auto steps = steps_.lock();
    for (const Json& metric : body["metrics"].array()) steps->insert(metric["step"].integer().value());
    return true;
  }

  http::Response run() {
    auto steps = steps_.lock();
    if (steps->empty()) return http::Response::json("{}", 404);
    Json metric;
    metric.set("last", 0).set("step", *steps->rbegin()).set("at", render(Time::from_millis(*steps->rbegin())));
    Json json;
    json.set("tags", Json(Json::Object{}).set(kStateTag, *state_tag_.lock()));
    return http::Response::json(json.set("metrics", Json().set("loss", metric)).render());
  }

  std::atomic<int> batches_left_;
  Guarded<std::set<std::int64_t>> steps_;
  Guarded<std::string> state_tag_;
  Counters counters_;
  ThreadPool pool_{"test", 2, 100, counters_};
  http::Router router_;
  std::unique_ptr<http::Server> server_;
};

TEST(Carry, goes_on_after_a_server_that_refused_in_the_middle_of_a_history) {
  FakeServer server(2);
  OneRun source;
  CarryOptions options;
  options.place = {server.url(), "", "default", false};
  options.workers = 1;
  options.models = false;
  const auto first = carry(source, options).value();
  EXPECT_EQ(first.problems.size(), 1u);
  EXPECT_EQ(server.steps().size(), 2'000u);
  EXPECT_EQ(server.steps().count(9'000'000), 0u) << "the latest point came before the rest: nobody would send it again";
  EXPECT_EQ(server.state_tag(), "");
  server.take_everything();
  const auto second = carry(source, options).value();
  EXPECT_EQ(second.problems.size(), 0u);
  EXPECT_EQ(server.steps().size(), 2'500u);
  const auto third = carry(source, options).value();
  EXPECT_EQ(third.runs.unchanged, 1);
  EXPECT_EQ(third.points, 0);
}

TEST(Carry, writes_nothing_when_only_asked_what_it_would_do) {
  FakeServer server(0);
  OneRun source;
  CarryOptions options;
  options.place = {server.url(), "", "default", true};
  options.models = false;
  const auto report = carry(source, options).value();
  EXPECT_EQ(report.runs.carried, 1);
  EXPECT_TRUE(server.steps().empty());
}

TEST(Carry, ends_when_nobody_answers) {
  OneRun source;
  CarryOptions options;
  options.place = {"http://127.0.0.1:1", "", "default", false};
  EXPECT_EQ(carry(source, options).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace slipway::imports
