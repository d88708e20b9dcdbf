// The records of tracking: plain structs, as the database holds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "domain/ids.h"
#include "domain/run.h"

namespace slipway::tracking {

/// Tags and parameters, sorted by key when read.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

struct Experiment {
  ExperimentId id;
  std::int64_t number = 0;
  ProjectId project;
  std::string name;
  std::string artifact_location;  // a URI; mlflow-artifacts:/<id> is served by us
  bool deleted = false;
  Time created_at, updated_at;
  KeyValues tags;
};

/// One metric of one run in short. low and high leave NaN out, total also infinities; low and high are NaN when nothing
/// else came.
struct MetricSummary {
  std::string key;
  double value = 0;  // of the latest point: greatest (step, time, value)
  std::int64_t step = 0;
  std::int64_t at_ms = 0;
  double low = 0, high = 0, total = 0;
  std::int64_t points = 0;
};

enum class SourceKind { client, step };

struct Run {
  RunId id;
  std::int64_t number = 0;
  ProjectId project;
  ExperimentId experiment;
  std::string experiment_name;
  std::string name;
  RunState state = RunState::running;
  std::optional<MemberId> member;
  std::string user_name;  // as an outside client says
  SourceKind source_kind = SourceKind::client;
  std::string source = "{}";  // JSON object: step, command, commit, branch, dirty, …
  std::optional<RunId> parent;
  std::string artifact_uri;
  Time created_at, updated_at, started_at;
  std::optional<Time> ended_at;
  bool deleted = false;
  KeyValues params, tags;
  std::vector<MetricSummary> metrics;  // sorted by key
};

/// A dataset as a client describes it (MLflow's log-inputs).
struct InputDataset {
  std::string name, digest, source_type, source;
  std::optional<std::string> schema, profile;
  KeyValues tags;
};

struct RunModel {
  std::string model_id;
  std::int64_t step = 0;
};

struct RunInputs {
  std::vector<InputDataset> datasets;
  std::vector<RunModel> models_in, models_out;
};

/// One page of a list, and the token for the next one.
template <typename T>
struct Paged {
  std::vector<T> items;
  std::optional<std::string> next_page_token;
};

}  // namespace slipway::tracking
