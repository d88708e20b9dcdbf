// The client's promises: nothing waits, nothing is lost silently, a kill loses at most the last 100 ms, and what lies
// in a folder arrives once. The journal is read by the same code as `slipway sync`.
#include "slipway/tracking.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "base/counters.h"
#include "base/file.h"
#include "base/guarded.h"
#include "http/http.h"
#include "imports/journal.h"
#include "imports/sync.h"

namespace slipway::tracking {
namespace {

using TrackedRun = Run;  // GoogleTest's own Run is nearer in a test
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string journal_of(const std::string& folder) { return read_file(folder + "/journal").value(); }

std::vector<imports::JournalEntry> entries_of(const std::string& folder, bool may_be_torn = false) {
  imports::JournalReader reader;
  size_t used = 0;
  const std::string bytes = journal_of(folder);
  auto entries = reader.read(bytes, used).value();
  EXPECT_TRUE(may_be_torn || used == bytes.size()) << "the journal has a frame that is not whole";
  return entries;
}

std::vector<imports::Point> points_of(const std::string& folder, bool may_be_torn = false) {
  std::vector<imports::Point> points;
  for (const auto& entry : entries_of(folder, may_be_torn)) {
    if (const auto* found = std::get_if<imports::JournalPoints>(&entry))
      points.insert(points.end(), found->points.begin(), found->points.end());
  }
  return points;
}

class TrackingClient : public ::testing::Test {
 protected:
  RunOptions offline() {
    RunOptions options;
    options.folder = folder_.path().string();
    options.experiment = "digits";
    options.run_id = "";
    options.offline = true;
    return options;
  }

  TemporaryDirectory folder_{"slipway-client"};
};

TEST_F(TrackingClient, what_was_logged_offline_is_in_the_folder_whole_and_in_order) {
  std::ofstream(folder_.path() / "plot.txt") << "a plot";
  std::string made;
  {
    TrackedRun run(offline());
    made = run.folder();
    run.parameter("lr", "0.1");
    run.tag("team", "vision");
    for (int step = 0; step < 100'000; ++step) EXPECT_TRUE(run.log("loss", 1.0 / (step + 1), step));
    run.log("odd \"name\"", std::nan(""), 7);
    EXPECT_TRUE(run.artifact((folder_.path() / "plot.txt").string(), "plots/one.txt"));
    EXPECT_FALSE(run.artifact((folder_.path() / "plot.txt").string(), "../one.txt"));
    EXPECT_FALSE(run.artifact("/nowhere/at/all", "x"));
    EXPECT_TRUE(run.finish());
    EXPECT_EQ(run.statistics().journaled, 100'001u);
    EXPECT_FALSE(run.log("loss", 1, 1)) << "the run is over";
  }
  const auto facts = imports::read_journal_facts(made).value();
  EXPECT_EQ(facts.experiment, "digits");
  EXPECT_EQ(facts.run.id.size(), 32u);
  const auto points = points_of(made);
  ASSERT_EQ(points.size(), 100'001u);
  for (int step = 0; step < 100'000; ++step) ASSERT_EQ(points[static_cast<size_t>(step)].step, step);
  EXPECT_EQ(points[9].value, 0.1);
  EXPECT_EQ(points.back().key, "odd \"name\"");
  EXPECT_TRUE(std::isnan(points.back().value));
  const auto entries = entries_of(made);
  EXPECT_EQ(std::get<imports::JournalEnd>(entries.back()).status, "FINISHED");
  EXPECT_EQ(std::get<imports::JournalText>(entries.front()).value, "0.1");
}

TEST_F(TrackingClient, a_kill_loses_at_most_what_the_journal_has_not_taken_within_its_interval) {
  EXPECT_LE(RunOptions{}.journal_interval, milliseconds(100));
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    TrackedRun run(offline());
    for (int step = 0; step < 1'000; ++step) run.log("loss", step, step);
    while (run.statistics().journaled < 1'000) std::this_thread::sleep_for(milliseconds(1));
    for (int step = 1'000; step < 2'000; ++step) run.log("loss", step, step);
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto folders = imports::find_run_folders(folder_.path());
  ASSERT_EQ(folders.size(), 1u);
  EXPECT_GE(points_of(folders[0].string(), true).size(), 1'000u);
}

TEST_F(TrackingClient, when_memory_is_full_points_are_dropped_counted_and_told) {
  RunOptions options = offline();
  options.points_waiting_max = 100;
  options.journal_interval = milliseconds(100);
  TrackedRun run(options);
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) taken += run.log("loss", i, i) ? 1 : 0;
  EXPECT_LT(taken, 100'000);
  EXPECT_EQ(run.statistics().dropped, static_cast<std::uint64_t>(100'000 - taken));
  run.finish();
  EXPECT_EQ(points_of(run.folder()).size(), static_cast<size_t>(taken));
  bool is_told = false;
  for (const auto& entry : entries_of(run.folder())) {
    const auto* text = std::get_if<imports::JournalText>(&entry);
    is_told = is_told || (text != nullptr && text->key == "slipway.dropped_points" &&
                          text->value == std::to_string(100'000 - taken));
  }
  EXPECT_TRUE(is_told);
}

TEST_F(TrackingClient, who_asked_to_wait_loses_nothing) {
  RunOptions options = offline();
  options.points_waiting_max = 1'000;
  options.when_full = WhenFull::wait;
  TrackedRun run(options);
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(run.log("loss", i, i));
  run.finish();
  EXPECT_EQ(points_of(run.folder()).size(), 50'000u);
}

TEST_F(TrackingClient, a_full_journal_is_told_too) {
  RunOptions options = offline();
  options.journal_bytes_max = 100'000;
  TrackedRun run(options);
  for (int i = 0; i < 5'000; ++i) run.log("loss", i, i);
  run.flush();
  for (int i = 0; i < 5'000; ++i) run.log("loss", i, i);
  run.finish();
  const Statistics figures = run.statistics();
  EXPECT_GT(figures.dropped, 0u);
  EXPECT_EQ(figures.dropped + figures.journaled, 10'000u);
  EXPECT_NE(figures.trouble.find("takes no more"), std::string::npos);
  EXPECT_EQ(points_of(run.folder()).size(), figures.journaled);
}

/// A server that keeps runs as it is told, and may be away.
class FakeServer {
 public:
  FakeServer() {
    using http::Method;
    using http::Request;
    using http::Responder;
    using http::Response;
    const auto add = [this](Method method, const char* pattern, std::function<void(const Request&)> keep) {
      router_.add(method, pattern, [this, keep = std::move(keep)](Request& request, Responder responder) {
        if (is_away) return responder.send(Response::json("{}", 503));
        keep(request);
        responder.send(
            Response::json(R"({"experiment": {"experiment_id": "7", "lifecycle_stage": "active"}, "is_new": true})"));
      });
    };
    add(Method::get, "/api/2.0/mlflow/experiments/get-by-name", [](const Request&) {});
    add(Method::put, "/api/v1/imports/runs/{run}",
        [this](const Request& request) { *state.lock() = Json::parse(request.body).value()["state"].string(); });
    add(Method::post, "/api/2.0/mlflow/runs/log-batch", [this](const Request& request) {
      const Json body = Json::parse(request.body).value();
      auto kept = steps.lock();
      for (const Json& metric : body["metrics"].array()) kept->insert(metric["step"].integer().value());
      ++batches;
    });
    add(Method::post, "/api/2.0/mlflow/runs/log-parameter",
        [this](const Request& request) { *parameter.lock() = Json::parse(request.body).value()["value"].string(); });
    add(Method::post, "/api/2.0/mlflow/runs/set-tag", [](const Request&) {});
    add(Method::put, "/api/2.0/mlflow-artifacts/artifacts/{path...}",
        [this](const Request& request) { *file.lock() = request.path + "=" + request.body; });
    server_ = std::move(http::Server::start({.loops = 1}, router_, pool_, counters_).value());
  }
  ~FakeServer() { server_->stop(seconds(1)); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  std::atomic<bool> is_away{false};
  std::atomic<int> batches{0};
  Guarded<std::multiset<std::int64_t>> steps;
  Guarded<std::string> state, parameter, file;

 private:
  Counters counters_;
  ThreadPool pool_{"test", 2, 100, counters_};
  http::Router router_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(TrackingClient, everything_arrives_at_a_server_and_the_folder_goes) {
  FakeServer server;
  std::ofstream(folder_.path() / "plot.txt") << "a plot";
  RunOptions options = offline();
  options.offline = false;
  options.url = server.url();
  TrackedRun run(options);
  run.parameter("lr", "0.1");
  for (int step = 0; step < 2'500; ++step) run.log("loss", step, step);
  run.artifact((folder_.path() / "plot.txt").string(), "plots/ä one.txt");
  EXPECT_TRUE(run.finish());
  EXPECT_EQ(server.steps.lock()->size(), 2'500u);
  EXPECT_EQ(*server.parameter.lock(), "0.1");
  EXPECT_EQ(*server.state.lock(), "finished");
  EXPECT_NE(server.file.lock()->find("/artifacts/plots/ä one.txt=a plot"), std::string::npos) << *server.file.lock();
  EXPECT_FALSE(std::filesystem::exists(run.folder()));
}

TEST_F(TrackingClient, a_server_that_is_away_changes_only_when_it_arrives) {
  FakeServer server;
  server.is_away = true;
  RunOptions options = offline();
  options.offline = false;
  options.url = server.url();
  TrackedRun run(options);
  for (int step = 0; step < 10; ++step) EXPECT_TRUE(run.log("loss", step, step));
  EXPECT_FALSE(run.flush(milliseconds(300)));
  EXPECT_NE(run.statistics().trouble.find("503"), std::string::npos);
  server.is_away = false;
  EXPECT_TRUE(run.finish());
  EXPECT_EQ(server.steps.lock()->size(), 10u);
}

TEST_F(TrackingClient, what_a_program_left_is_synced_and_its_folder_goes) {
  std::string made;
  {
    TrackedRun run(offline());
    made = run.folder();
    for (int step = 0; step < 1'500; ++step) run.log("loss", step, step);
    run.parameter("lr", "0.1");
  }  // nobody said how it ended
  FakeServer server;
  const imports::Destination::Place place{server.url(), "", "default", false};
  server.is_away = true;
  EXPECT_EQ(imports::sync_folder(made, place, false).error().code, ErrorCode::busy);
  EXPECT_TRUE(std::filesystem::exists(made));
  server.is_away = false;
  const auto synced = imports::sync_folder(made, place, false).value();
  EXPECT_EQ(synced.points, 1'500);
  EXPECT_TRUE(synced.is_whole);
  EXPECT_EQ(server.steps.lock()->size(), 1'500u);
  EXPECT_EQ(*server.state.lock(), "failed");
  EXPECT_FALSE(std::filesystem::exists(made));
}

TEST_F(TrackingClient, a_torn_journal_is_synced_up_to_where_it_is_torn) {
  std::string made;
  {
    TrackedRun run(offline());
    made = run.folder();
    run.log("loss", 1, 1);
    run.flush();
    run.log("loss", 2, 2);
    run.finish();
  }
  const std::string bytes = journal_of(made);
  FakeServer server;
  const imports::Destination::Place place{server.url(), "", "default", false};
  for (size_t cut = imports::kJournalMagic.size(); cut < bytes.size(); ++cut) {
    imports::JournalReader reader;
    size_t used = 0;
    EXPECT_TRUE(reader.read(std::string_view(bytes).substr(0, cut), used).ok()) << cut;
  }
  std::filesystem::resize_file(made + "/journal", bytes.size() - 3);
  const auto synced = imports::sync_folder(made, place, true).value();
  EXPECT_EQ(synced.points, 2);
  EXPECT_EQ(*server.state.lock(), "failed") << "how it ended was torn off";
}

}  // namespace
}  // namespace slipway::tracking
