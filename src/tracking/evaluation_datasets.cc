#include "tracking/evaluation_datasets.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "tracking/evaluation_rows.h"
#include "tracking/experiments.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;

namespace {

constexpr std::string_view kUserTag = "mlflow.user";

/// MLflow's clients know milliseconds, and find a dataset again by a time that they were given.
Time whole_millis(const Clock& clock) { return Time::from_millis(clock.now().millis()); }

Result<void> check_length(std::string_view what, std::string_view text, size_t characters_max) {
  size_t characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  if (characters <= characters_max) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' exceeds the maximum length of {} characters", what, characters_max)};
}

Result<void> check_many(std::string_view what, size_t found, size_t most) {
  if (found <= most) return {};
  return Error{ErrorCode::too_large,
               fmt::format("{} {} in one request; at most {} are taken, send several", found, what, most)};
}

Result<void> check_tags(const KeyValues& tags) {
  TRY(check_many("tags", tags.size(), kEvaluationTagsMax));
  for (const auto& [key, value] : tags) {
    if (key.empty()) return Error{ErrorCode::invalid_argument, "a tag's key is empty"};
    TRY(check_length("key", key, kEvaluationNameMax));
    TRY(check_length("value", value, kEvaluationTagValueMax));
  }
  return {};
}

Result<void> put_tags(Connection& connection, std::int64_t dataset, const KeyValues& tags) {
  for (const auto& [key, value] : tags) {
    TRY(connection.run(
        "INSERT INTO evaluation_dataset_tags (dataset, key, value) VALUES (?, ?, ?) ON CONFLICT (dataset, key) DO UPDATE "
        "SET value = excluded.value",
        {dataset, key, value}));
  }
  return {};
}

Result<void> put_experiments(Connection& connection, const ProjectId& project, std::int64_t dataset,
                             const std::vector<ExperimentId>& experiments) {
  for (const ExperimentId& id : experiments) {
    const Experiment experiment = TRY(read_experiment(connection, project, id));
    TRY(connection.run(
        "INSERT INTO evaluation_dataset_experiments (dataset, experiment) VALUES (?, ?) ON CONFLICT DO NOTHING",
        {dataset, experiment.number}));
  }
  return {};
}

Result<void> touch(Connection& connection, std::int64_t dataset, Time now) {
  TRY(connection.run("UPDATE evaluation_datasets SET updated_at = ? WHERE number = ?", {now.micros, dataset}));
  return {};
}

/// The record that has these inputs, with the change merged in.
Result<void> merge_into(Connection& connection, std::int64_t dataset, const EvaluationRecordChange& change,
                        const std::string& hash, Time now) {
  auto record = TRY(connection.first(std::string(kSelectEvaluationRecord) + "WHERE dataset = ? AND inputs_hash = ?",
                                     {dataset, hash}, make_evaluation_record));
  if (!record) return Error{ErrorCode::internal, "a record is gone while it is merged [this is a bug]"};
  TRY(merge_record(*record, change));
  record->updated_at = now;
  return update_evaluation_record(connection, *record);
}

/// Where a page of records ends: `last` is in it.
struct RecordRange {
  std::int64_t last = 0;
  bool is_more = false;
};
Result<RecordRange> find_range(Connection& connection, std::int64_t dataset, std::int64_t after, size_t page_size) {
  RecordRange range{after, false};
  size_t records = 0, bytes = 0;
  TRY(connection.run(
      "SELECT number, CAST(length(inputs) + COALESCE(length(outputs), 0) + COALESCE(length(expectations), 0) + "
      "COALESCE(length(tags), 0) + COALESCE(length(source_data), 0) AS BIGINT) FROM evaluation_records WHERE dataset = ? AND "
      "number > ? ORDER BY number LIMIT ?",
      {dataset, after, static_cast<std::int64_t>(page_size + 1)}, [&](const Row& row) {
        range.is_more = records == page_size || bytes > kEvaluationPageBytesMax;
        if (range.is_more) return false;
        ++records;
        bytes += static_cast<size_t>(row.integer(1));
        range.last = row.integer(0);
        return true;
      }));
  return range;
}

/// What a batch of changes means, worked out before the database's writer is asked.
struct Batch {
  std::vector<std::string> hashes;
  Json fields;
  std::optional<std::string> user;  // the last that is named
};
Batch prepare(const std::vector<EvaluationRecordChange>& changes) {
  Batch batch;
  for (const EvaluationRecordChange& change : changes) {
    batch.hashes.push_back(inputs_hash(change.inputs));
    learn_fields(batch.fields, change);
    if (auto user = user_of_tags(change.tags)) batch.user = std::move(user);
  }
  return batch;
}

}  // namespace

Result<EvaluationDataset> EvaluationDatasets::create(const NewEvaluationDataset& made) {
  if (trim(made.name).empty()) return Error{ErrorCode::invalid_argument, "the dataset's name is empty"};
  TRY(check_length("name", made.name, kEvaluationNameMax));
  TRY(check_tags(made.tags));
  TRY(check_many("experiments", made.experiments.size(), kEvaluationExperimentsMax));
  const EvaluationDatasetId id("d-" + new_hex_id_text(clock_));
  const Time now = whole_millis(clock_);
  Value user = nullptr;
  for (const auto& [key, value] : made.tags) {
    if (key == kUserTag) user = value;
  }
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<EvaluationDataset> {
    const auto number = TRY(connection.first(
        "INSERT INTO evaluation_datasets (id, project_id, name, digest, created_at, updated_at, created_by, updated_by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
        {id.text, made.project.text, made.name, evaluation_digest(made.name, now), now.micros, now.micros, user, user},
        [](const Row& row) { return row.integer(0); }));
    TRY(put_tags(connection, number.value_or(0), made.tags));
    TRY(put_experiments(connection, made.project, number.value_or(0), made.experiments));
    return read_evaluation_dataset(connection, made.project, id);
  });
}

Result<EvaluationDataset> EvaluationDatasets::get(const ProjectId& project, const EvaluationDatasetId& id) {
  return database_.read_value([&](Connection& connection) { return read_evaluation_dataset(connection, project, id); });
}

Result<void> EvaluationDatasets::remove(const ProjectId& project, const EvaluationDatasetId& id) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const auto number =
        TRY(connection.first("DELETE FROM evaluation_datasets WHERE id = ? AND project_id = ? RETURNING number",
                             {id.text, project.text}, [](const Row& row) { return row.integer(0); }));
    if (!number) return {};
    for (const char* table : {"evaluation_dataset_tags", "evaluation_dataset_experiments", "evaluation_records"})
      TRY(connection.run(fmt::format("DELETE FROM {} WHERE dataset = ?", table), {*number}));
    return {};
  });
}

Result<void> EvaluationDatasets::set_tags(const ProjectId& project, const EvaluationDatasetId& id,
                                          const KeyValues& tags) {
  TRY(check_tags(tags));
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const auto dataset = TRY(read_evaluation_dataset(connection, project, id));
    return put_tags(connection, dataset.number, tags);
  });
}

Result<void> EvaluationDatasets::delete_tag(const ProjectId& project, const EvaluationDatasetId& id,
                                            const std::string& key) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    TRY(
        connection.run("DELETE FROM evaluation_dataset_tags WHERE key = ? AND dataset IN (SELECT number FROM "
                       "evaluation_datasets WHERE id = ? AND project_id = ?)",
                       {key, id.text, project.text}));
    return {};
  });
}

Result<EvaluationDataset> EvaluationDatasets::add_experiments(const ProjectId& project, const EvaluationDatasetId& id,
                                                              const std::vector<ExperimentId>& experiments) {
  TRY(check_many("experiments", experiments.size(), kEvaluationExperimentsMax));
  const Time now = whole_millis(clock_);
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<EvaluationDataset> {
    const auto dataset = TRY(read_evaluation_dataset(connection, project, id));
    TRY(put_experiments(connection, project, dataset.number, experiments));
    TRY(touch(connection, dataset.number, now));
    return read_evaluation_dataset(connection, project, id);
  });
}

Result<EvaluationDataset> EvaluationDatasets::remove_experiments(const ProjectId& project,
                                                                 const EvaluationDatasetId& id,
                                                                 const std::vector<ExperimentId>& experiments) {
  TRY(check_many("experiments", experiments.size(), kEvaluationExperimentsMax));
  const Time now = whole_millis(clock_);
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<EvaluationDataset> {
    const auto dataset = TRY(read_evaluation_dataset(connection, project, id));
    std::int64_t gone = 0;
    for (const ExperimentId& experiment : experiments) {
      gone +=
          TRY(connection.run("DELETE FROM evaluation_dataset_experiments WHERE dataset = ? AND experiment IN (SELECT "
                             "number FROM experiments WHERE id = ? AND project_id = ?)",
                             {dataset.number, experiment.text, project.text}));
    }
    if (gone > 0) TRY(touch(connection, dataset.number, now));
    return read_evaluation_dataset(connection, project, id);
  });
}

Result<UpsertCounts> EvaluationDatasets::upsert(const ProjectId& project, const EvaluationDatasetId& id,
                                                const std::vector<EvaluationRecordChange>& changes) {
  TRY(check_many("records", changes.size(), kEvaluationRecordsMax));
  const Batch batch = prepare(changes);
  const Time now = whole_millis(clock_);
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<UpsertCounts> {
    auto dataset = TRY(read_evaluation_dataset(connection, project, id));
    UpsertCounts counts;
    for (size_t i = 0; i < changes.size(); ++i) {
      EvaluationRecord record = new_record(changes[i]);
      record.id = EvaluationRecordId("dr-" + new_hex_id_text(clock_));
      record.created_at = record.updated_at = now;
      const bool is_new = TRY(insert_evaluation_record(connection, dataset.number, record, batch.hashes[i]));
      if (!is_new) TRY(merge_into(connection, dataset.number, changes[i], batch.hashes[i], now));
      ++(is_new ? counts.inserted : counts.updated);
    }
    join_fields(dataset.fields, batch.fields);
    dataset.records += counts.inserted;
    dataset.updated_by = batch.user;
    TRY(update_evaluation_dataset(connection, dataset, now));
    return counts;
  });
}

Result<Paged<EvaluationRecord>> EvaluationDatasets::records(const ProjectId& project, const EvaluationDatasetId& id,
                                                            size_t page_size, const std::string& page_token) {
  if (page_size == 0 || page_size > kEvaluationRecordPageMax) {
    return Error{ErrorCode::invalid_argument, fmt::format("Invalid value for max_results: {}; expected 1 to {}",
                                                          page_size, kEvaluationRecordPageMax)};
  }
  const std::string print = fingerprint(project.text + id.text);
  std::int64_t after = 0;
  if (!page_token.empty()) {
    const PageMark mark = TRY(parse_page_token(page_token, print));
    if (mark.last.size() != 1 || !std::holds_alternative<std::int64_t>(mark.last[0]))
      return Error{ErrorCode::invalid_argument, "Invalid page token: it is damaged"};
    after = std::get<std::int64_t>(mark.last[0]);
  }
  return database_.read_value([&](Connection& connection) -> Result<Paged<EvaluationRecord>> {
    const auto dataset = TRY(read_evaluation_dataset(connection, project, id));
    const RecordRange range = TRY(find_range(connection, dataset.number, after, page_size));
    Paged<EvaluationRecord> page;
    page.items = TRY(connection.rows(
        std::string(kSelectEvaluationRecord) + "WHERE dataset = ? AND number > ? AND number <= ? ORDER BY number",
        {dataset.number, after, range.last}, make_evaluation_record));
    if (range.is_more) page.next_page_token = render_page_token({print, 0, {range.last}});
    return page;
  });
}

Result<std::int64_t> EvaluationDatasets::remove_records(const ProjectId& project, const EvaluationDatasetId& id,
                                                        const std::vector<EvaluationRecordId>& records) {
  TRY(check_many("records", records.size(), kEvaluationRecordsMax));
  const Time now = whole_millis(clock_);
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<std::int64_t> {
    auto dataset = TRY(read_evaluation_dataset(connection, project, id));
    std::int64_t gone = 0;
    for (const EvaluationRecordId& record : records) {
      gone += TRY(
          connection.run("DELETE FROM evaluation_records WHERE id = ? AND dataset = ?", {record.text, dataset.number}));
    }
    if (gone == 0) return gone;
    dataset.records -= gone;
    TRY(update_evaluation_dataset(connection, dataset, now));
    return gone;
  });
}

}  // namespace slipway::tracking
