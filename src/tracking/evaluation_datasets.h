// Evaluation datasets (domain/evaluation_dataset.h): kept, changed, searched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/evaluation_dataset.h"
#include "domain/filter.h"
#include "tracking/records.h"

namespace slipway::tracking {

struct NewEvaluationDataset {
  ProjectId project;
  std::string name;
  KeyValues tags;  // mlflow.user says who made it
  std::vector<ExperimentId> experiments;
};

struct EvaluationDatasetQuery {
  ProjectId project;
  std::optional<std::vector<ExperimentId>> experiments;  // in any of these; absent: wherever
  Filter filter;                 // name, created_time, last_update_time, created_by, last_updated_by, tags.
  std::vector<OrderTerm> order;  // by default the newest first
  size_t page_size = 1000;
  std::string page_token;
};

struct UpsertCounts {
  std::int64_t inserted = 0, updated = 0;
};

inline constexpr size_t kEvaluationDatasetPageMax = 50'000;
inline constexpr size_t kEvaluationRecordPageMax = 10'000;
/// A page of records ends early behind this many bytes of them.
inline constexpr size_t kEvaluationPageBytesMax = 16 << 20;
inline constexpr size_t kEvaluationTagsMax = 1000;         // in one request
inline constexpr size_t kEvaluationExperimentsMax = 1000;  // in one request

/// Every call blocks for the database and waits until what it wrote is durable. Thread-safe. What belongs to another
/// project does not exist.
class EvaluationDatasets {
 public:
  EvaluationDatasets(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// not_found for an experiment that does not exist; invalid_argument for a name or tag past its limits.
  Result<EvaluationDataset> create(const NewEvaluationDataset& made);
  Result<EvaluationDataset> get(const ProjectId& project, const EvaluationDatasetId& id);
  /// With its records, for good. One that is not there is fine.
  Result<void> remove(const ProjectId& project, const EvaluationDatasetId& id);
  Result<Paged<EvaluationDataset>> search(const EvaluationDatasetQuery& query);

  Result<void> set_tags(const ProjectId& project, const EvaluationDatasetId& id, const KeyValues& tags);
  /// A tag that is not there is fine, as is a dataset.
  Result<void> delete_tag(const ProjectId& project, const EvaluationDatasetId& id, const std::string& key);
  /// not_found for an experiment that does not exist; nothing is added then.
  Result<EvaluationDataset> add_experiments(const ProjectId& project, const EvaluationDatasetId& id,
                                            const std::vector<ExperimentId>& experiments);
  /// Those that it is not in are passed over.
  Result<EvaluationDataset> remove_experiments(const ProjectId& project, const EvaluationDatasetId& id,
                                               const std::vector<ExperimentId>& experiments);

  /// A record whose inputs are there already is merged into that one. All or none.
  Result<UpsertCounts> upsert(const ProjectId& project, const EvaluationDatasetId& id,
                              const std::vector<EvaluationRecordChange>& changes);
  /// In the order in which they were first kept.
  Result<Paged<EvaluationRecord>> records(const ProjectId& project, const EvaluationDatasetId& id, size_t page_size,
                                          const std::string& page_token);
  /// How many of these were there.
  Result<std::int64_t> remove_records(const ProjectId& project, const EvaluationDatasetId& id,
                                      const std::vector<EvaluationRecordId>& records);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

}  // namespace slipway::tracking
