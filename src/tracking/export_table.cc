#include "tracking/export_table.h"

#include <fmt/format.h>

#include <set>

namespace slipway::tracking {
namespace {

using catalog::ColumnType;
using catalog::TableColumn;
using catalog::TableWriter;

constexpr size_t kRunsPerPage = 200;

Result<void> each_run(Search& search, RunQuery query, const std::function<Result<void>(const Run&)>& visit) {
  query.page_size = kRunsPerPage;
  query.page_token.clear();
  while (true) {
    const RunPage page = TRY(search.runs(query));
    for (const Run& run : page.items) TRY(visit(run));
    if (!page.next_page_token) return {};
    query.page_token = *page.next_page_token;
  }
}

/// The keys that become columns, of each kind sorted.
struct Keys {
  std::set<std::string> params, metrics, tags;
  size_t size() const { return params.size() + metrics.size() + tags.size(); }
};

const std::vector<TableColumn> kAttributes = {
    {"id", ColumnType::text},      {"name", ColumnType::text},   {"experiment_name", ColumnType::text},
    {"state", ColumnType::text},   {"member", ColumnType::text}, {"started_at", ColumnType::time},
    {"ended_at", ColumnType::time}};

Result<Keys> keys_of(Search& search, const RunQuery& query, size_t columns_max) {
  Keys keys;
  TRY(each_run(search, query, [&](const Run& run) -> Result<void> {
    for (const auto& [key, value] : run.params) keys.params.insert(key);
    for (const auto& metric : run.metrics) keys.metrics.insert(metric.key);
    for (const auto& [key, value] : run.tags) keys.tags.insert(key);
    if (keys.size() + kAttributes.size() <= columns_max) return {};
    return Error{
        ErrorCode::too_large,
        fmt::format("these runs have more than {} different parameters, metrics and tags, and each is a column; "
                    "narrow the search, name the columns you need, or export points, which need none",
                    columns_max - kAttributes.size())};
  }));
  return keys;
}

std::vector<TableColumn> columns_of(const Keys& keys) {
  std::vector<TableColumn> columns = kAttributes;
  for (const std::string& key : keys.params) columns.push_back({"parameters." + key, ColumnType::text});
  for (const std::string& key : keys.metrics) columns.push_back({"metrics." + key, ColumnType::number});
  for (const std::string& key : keys.tags) columns.push_back({"tags." + key, ColumnType::text});
  return columns;
}

void write_attributes(TableWriter& table, const Run& run, const std::string& member) {
  table.text(run.id.text);
  table.text(run.name);
  table.text(run.experiment_name);
  table.text(name(run.state));
  member.empty() ? table.null() : table.text(member);
  table.time(run.started_at);
  run.ended_at ? table.time(*run.ended_at) : table.null();
}

/// Both are sorted by key.
void write_pairs(TableWriter& table, const std::set<std::string>& keys, const KeyValues& pairs) {
  auto at = pairs.begin();
  for (const std::string& key : keys) {
    while (at != pairs.end() && at->first < key) ++at;
    at != pairs.end() && at->first == key ? table.text(at->second) : table.null();
  }
}

void write_metrics(TableWriter& table, const std::set<std::string>& keys, const std::vector<MetricSummary>& metrics) {
  auto at = metrics.begin();
  for (const std::string& key : keys) {
    while (at != metrics.end() && at->key < key) ++at;
    at != metrics.end() && at->key == key ? table.number(at->value) : table.null();
  }
}

}  // namespace

Result<void> export_runs(Search& search, RunQuery query, size_t columns_max,
                         const std::function<std::string(const Run&)>& member_name, const OpenTable& open) {
  const Keys keys = TRY(keys_of(search, query, columns_max));
  TableWriter* const table = TRY(open(columns_of(keys)));
  return each_run(search, std::move(query), [&](const Run& run) -> Result<void> {
    write_attributes(*table, run, member_name(run));
    write_pairs(*table, keys.params, run.params);
    write_metrics(*table, keys.metrics, run.metrics);
    write_pairs(*table, keys.tags, run.tags);
    return table->end_row();
  });
}

Result<void> export_points(Search& search, const Metrics& metrics, RunQuery query, const OpenTable& open) {
  query.parts.params = query.parts.tags = false;
  TableWriter* const table = TRY(open({{"run", ColumnType::text},
                                       {"name", ColumnType::text},
                                       {"metric", ColumnType::text},
                                       {"step", ColumnType::integer},
                                       {"time", ColumnType::time},
                                       {"value", ColumnType::number}}));
  return each_run(search, query, [&](const Run& run) -> Result<void> {
    for (const MetricSummary& metric : run.metrics) {
      for (const Point& point : TRY(metrics.history(run.project, run.id, metric.key))) {
        table->text(run.id.text);
        table->text(run.name);
        table->text(metric.key);
        table->integer(point.step);
        table->time(Time::from_millis(point.at_ms));
        table->number(point.value);
        TRY(table->end_row());
      }
    }
    return {};
  });
}

}  // namespace slipway::tracking
