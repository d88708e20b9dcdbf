#include "tracking/erasure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/search_sql.h"
#include "tracking/trace_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;

namespace {

constexpr std::int64_t kTracesAtOnce = 50;
constexpr std::int64_t kModelsMax = 10'000;  // of one run or experiment in one step; more come with the next

template <typename Id>
Sql one_of_ids(std::string_view expression, const std::vector<Id>& ids) {
  std::vector<std::string> texts;
  for (const Id& id : ids) texts.push_back(id.text);
  return one_of_texts(expression, texts);
}

/// Which of the deleted runs are named; without an OR where it can be done, because that would keep the database from
/// the index of the ids.
Sql named_runs(const DeletedQuery& query) {
  if (query.runs.empty() && query.experiments.empty()) return {};
  Sql sql{" AND (", {}};
  if (!query.runs.empty()) sql.add(one_of_ids("r.id", query.runs));
  if (!query.runs.empty() && !query.experiments.empty()) sql.add(" OR ");
  if (!query.experiments.empty()) sql.add(one_of_ids("e.id", query.experiments));
  return sql.add(")");
}

/// "FROM … WHERE …" of the deleted runs that a query means. The project is compared as an expression, so that SQLite
/// walks the index of deleted runs and not all of the project's.
Sql deleted_runs(const DeletedQuery& query) {
  Sql sql{" FROM runs r JOIN experiments e ON e.number = r.experiment WHERE r.deleted = 1 AND r.deleted_at <= ?", {}};
  sql.values.emplace_back(query.deleted_before.micros);
  if (query.project) sql.add(" AND r.project_id || '' = ?", query.project->text);
  return sql.add(named_runs(query));
}

DeletedRun deleted_run(const Row& row) {
  return {RunId(row.text(0)),       row.integer(1),           ProjectId(row.text(2)), std::string(row.text(3)),
          std::string(row.text(4)), std::string(row.text(5)), Time{row.integer(6)}};
}

DeletedExperiment deleted_experiment(const Row& row) {
  return {ExperimentId(row.text(0)), row.integer(1),       ProjectId(row.text(2)),
          std::string(row.text(3)),  Time{row.integer(4)}, row.integer(5)};
}

/// A named thing: whether it is there for this query, and deleted.
Result<void> check_one(Connection& connection, const DeletedQuery& query, const char* table, const std::string& id) {
  const std::string noun = table == std::string_view("runs") ? "run" : "experiment";
  std::string project;
  const auto deleted = TRY(connection.first(fmt::format("SELECT deleted, project_id FROM {} WHERE id = ?", table), {id},
                                            [&](const Row& row) {
                                              project = row.text(1);
                                              return row.integer(0) != 0;
                                            }));
  if (!deleted || (query.project && query.project->text != project))
    return Error{ErrorCode::not_found, fmt::format("there is no {} {} in this project", noun, clean_utf8(id, 100))};
  if (!*deleted)
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the {} {} is not deleted; only what was deleted before is removed for good", noun, id)};
  return {};
}

// --- pieces --------------------------------------------------------------------------------------------------------

struct Table {
  const char* name;
  const char* owner;
  const char* key;
  std::int64_t row_cost;  // of a row, in small ones
};

/// What belongs to a run by its number. Rows with points are large.
constexpr std::array kRunTables{
    Table{"metric_batches", "run", "id", 20},   Table{"metric_segments", "run", "id", 50},
    Table{"metric_chunks", "run", "id", 50},    Table{"metric_staged", "run", "id", 20},
    Table{"metric_latest", "run", "metric", 1}, Table{"run_params", "run", "key", 1},
    Table{"run_tags", "run", "key", 1},         Table{"run_datasets", "run", "dataset", 1},
    Table{"run_models", "run", "model_id", 1},  Table{"run_usage", "run", "run", 1},
    Table{"run_resumes", "run", "at", 1},
};
constexpr std::array kModelTables{
    Table{"logged_model_params", "model", "key", 1},
    Table{"logged_model_tags", "model", "key", 1},
    Table{"logged_model_metrics", "model", "key", 1},
};
constexpr std::array kExperimentTables{
    Table{"experiment_tags", "experiment", "key", 1},
    Table{"input_datasets", "experiment", "number", 1},
    Table{"evaluation_dataset_experiments", "experiment", "dataset", 1},
};

/// Rows that one call may still remove.
class Budget {
 public:
  explicit Budget(std::int64_t rows) : left_(rows) {}
  bool is_spent() const { return left_ <= 0; }
  std::int64_t left() const { return std::max<std::int64_t>(left_, 0); }
  void spend(std::int64_t rows) { left_ -= rows, spent_ += rows; }
  std::int64_t spent() const { return spent_; }

 private:
  std::int64_t left_, spent_ = 0;
};

Result<void> erase_from(Connection& connection, const Table& table, std::int64_t owner, Budget& budget) {
  if (budget.is_spent()) return {};
  const std::int64_t rows = std::max<std::int64_t>(budget.left() / table.row_cost, 1);
  const std::string sql =
      fmt::format("DELETE FROM {0} WHERE {1} = ? AND {2} IN (SELECT {2} FROM {0} WHERE {1} = ? LIMIT ?)", table.name,
                  table.owner, table.key);
  const std::int64_t removed = TRY(connection.run(sql, {owner, owner, rows}));
  // A full helping may not have been everything.
  budget.spend(removed >= rows ? budget.left() : removed * table.row_cost);
  return {};
}

template <size_t Count>
Result<void> erase_from_all(Connection& connection, const std::array<Table, Count>& tables, std::int64_t owner,
                            Budget& budget) {
  for (const Table& table : tables) TRY(erase_from(connection, table, owner, budget));
  return {};
}

/// Traces by the numbers that a query finds, some at a time, as long as it finds any.
Result<void> erase_traces(Connection& connection, const Sql& which, Budget& budget) {
  while (!budget.is_spent()) {
    Sql sql = which;
    sql.add(" LIMIT ?", kTracesAtOnce);
    const auto numbers = TRY(connection.rows(sql.text, sql.values, [](const Row& row) { return row.integer(0); }));
    if (numbers.empty()) break;
    TRY(remove_trace_rows(connection, numbers));
    budget.spend(static_cast<std::int64_t>(numbers.size()) * 20);
  }
  return {};
}

/// Traces that say this run made them, but for those that another run is linked to. CROSS JOIN holds SQLite to looking
/// up only these.
Sql traces_of_run(const Erasure& run) {
  return {
      "SELECT t.number FROM trace_metadata m CROSS JOIN traces t WHERE t.number = m.trace AND m.key = ? AND substr(m.value, 1, 64) = ? AND "
      "m.value = ? AND t.project_id = ? AND NOT EXISTS (SELECT 1 FROM trace_links l JOIN runs r ON r.id = l.target WHERE l.kind = "
      "'run' AND l.trace = t.number)",
      {std::string(kSourceRunKey), run.id.substr(0, 64), run.id, run.project.text}};
}

/// Links that the run has to traces of others.
Result<void> erase_links(Connection& connection, const Erasure& run, Budget& budget) {
  if (budget.is_spent()) return {};
  const std::int64_t rows = std::max<std::int64_t>(budget.left(), 1);
  const std::int64_t removed = TRY(connection.run(
      "DELETE FROM trace_links WHERE kind = 'run' AND target = ? AND trace IN (SELECT trace FROM trace_links WHERE kind = 'run' AND "
      "target = ? LIMIT ?)",
      {run.id, run.id, rows}));
  budget.spend(removed);
  return {};
}

/// Logged models that a query (of number and id) finds.
Result<void> erase_models(Connection& connection, std::string_view which, const catalog::Values& values,
                          Budget& budget) {
  const auto models = TRY(connection.rows(
      which, values, [](const Row& row) { return std::pair(row.integer(0), std::string(row.text(1))); }));
  for (const auto& [number, id] : models) {
    TRY(erase_from_all(connection, kModelTables, number, budget));
    if (budget.is_spent()) return {};
    TRY(connection.run("DELETE FROM run_models WHERE model_id = ?", {id}));
    TRY(connection.run("DELETE FROM logged_models WHERE number = ?", {number}));
    budget.spend(5);
  }
  return {};
}

/// An experiment has few of them.
Result<void> erase_scorers(Connection& connection, const Erasure& experiment, Budget& budget) {
  if (budget.is_spent()) return {};
  for (const char* table : {"scorer_versions", "scorer_sampling"}) {
    const std::string sql =
        fmt::format("DELETE FROM {} WHERE scorer IN (SELECT number FROM scorers WHERE experiment = ?)", table);
    budget.spend(TRY(connection.run(sql, {experiment.number})));
  }
  budget.spend(TRY(connection.run("DELETE FROM scorers WHERE experiment = ?", {experiment.number})));
  return {};
}

std::string text_of(const Row& row) { return std::string(row.text(0)); }

}  // namespace

// --- what there is -------------------------------------------------------------------------------------------------

Result<std::vector<DeletedRun>> list_deleted_runs(Connection& connection, const DeletedQuery& query,
                                                  const DeletedMark& after, std::int64_t most) {
  Sql sql{"SELECT r.id, r.number, r.project_id, r.name, e.name, r.artifact_uri, r.deleted_at", {}};
  sql.add(deleted_runs(query));
  sql.add(" AND (r.deleted_at > ?", after.deleted_at).add(" OR (r.deleted_at = ?", after.deleted_at);
  sql.add(" AND r.number > ?)) ORDER BY r.deleted_at, r.number", after.number).add(" LIMIT ?", most);
  return connection.rows(sql.text, sql.values, deleted_run);
}

Result<std::int64_t> count_deleted_runs(Connection& connection, const DeletedQuery& query) {
  Sql sql{"SELECT COUNT(*)", {}};
  sql.add(deleted_runs(query));
  return TRY(connection.first(sql.text, sql.values, [](const Row& row) { return row.integer(0); })).value_or(0);
}

Result<std::vector<DeletedExperiment>> list_deleted_experiments(Connection& connection, const DeletedQuery& query) {
  if (!query.runs.empty() && query.experiments.empty()) return std::vector<DeletedExperiment>{};
  // Deleted ones change no more, so this is when they were deleted.
  Sql sql{
      "SELECT e.id, e.number, e.project_id, e.name, e.updated_at, (SELECT COUNT(*) FROM runs r WHERE r.experiment = e.number) "
      "FROM experiments e WHERE e.deleted = 1 AND e.id <> '0' AND e.updated_at <= ?",
      {}};
  sql.values.emplace_back(query.deleted_before.micros);
  if (query.project) sql.add(" AND e.project_id = ?", query.project->text);
  if (!query.experiments.empty()) sql.add(" AND ").add(one_of_ids("e.id", query.experiments));
  sql.add(" ORDER BY e.updated_at, e.number LIMIT ?", kDeletedExperimentsMax);
  return connection.rows(sql.text, sql.values, deleted_experiment);
}

Result<void> check_deleted(Connection& connection, const DeletedQuery& query) {
  for (const RunId& run : query.runs) TRY(check_one(connection, query, "runs", run.text));
  for (const ExperimentId& id : query.experiments) TRY(check_one(connection, query, "experiments", id.text));
  return {};
}

// --- who needs it --------------------------------------------------------------------------------------------------

Result<std::optional<std::string>> need_of_run(Connection& connection, const DeletedRun& run) {
  return connection.first(
      "SELECT m.name, r.name FROM logged_models m JOIN run_models x ON x.model_id = m.id JOIN runs r ON r.number = x.run "
      "WHERE m.source_run_id = ? AND m.project_id = ? AND x.direction = 'input' AND r.deleted = 0 LIMIT 1",
      {run.id.text, run.project.text}, [](const Row& row) {
        return fmt::format("the run {} uses the model {} that it logged", row.text(1), row.text(0));
      });
}

Result<bool> is_active_run(Connection& connection, const RunId& run) {
  return TRY(connection.first("SELECT 1 FROM runs WHERE id = ? AND deleted = 0", {run.text},
                              [](const Row&) { return true; }))
      .has_value();
}

Result<std::vector<std::string>> models_of_run(Connection& connection, const ProjectId& project, const RunId& run) {
  return connection.rows(
      "SELECT id FROM logged_models WHERE source_run_id = ? AND project_id = ? ORDER BY number LIMIT ?",
      {run.text, project.text, kModelsMax}, text_of);
}

Result<std::vector<std::string>> models_of_experiment(Connection& connection, std::int64_t experiment) {
  return connection.rows("SELECT id FROM logged_models WHERE experiment = ? ORDER BY number LIMIT ?",
                         {experiment, kModelsMax}, text_of);
}

Result<std::int64_t> point_bytes(Connection& connection, std::int64_t run) {
  const std::string_view length = connection.is_postgres() ? "octet_length" : "length";
  std::int64_t bytes = 0;
  for (const char* table : {"metric_batches", "metric_segments", "metric_chunks", "metric_staged"}) {
    const std::string sql =
        fmt::format("SELECT CAST(COALESCE(SUM({}(body)), 0) AS BIGINT) FROM {} WHERE run = ?", length, table);
    bytes += TRY(connection.first(sql, {run}, [](const Row& row) { return row.integer(0); })).value_or(0);
  }
  return bytes;
}

// --- the way out ---------------------------------------------------------------------------------------------------

Result<bool> begin_run_erasure(Connection& connection, const DeletedRun& run, Time now) {
  const auto gone = TRY(connection.run("DELETE FROM runs WHERE number = ? AND deleted = 1", {run.number}));
  if (gone == 0) return false;
  TRY(connection.run("INSERT INTO run_erasures (number, id, project_id, begun_at) VALUES (?, ?, ?, ?)",
                     {run.number, run.id.text, run.project.text, now.micros}));
  return true;
}

Result<bool> begin_experiment_erasure(Connection& connection, const DeletedExperiment& experiment, Time now) {
  const auto made = TRY(connection.run(
      "INSERT INTO experiment_erasures (number, project_id, begun_at) SELECT number, project_id, CAST(? AS BIGINT) FROM "
      "experiments e WHERE e.number = ? AND e.deleted = 1 AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.experiment = e.number) "
      "ON CONFLICT (number) DO NOTHING",
      {now.micros, experiment.number}));
  return made > 0;
}

Result<std::vector<Erasure>> begun_run_erasures(Connection& connection, std::int64_t most) {
  return connection.rows("SELECT number, id, project_id FROM run_erasures ORDER BY number LIMIT ?", {most},
                         [](const Row& row) {
                           return Erasure{row.integer(0), std::string(row.text(1)), ProjectId(row.text(2))};
                         });
}

Result<std::vector<Erasure>> begun_experiment_erasures(Connection& connection, std::int64_t most) {
  return connection.rows("SELECT number, project_id FROM experiment_erasures ORDER BY number LIMIT ?", {most},
                         [](const Row& row) {
                           return Erasure{row.integer(0), {}, ProjectId(row.text(1))};
                         });
}

Result<std::int64_t> erase_run_rows(Connection& connection, const Erasure& run, std::int64_t rows_max) {
  Budget budget(rows_max);
  TRY(erase_from_all(connection, kRunTables, run.number, budget));
  TRY(erase_traces(connection, traces_of_run(run), budget));
  TRY(erase_links(connection, run, budget));
  if (!budget.is_spent()) {
    TRY(erase_models(
        connection,
        "SELECT number, id FROM logged_models WHERE source_run_id = ? AND project_id = ? ORDER BY number LIMIT ?",
        {run.id, run.project.text, kModelsMax}, budget));
  }
  return budget.spent();
}

Result<std::int64_t> erase_experiment_rows(Connection& connection, const Erasure& experiment, std::int64_t rows_max) {
  Budget budget(rows_max);
  TRY(erase_traces(connection, Sql{"SELECT number FROM traces WHERE experiment = ?", {experiment.number}}, budget));
  if (!budget.is_spent()) {
    TRY(erase_models(connection, "SELECT number, id FROM logged_models WHERE experiment = ? ORDER BY number LIMIT ?",
                     {experiment.number, kModelsMax}, budget));
  }
  TRY(erase_scorers(connection, experiment, budget));
  TRY(erase_from_all(connection, kExperimentTables, experiment.number, budget));
  return budget.spent();
}

Result<void> end_run_erasure(Connection& connection, const Erasure& run) {
  TRY(connection.run("DELETE FROM run_erasures WHERE number = ?", {run.number}));
  // What a sorter worked out for this run before must not come back: it has to begin anew.
  TRY(connection.run("UPDATE metric_sorter SET version = version + 1 WHERE id = 1", {}));
  return {};
}

Result<void> end_experiment_erasure(Connection& connection, const Erasure& experiment) {
  TRY(connection.run("DELETE FROM experiments WHERE number = ? AND deleted = 1", {experiment.number}));
  TRY(connection.run("DELETE FROM experiment_erasures WHERE number = ?", {experiment.number}));
  return {};
}

Result<void> check_not_erased(Connection& connection, const RunId& run) {
  const auto found =
      TRY(connection.first("SELECT 1 FROM run_erasures WHERE id = ?", {run.text}, [](const Row&) { return true; }));
  if (!found) return {};
  return Error{ErrorCode::busy,
               fmt::format("what is left of a removed run {} is still being removed; try again in a moment", run.text)};
}

}  // namespace slipway::tracking
