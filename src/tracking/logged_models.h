// MLflow 3's logged models: what a run made, with parameters, tags and the metrics that name it, before anybody
// registers it. Their files are artifacts of the registry, under their id.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/filter.h"
#include "tracking/records.h"

namespace slipway::tracking {

enum class LoggedModelStatus { pending, ready, upload_failed };
std::string_view name(LoggedModelStatus status);

struct LoggedModelMetric {
  std::string key, dataset_name, dataset_digest, run_id;
  double value = 0;
  std::int64_t step = 0, at_ms = 0;
};

struct LoggedModel {
  LoggedModelId id;
  std::int64_t number = 0;
  ExperimentId experiment;
  std::string name, model_type, artifact_uri;
  LoggedModelStatus status = LoggedModelStatus::pending;
  std::optional<RunId> source_run;
  Time created_at, updated_at;
  KeyValues params, tags;
  std::vector<LoggedModelMetric> metrics;
};

struct NewLoggedModel {
  ProjectId project;
  ExperimentId experiment;
  std::string name;  // empty: a random one
  std::string model_type;
  std::optional<RunId> source_run;
  KeyValues params, tags;
};

struct LoggedModelOrder {
  std::string field;  // creation_time, last_updated_time, name, … or metrics.<key>
  bool ascending = true;
  std::string dataset_name, dataset_digest;
};

struct LoggedModelQuery {
  ProjectId project;
  std::vector<ExperimentId> experiments;
  Filter filter;
  std::vector<LoggedModelOrder> order;
  size_t page_size = 100;
  std::string page_token;
};

inline constexpr size_t kLoggedModelsSearchedMax = 100'000;

/// Every call blocks for the database. Thread-safe. not_found also for models of other projects.
class LoggedModels {
 public:
  LoggedModels(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Result<LoggedModel> create(const NewLoggedModel& model);
  Result<LoggedModel> get(const ProjectId& project, const LoggedModelId& id);
  Result<LoggedModel> set_status(const ProjectId& project, const LoggedModelId& id, LoggedModelStatus status);
  Result<void> remove(const ProjectId& project, const LoggedModelId& id);
  Result<LoggedModel> set_tags(const ProjectId& project, const LoggedModelId& id, const KeyValues& tags);
  Result<void> delete_tag(const ProjectId& project, const LoggedModelId& id, const std::string& key);
  Result<LoggedModel> log_params(const ProjectId& project, const LoggedModelId& id, const KeyValues& params);
  Result<Paged<LoggedModel>> search(const LoggedModelQuery& query);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

}  // namespace slipway::tracking
