// Reading datasets and commits inside a transaction; for this room's .cc files.
#pragma once

#include "registry/datasets.h"

namespace slipway::registry {

struct DatasetRow {
  std::int64_t number = 0;
  Dataset dataset;
};

inline constexpr std::string_view kDatasetColumns = "number, id, project_id, name, description, created_at, updated_at";
DatasetRow dataset_of_row(const catalog::Row& row);
Result<DatasetRow> find_dataset(catalog::Connection& c, const ProjectId& project, std::string_view name);
Result<void> complete_dataset(catalog::Connection& c, DatasetRow& row);

/// By branch, id or the beginning of an id; not_found names what is near.
Result<Commit> find_commit(catalog::Connection& c, const DatasetRow& dataset, std::string_view ref);
/// By its whole id, of any dataset.
Result<std::optional<Commit>> find_commit(catalog::Connection& c, const CommitId& id);
Result<std::optional<Branch>> find_branch(catalog::Connection& c, std::int64_t dataset, std::string_view name);
Result<void> check_branch_name(std::string_view name);

/// Points the branch at a commit (nullopt removes it) and writes the move down; nothing when it points there already.
Result<void> move_branch(catalog::Connection& c, std::int64_t dataset, std::string_view branch,
                         const std::optional<CommitId>& to, Time now, std::string_view member, std::string_view reason);

}  // namespace slipway::registry
