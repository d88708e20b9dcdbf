// /api/v1/runs, the part that only runs have which Slipway executes: submit, stop, rerun, attempts, log, snapshot,
// environment, machine, outputs, lineage.
#pragma once

#include <condition_variable>
#include <memory>

#include "api/native/runs.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "http/http.h"
#include "registry/registry.h"
#include "runs/runs.h"
#include "store/store.h"
#include "tracking/tracking.h"

namespace slipway::api {

inline constexpr size_t kLogFollowersMax = 1'000;

/// Those who watch a log by Server-Sent Events: `data: {"offset":…,"text":…}`, at the end of the run `event: end`.
/// Thread: `log-followers`, which reads for all of them a few times a second.
class LogFollowers {
 public:
  explicit LogFollowers(runs::Runs& runs);
  ~LogFollowers();

  /// busy when too many follow.
  Result<void> follow(const ProjectId& project, const RunId& run, std::uint64_t offset,
                      const http::Responder& responder);
  /// Ends all streams: the server stops.
  void close();

 private:
  struct Follower {
    ProjectId project;
    RunId run;
    std::uint64_t offset = 0;
    int rounds_idle = 0;
    std::shared_ptr<http::BodyWriter> writer;
  };
  struct State {
    std::vector<Follower> joining;
    size_t count = 0;
    bool closed = false;
  };
  void work();
  /// False when it is through.
  bool serve(Follower& follower);

  runs::Runs& runs_;
  Guarded<State> state_;
  std::condition_variable changed_;
  Thread thread_;
};

/// Everything given outlives the router's use. `render_run` makes the answer to a submit (as GET /api/v1/runs/{id}).
void add_runs_execution(http::Router& router, runs::Runs& runs, LogFollowers& followers, tracking::Tracking& tracking,
                        registry::Registry& registry, store::Store& store,
                        std::function<Json(const tracking::Run&)> render_run);

/// attempt_count, queue_message and message of a run that Slipway executes: for RunExtras::enrich.
void enrich_run(runs::Runs& runs, const tracking::Run& run, Json& json);
/// "environment", "machine" and "inputs" of a run, or null: for RunExtras::document.
Json run_document(runs::Runs& runs, const ProjectId& project, const RunId& run, std::string_view kind);

}  // namespace slipway::api
