// The rows of evaluation datasets. Private to the room.
#pragma once

#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "domain/evaluation_dataset.h"

namespace slipway::tracking {

/// Those of `evaluation_datasets d` that pass, with tags and experiments.
Result<std::vector<EvaluationDataset>> read_evaluation_datasets(catalog::Connection& connection,
                                                                std::string_view where_and_order,
                                                                const catalog::Values& values);
/// not_found when the project has none of that id.
Result<EvaluationDataset> read_evaluation_dataset(catalog::Connection& connection, const ProjectId& project,
                                                  const EvaluationDatasetId& id);
/// Its records, fields and digest as they are after a change at `now`.
Result<void> update_evaluation_dataset(catalog::Connection& connection, const EvaluationDataset& dataset, Time now);

inline constexpr std::string_view kSelectEvaluationRecord =
    "SELECT number, id, inputs, outputs, expectations, tags, source_type, source_data, created_at, updated_at, created_by, "
    "updated_by FROM evaluation_records ";
EvaluationRecord make_evaluation_record(const catalog::Row& row);

/// False when there is one with these inputs already.
Result<bool> insert_evaluation_record(catalog::Connection& connection, std::int64_t dataset,
                                      const EvaluationRecord& record, const std::string& inputs_hash);
Result<void> update_evaluation_record(catalog::Connection& connection, const EvaluationRecord& record);

}  // namespace slipway::tracking
