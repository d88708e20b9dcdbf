#include "registry/erasure.h"

#include <fmt/format.h>

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Row;

constexpr std::string_view kVersionOfRun =
    "SELECT m.name, v.version FROM model_versions v JOIN models m ON m.number = v.model "
    "WHERE v.run_id = ? AND v.deleted_at IS NULL AND m.deleted_at IS NULL ORDER BY m.name, v.version LIMIT 1";
constexpr std::string_view kVersionOfModel =
    "SELECT m.name, v.version FROM model_versions v JOIN models m ON m.number = v.model "
    "WHERE v.logged_model_id = ? AND v.deleted_at IS NULL AND m.deleted_at IS NULL ORDER BY m.name, v.version LIMIT 1";
constexpr std::string_view kCommitOfRun =
    "SELECT d.name, k.id FROM lineage l JOIN dataset_commits k ON k.id = l.to_id JOIN datasets d ON d.number = k.dataset "
    "WHERE l.from_kind = 'run' AND l.from_id = ? AND l.to_kind = 'dataset_commit' AND d.deleted_at IS NULL ORDER BY k.id LIMIT 1";
constexpr std::string_view kFedRuns =
    "SELECT to_id FROM lineage WHERE from_kind = 'run' AND from_id = ? AND to_kind = 'run' ORDER BY to_id LIMIT 10000";
constexpr std::string_view kSumArtifacts =
    "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM artifacts WHERE owner_kind = ? AND owner_id = ?";
constexpr std::string_view kDeleteArtifacts =
    "DELETE FROM artifacts WHERE owner_kind = ? AND owner_id = ? AND path IN "
    "(SELECT path FROM artifacts WHERE owner_kind = ? AND owner_id = ? LIMIT ?)";
constexpr std::string_view kDeleteOutgoing =
    "DELETE FROM lineage WHERE from_kind = 'run' AND from_id = ? AND to_id IN "
    "(SELECT to_id FROM lineage WHERE from_kind = 'run' AND from_id = ? LIMIT ?)";
constexpr std::string_view kDeleteIncoming =
    "DELETE FROM lineage WHERE to_kind = 'run' AND to_id = ? AND from_id IN "
    "(SELECT from_id FROM lineage WHERE to_kind = 'run' AND to_id = ? LIMIT ?)";

std::string version_of(const Row& row) { return fmt::format("{}/{}", row.text(0), row.integer(1)); }

}  // namespace

Result<std::optional<std::string>> need_of_run(Connection& c, const RunId& run) {
  if (const auto version = TRY(c.first(kVersionOfRun, {run.text}, version_of)))
    return std::optional("the model version " + *version + " was made by it");
  return c.first(kCommitOfRun, {run.text}, [](const Row& row) {
    return fmt::format("it made the commit {} of the dataset {}", row.text(1), row.text(0));
  });
}

Result<std::optional<std::string>> need_of_logged_model(Connection& c, std::string_view model) {
  if (const auto version = TRY(c.first(kVersionOfModel, {std::string(model)}, version_of)))
    return std::optional("the model version " + *version + " was made of what it logged");
  return std::optional<std::string>();
}

Result<std::vector<RunId>> runs_fed_by(Connection& c, const RunId& run) {
  return c.rows(kFedRuns, {run.text}, [](const Row& row) { return RunId(row.text(0)); });
}

Result<std::int64_t> artifact_bytes(Connection& c, OwnerKind kind, std::string_view id) {
  return TRY(c.first(kSumArtifacts, {std::string(name(kind)), std::string(id)},
                     [](const Row& row) { return row.integer(0); }))
      .value_or(0);
}

Result<std::int64_t> erase_artifacts(Connection& c, OwnerKind kind, std::string_view id, std::int64_t rows_max) {
  const std::string owner_kind(name(kind)), owner(id);
  return c.run(kDeleteArtifacts, {owner_kind, owner, owner_kind, owner, rows_max});
}

Result<std::int64_t> erase_lineage(Connection& c, std::string_view run, std::int64_t rows_max) {
  const std::string id(run);
  const std::int64_t outgoing = TRY(c.run(kDeleteOutgoing, {id, id, rows_max}));
  return outgoing + TRY(c.run(kDeleteIncoming, {id, id, rows_max}));
}

}  // namespace slipway::registry
