// Records that come from another tracking server with their ids and times, so that links and references go on working.
// Saying the same again changes nothing, so an import that broke off is simply repeated.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "tracking/logged_models.h"
#include "tracking/records.h"

namespace slipway::tracking {

/// A run as it was elsewhere. Its metric points, inputs and files follow by the ways that clients use.
struct ImportedRun {
  RunId id;
  ExperimentId experiment;
  std::string name, user_name;
  RunState state = RunState::finished;
  Time started_at;
  std::optional<Time> ended_at;
  bool deleted = false;
  KeyValues params, tags;
};

struct ImportedLoggedModel {
  LoggedModelId id;
  ExperimentId experiment;
  std::string name, model_type;
  LoggedModelStatus status = LoggedModelStatus::ready;
  std::optional<RunId> source_run;
  Time created_at;
  KeyValues params, tags;
  std::vector<LoggedModelMetric> metrics;
};

/// Every call is one transaction, durable when it returns. Thread-safe. Errors: already_exists when the id belongs to
/// something of another project; failed_precondition for a run that Slipway executes itself.
class Imports {
 public:
  Imports(catalog::Database& database, const Clock& clock, EventSink* events)
      : database_(database), clock_(clock), events_(events) {}

  /// True when the run was not here before. A run that is here gets the state, parameters and tags that `run` names and
  /// keeps what it does not.
  Result<bool> put_run(const ProjectId& project, const ImportedRun& run);
  /// The same for a logged model. A metric's later point wins.
  Result<bool> put_logged_model(const ProjectId& project, const ImportedLoggedModel& model);

 private:
  catalog::Database& database_;
  const Clock& clock_;
  EventSink* const events_;
};

}  // namespace slipway::tracking
