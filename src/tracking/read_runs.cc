// Reading whole runs: a page of them costs a statement per table, not per run, so that it costs the same on a database
// that is a network away.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/json.h"
#include "tracking/run_rows.h"
#include "tracking/runs.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr size_t kRunsReadAtOnce = 256;

// CROSS JOIN holds SQLite to looking up only the runs that are asked for.
constexpr const char* kRunColumns =
    "SELECT r.number, r.id, r.project_id, e.id, e.name, r.name, r.state, r.member_id, r.user_name, r.source_kind, r.source, r.parent_id, "
    "r.artifact_uri, r.created_at, r.updated_at, r.started_at, r.ended_at, r.deleted FROM runs r CROSS JOIN experiments e "
    "WHERE e.number = r.experiment AND ";

Run make_run(const catalog::Row& row) {
  Run out;
  out.number = row.integer(0);
  out.id = RunId(row.text(1));
  out.project = ProjectId(row.text(2));
  out.experiment = ExperimentId(row.text(3));
  out.experiment_name = row.text(4);
  out.name = row.text(5);
  out.state = parse_run_state(row.text(6)).value_or(RunState::failed);
  if (!row.is_null(7)) out.member = MemberId(row.text(7));
  out.user_name = row.text(8);
  out.source_kind = row.text(9) == "step" ? SourceKind::step : SourceKind::client;
  out.source = row.text(10);
  if (!row.is_null(11)) out.parent = RunId(row.text(11));
  out.artifact_uri = row.text(12);
  out.created_at = {row.integer(13)};
  out.updated_at = {row.integer(14)};
  out.started_at = {row.integer(15)};
  if (const auto ended = row.maybe_integer(16)) out.ended_at = Time{*ended};
  out.deleted = row.integer(17) != 0;
  return out;
}

/// Where each run stands in the answer.
using Places = std::unordered_map<std::int64_t, size_t>;

Places places_of(std::span<const std::int64_t> numbers) {
  Places places;
  for (size_t i = 0; i < numbers.size(); ++i) places.emplace(numbers[i], i);
  return places;
}

struct Pairs {
  const char* table;
  KeyValues Run::*member;
};

/// Parameters or tags of several runs, each run's sorted by key.
Result<void> read_run_pairs(Connection& connection, std::span<const std::int64_t> numbers, const Places& places,
                            const Pairs& pairs, const std::optional<std::vector<std::string>>& keys,
                            std::vector<Run>& runs) {
  if (keys && keys->empty()) return {};
  Sql sql{"SELECT run, key, value FROM ", {}};
  sql.add(pairs.table).add(" WHERE ").add(among("run", numbers, connection.is_postgres()));
  if (keys) sql.add(" AND ").add(one_of_texts("key", *keys));
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    (runs[places.at(row.integer(0))].*pairs.member).emplace_back(row.text(1), row.text(2));
    return true;
  }));
  for (Run& run : runs) {
    KeyValues& found = run.*pairs.member;
    if (!std::is_sorted(found.begin(), found.end())) std::sort(found.begin(), found.end());
  }
  return {};
}

/// The numbers of the wanted metrics; nullopt when all are wanted.
Result<std::optional<std::vector<MetricNumber>>> wanted_metrics(Connection& connection, const Metrics& metrics,
                                                                const ProjectId& project, const RunParts& parts) {
  if (!parts.metric_keys) return std::optional<std::vector<MetricNumber>>();
  std::vector<MetricNumber> wanted;
  for (const std::string& key : *parts.metric_keys) {
    if (const auto metric = TRY(metrics.names().number(connection, project, key))) wanted.push_back(*metric);
  }
  return std::optional(std::move(wanted));
}

/// Appends the runs of one piece that exist.
Result<void> read_piece(Connection& connection, const Metrics& metrics, std::span<const std::int64_t> numbers,
                        const RunParts& parts, std::vector<Run>& out) {
  const Places places = places_of(numbers);
  std::vector<Run> runs(numbers.size());
  Sql sql{kRunColumns, {}};
  sql.add(among("r.number", numbers, connection.is_postgres()));
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    runs[places.at(row.integer(0))] = make_run(row);
    return true;
  }));
  if (parts.params)
    TRY(read_run_pairs(connection, numbers, places, {"run_params", &Run::params}, parts.param_keys, runs));
  if (parts.tags) TRY(read_run_pairs(connection, numbers, places, {"run_tags", &Run::tags}, parts.tag_keys, runs));
  if (parts.metrics) {
    const auto known = std::find_if(runs.begin(), runs.end(), [](const Run& run) { return !run.id.empty(); });
    if (known == runs.end()) return {};
    const auto wanted = TRY(wanted_metrics(connection, metrics, known->project, parts));
    const SummaryParts summaries = parts.metric_extremes ? SummaryParts::all : SummaryParts::latest;
    auto found = TRY(metrics.read_summaries(connection, numbers, wanted ? &*wanted : nullptr, summaries));
    for (size_t i = 0; i < runs.size(); ++i) runs[i].metrics = std::move(found[i]);
  }
  for (Run& run : runs) {
    if (!run.id.empty()) out.push_back(std::move(run));
  }
  return {};
}

InputDataset make_dataset(const catalog::Row& r) {
  InputDataset dataset{std::string(r.text(1)),
                       std::string(r.text(2)),
                       std::string(r.text(3)),
                       std::string(r.text(4)),
                       r.maybe_text(5),
                       r.maybe_text(6),
                       {}};
  const auto tags = Json::parse(r.text(7));
  if (!tags.ok()) return dataset;
  for (const Json& tag : tags->array()) dataset.tags.emplace_back(tag["key"].string(), tag["value"].string());
  return dataset;
}

}  // namespace

Result<std::vector<Run>> read_runs(Connection& connection, const Metrics& metrics,
                                   std::span<const std::int64_t> numbers, const RunParts& parts) {
  std::vector<Run> out;
  out.reserve(numbers.size());
  for (; !numbers.empty(); numbers = numbers.subspan(std::min(numbers.size(), kRunsReadAtOnce)))
    TRY(read_piece(connection, metrics, numbers.first(std::min(numbers.size(), kRunsReadAtOnce)), parts, out));
  return out;
}

Result<std::vector<RunInputs>> read_inputs(Connection& connection, std::span<const std::int64_t> numbers) {
  const Places places = places_of(numbers);
  std::vector<RunInputs> out(numbers.size());
  const Sql runs = among("run", numbers, connection.is_postgres());
  Sql sql{
      "SELECT u.run, d.name, d.digest, d.source_type, d.source, d.dataset_schema, d.profile, u.tags FROM run_datasets u "
      "CROSS JOIN input_datasets d WHERE d.number = u.dataset AND u.",
      {}};
  sql.add(runs).add(" ORDER BY d.number");
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    out[places.at(row.integer(0))].datasets.push_back(make_dataset(row));
    return true;
  }));
  sql = {"SELECT run, direction, model_id, step FROM run_models WHERE ", {}};
  sql.add(runs).add(" ORDER BY step, model_id");
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    RunInputs& inputs = out[places.at(row.integer(0))];
    (row.text(1) == "input" ? inputs.models_in : inputs.models_out)
        .push_back({std::string(row.text(2)), row.integer(3)});
    return true;
  }));
  return out;
}

}  // namespace slipway::tracking
