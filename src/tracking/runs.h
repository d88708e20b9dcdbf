// Runs: their rows, parameters, tags, inputs and outputs. Metric points go through MetricLog and Metrics.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "tracking/metrics.h"
#include "tracking/records.h"

namespace slipway::tracking {

struct NewRun {
  ProjectId project;
  ExperimentId experiment;
  std::optional<RunId> id;  // a caller that must know it first makes it with new_run_id()
  std::string name;         // empty: a random one
  RunState state = RunState::running;
  std::optional<MemberId> member;
  std::string user_name;
  SourceKind source_kind = SourceKind::client;
  std::string source = "{}";
  std::optional<Time> started_at;  // now when absent
  KeyValues params, tags;
};

/// Only what is set changes.
struct RunUpdate {
  std::optional<std::string> name;
  std::optional<RunState> state;
  std::optional<Time> started_at;
  std::optional<Time> ended_at;
  std::optional<std::string> source;
  /// Said by a client: of a run that Slipway executes only the name is taken, because its attempt decides the state.
  bool by_client = false;
};

/// Which metrics, parameters and tags of a run are wanted; of each kind all, or only those with these keys.
struct RunParts {
  bool params = true, tags = true, metrics = true;
  bool metric_extremes = true;  // false: of each metric only the latest point, the rest stays zero
  std::optional<std::vector<std::string>> param_keys, tag_keys, metric_keys;
};

/// Every call blocks for the database; writes wait until they are durable. Thread-safe. Errors: not_found for a run of
/// another project as for one that does not exist; invalid_argument for a deleted one.
class Runs {
 public:
  Runs(catalog::Database& database, const Metrics& metrics, const Clock& clock, EventSink* events)
      : database_(database), metrics_(metrics), clock_(clock), events_(events) {}

  Result<Run> create(const NewRun& run);
  Result<Run> get(const ProjectId& project, const RunId& run);
  Result<void> update(const ProjectId& project, const RunId& run, const RunUpdate& update);
  Result<void> remove(const ProjectId& project, const RunId& run);
  Result<void> restore(const ProjectId& project, const RunId& run);
  Result<void> log_params(const ProjectId& project, const RunId& run, const KeyValues& params);
  Result<void> set_tags(const ProjectId& project, const RunId& run, const KeyValues& tags);
  Result<void> delete_tag(const ProjectId& project, const RunId& run, const std::string& key);

  Result<void> log_inputs(const ProjectId& project, const RunId& run, const std::vector<InputDataset>& datasets,
                          const std::vector<RunModel>& models);
  Result<void> log_outputs(const ProjectId& project, const RunId& run, const std::vector<RunModel>& models);
  Result<RunInputs> inputs(const ProjectId& project, const RunId& run);
  /// Of many runs, in their order, in one read.
  Result<std::vector<RunInputs>> inputs(std::span<const Run> runs);

  /// Which project a run belongs to: for callers that hold a run's own token.
  Result<ProjectId> project_of(const RunId& run);

 private:
  Result<void> change(const ProjectId& project, const RunId& run,
                      const std::function<Result<void>(catalog::Connection&, Time now)>& body);

  catalog::Database& database_;
  const Metrics& metrics_;
  const Clock& clock_;
  EventSink* const events_;
};

/// Inside somebody's transaction: the runs with these numbers, in this order.
Result<std::vector<Run>> read_runs(catalog::Connection& connection, const Metrics& metrics,
                                   std::span<const std::int64_t> numbers, const RunParts& parts);
Result<std::vector<RunInputs>> read_inputs(catalog::Connection& connection, std::span<const std::int64_t> numbers);

/// "adjective-noun-NNN".
std::string random_run_name();

}  // namespace slipway::tracking
