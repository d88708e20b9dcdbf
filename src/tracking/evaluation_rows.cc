#include "tracking/evaluation_rows.h"

#include <fmt/format.h>

#include "base/text.h"
#include "tracking/run_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;
using catalog::Value;

namespace {

Value or_null(const std::optional<std::string>& text) { return text ? Value(*text) : Value(nullptr); }
Value or_null(const Json& json) { return json.is_null() ? Value(nullptr) : Value(json.render()); }

/// What we wrote ourselves always parses.
Json json_of(const Row& row, int column) {
  if (row.is_null(column)) return {};
  auto json = Json::parse(row.text(column));
  return json.ok() ? std::move(*json) : Json();
}

EvaluationDataset make_dataset(const Row& row) {
  return {.id = EvaluationDatasetId(row.text(1)),
          .number = row.integer(0),
          .project = ProjectId(row.text(2)),
          .name = std::string(row.text(3)),
          .digest = std::string(row.text(4)),
          .fields = json_of(row, 5),
          .records = row.integer(6),
          .created_at = {row.integer(7)},
          .updated_at = {row.integer(8)},
          .created_by = row.maybe_text(9),
          .updated_by = row.maybe_text(10)};
}

}  // namespace

Result<std::vector<EvaluationDataset>> read_evaluation_datasets(Connection& connection,
                                                                std::string_view where_and_order,
                                                                const catalog::Values& values) {
  auto out = TRY(connection.rows(
      "SELECT number, id, project_id, name, digest, fields, records, created_at, updated_at, created_by, updated_by FROM "
      "evaluation_datasets d " +
          std::string(where_and_order),
      values, make_dataset));
  for (EvaluationDataset& dataset : out) {
    dataset.tags = TRY(read_pairs(
        connection, "SELECT key, value FROM evaluation_dataset_tags WHERE dataset = ? ORDER BY key", dataset.number));
    dataset.experiments = TRY(connection.rows(
        "SELECT e.id FROM evaluation_dataset_experiments x JOIN experiments e ON e.number = x.experiment WHERE x.dataset = ? "
        "ORDER BY e.number",
        {dataset.number}, [](const Row& row) { return ExperimentId(row.text(0)); }));
  }
  return out;
}

Result<EvaluationDataset> read_evaluation_dataset(Connection& connection, const ProjectId& project,
                                                  const EvaluationDatasetId& id) {
  auto found =
      TRY(read_evaluation_datasets(connection, "WHERE d.id = ? AND d.project_id = ?", {id.text, project.text}));
  if (!found.empty()) return std::move(found[0]);
  return Error{ErrorCode::not_found,
               fmt::format("Evaluation dataset with id '{}' not found", clean_utf8(id.text, 100))};
}

Result<void> update_evaluation_dataset(Connection& connection, const EvaluationDataset& dataset, Time now) {
  TRY(connection.run(
      "UPDATE evaluation_datasets SET fields = ?, records = ?, digest = ?, updated_at = ?, updated_by = ? WHERE number = ?",
      {or_null(dataset.fields), dataset.records, evaluation_digest(dataset.name, now), now.micros,
       or_null(dataset.updated_by), dataset.number}));
  return {};
}

EvaluationRecord make_evaluation_record(const Row& row) {
  EvaluationRecord record;
  record.number = row.integer(0);
  record.id = EvaluationRecordId(row.text(1));
  record.inputs = json_of(row, 2);
  record.outputs = json_of(row, 3);
  record.expectations = json_of(row, 4);
  if (!row.is_null(5)) record.tags = json_of(row, 5);
  if (!row.is_null(6)) record.source = RecordSource{std::string(row.text(6)), json_of(row, 7)};
  record.created_at = {row.integer(8)};
  record.updated_at = {row.integer(9)};
  record.created_by = row.maybe_text(10);
  record.updated_by = row.maybe_text(11);
  return record;
}

Result<bool> insert_evaluation_record(Connection& connection, std::int64_t dataset, const EvaluationRecord& record,
                                      const std::string& inputs_hash) {
  const auto rows = TRY(connection.run(
      "INSERT INTO evaluation_records (id, dataset, inputs_hash, inputs, outputs, expectations, tags, source_type, "
      "source_data, created_at, updated_at, created_by, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (dataset, inputs_hash) DO NOTHING",
      {record.id.text, dataset, inputs_hash, record.inputs.render(), or_null(record.outputs),
       or_null(record.expectations), or_null(record.tags), record.source ? Value(record.source->type) : Value(nullptr),
       record.source ? Value(record.source->data.render()) : Value(nullptr), record.created_at.micros,
       record.updated_at.micros, or_null(record.created_by), or_null(record.updated_by)}));
  return rows > 0;
}

Result<void> update_evaluation_record(Connection& connection, const EvaluationRecord& record) {
  TRY(connection.run(
      "UPDATE evaluation_records SET outputs = ?, expectations = ?, tags = ?, updated_at = ?, updated_by = ? WHERE number = ?",
      {or_null(record.outputs), or_null(record.expectations), or_null(record.tags), record.updated_at.micros,
       or_null(record.updated_by), record.number}));
  return {};
}

}  // namespace slipway::tracking
