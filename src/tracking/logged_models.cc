#include "tracking/logged_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/ids.h"
#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/run_rows.h"
#include "tracking/runs.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;

namespace {

constexpr double kMicrosPerMilli = 1000;

std::string_view stored_name(LoggedModelStatus status) {
  switch (status) {
    case LoggedModelStatus::pending: return "pending";
    case LoggedModelStatus::ready: return "ready";
    case LoggedModelStatus::upload_failed: return "upload_failed";
  }
  return "pending";
}

LoggedModelStatus parse_status(std::string_view text) {
  return text == "ready"           ? LoggedModelStatus::ready
         : text == "upload_failed" ? LoggedModelStatus::upload_failed
                                   : LoggedModelStatus::pending;
}

Error no_model(const LoggedModelId& id) {
  return {ErrorCode::not_found, fmt::format("Logged model with ID '{}' not found.", clean_utf8(id.text, 300))};
}

LoggedModel make_model(const catalog::Row& row) {
  LoggedModel out;
  out.number = row.integer(0);
  out.id = LoggedModelId(row.text(1));
  out.experiment = ExperimentId(row.text(2));
  out.name = row.text(3);
  out.model_type = row.text(4);
  out.status = parse_status(row.text(5));
  if (!row.is_null(6)) out.source_run = RunId(row.text(6));
  out.artifact_uri = row.text(7);
  out.created_at = {row.integer(8)};
  out.updated_at = {row.integer(9)};
  return out;
}

Result<std::vector<LoggedModel>> read_models(Connection& connection, std::string_view where,
                                             const catalog::Values& values) {
  auto out = TRY(connection.rows(
      "SELECT m.number, m.id, e.id, m.name, m.model_type, m.status, m.source_run_id, m.artifact_uri, m.created_at, m.updated_at "
      "FROM logged_models m JOIN experiments e ON e.number = m.experiment WHERE m.deleted = 0 AND " +
          std::string(where),
      values, make_model));
  for (LoggedModel& model : out) {
    model.params = TRY(read_pairs(connection, "SELECT key, value FROM logged_model_params WHERE model = ? ORDER BY key",
                                  model.number));
    model.tags = TRY(
        read_pairs(connection, "SELECT key, value FROM logged_model_tags WHERE model = ? ORDER BY key", model.number));
    model.metrics = TRY(connection.rows(
        "SELECT key, dataset_name, dataset_digest, run_id, value, step, at_ms FROM logged_model_metrics WHERE model = ? ORDER BY key, dataset_name",
        {model.number}, [](const catalog::Row& row) {
          return LoggedModelMetric{std::string(row.text(0)),
                                   std::string(row.text(1)),
                                   std::string(row.text(2)),
                                   std::string(row.text(3)),
                                   row.is_null(4) ? std::nan("") : row.number(4),
                                   row.integer(5),
                                   row.integer(6)};
        }));
  }
  return out;
}

Result<LoggedModel> read_model(Connection& connection, const ProjectId& project, const LoggedModelId& id) {
  auto found = TRY(read_models(connection, "m.id = ? AND m.project_id = ?", {id.text, project.text}));
  if (found.empty()) return no_model(id);
  return std::move(found[0]);
}

Result<void> put_pairs(Connection& connection, const char* table, std::int64_t model, const KeyValues& pairs) {
  const std::string sql = fmt::format(
      "INSERT INTO {} (model, key, value) VALUES (?, ?, ?) ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
      table);
  for (const auto& [key, value] : pairs) TRY(connection.run(sql, {model, key, value}));
  return {};
}

/// The SQL for an attribute of a model, and whether it is a time.
struct Attribute {
  std::string_view name, expression;
  bool is_time = false;
};
constexpr Attribute kAttributes[] = {
    {"name", "m.name"},
    {"model_name", "m.name"},
    {"model_id", "m.id"},
    {"model_type", "m.model_type"},
    {"source_run_id", "m.source_run_id"},
    {"status", "CASE m.status WHEN 'ready' THEN 'READY' WHEN 'pending' THEN 'PENDING' ELSE 'FAILED' END"},
    {"creation_timestamp", "m.created_at", true},
    {"creation_time", "m.created_at", true},
    {"creation_timestamp_ms", "m.created_at", true},
    {"last_updated_timestamp", "m.updated_at", true},
    {"last_updated_time", "m.updated_at", true},
    {"last_updated_timestamp_ms", "m.updated_at", true},
};

Result<const Attribute*> find_attribute(std::string_view key) {
  for (const Attribute& attribute : kAttributes) {
    if (attribute.name == key) return &attribute;
  }
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("Invalid field name: '{}'; logged models have name, model_id, model_type, status, source_run_id, "
                  "creation_timestamp and last_updated_timestamp",
                  clean_utf8(key, 100))};
}

Result<Sql> condition(const FilterComparison& comparison) {
  Sql sql;
  switch (comparison.entity) {
    case FilterEntity::attribute: {
      const Attribute* attribute = TRY(find_attribute(comparison.key));
      return attribute->is_time ? compare_number(attribute->expression, comparison, kMicrosPerMilli)
                                : compare_text(attribute->expression, comparison);
    }
    case FilterEntity::metric:
      sql.add("EXISTS (SELECT 1 FROM logged_model_metrics x WHERE x.model = m.number AND x.key = ? AND ",
              comparison.key);
      return sql.add(TRY(compare_number("x.value", comparison))).add(")");
    case FilterEntity::parameter:
    case FilterEntity::tag: {
      const bool is_tag = comparison.entity == FilterEntity::tag;
      return compare_pair(is_tag ? "logged_model_tags" : "logged_model_params", "x.model = m.number", comparison.key,
                          comparison);
    }
    case FilterEntity::dataset: break;
  }
  return Error{ErrorCode::invalid_argument,
               "logged models are not filtered by dataset here; name the dataset beside a metric"};
}

Result<Sql> order_expression(const LoggedModelOrder& order, KeyKind& kind) {
  Sql sql;
  if (!order.field.starts_with("metrics.")) {
    const Attribute* attribute = TRY(find_attribute(order.field));
    kind = attribute->is_time ? KeyKind::integer : KeyKind::text;
    return sql.add(attribute->expression);
  }
  kind = KeyKind::real;
  sql.add("(SELECT MAX(x.value) FROM logged_model_metrics x WHERE x.model = m.number AND x.key = ?",
          order.field.substr(8));
  if (!order.dataset_name.empty()) sql.add(" AND x.dataset_name = ?", order.dataset_name);
  if (!order.dataset_digest.empty()) sql.add(" AND x.dataset_digest = ?", order.dataset_digest);
  return sql.add(")");
}

}  // namespace

std::string_view name(LoggedModelStatus status) {
  switch (status) {
    case LoggedModelStatus::pending: return "LOGGED_MODEL_PENDING";
    case LoggedModelStatus::ready: return "LOGGED_MODEL_READY";
    case LoggedModelStatus::upload_failed: return "LOGGED_MODEL_UPLOAD_FAILED";
  }
  return "LOGGED_MODEL_PENDING";
}

Result<LoggedModel> LoggedModels::create(const NewLoggedModel& request) {
  const LoggedModelId id("m-" + new_hex_id_text(clock_));
  const std::int64_t now = clock_.now().micros;
  const std::string name = request.name.empty() ? random_run_name() : request.name;
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<LoggedModel> {
    const Experiment experiment = TRY(read_experiment(connection, request.project, request.experiment));
    if (experiment.deleted) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.",
                               experiment.id.text)};
    }
    const auto number = TRY(connection.first(
        "INSERT INTO logged_models (id, project_id, experiment, name, model_type, status, source_run_id, artifact_uri, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?) RETURNING number",
        {id.text, request.project.text, experiment.number, name, request.model_type,
         request.source_run ? catalog::Value(request.source_run->text) : catalog::Value(nullptr),
         fmt::format("{}/models/{}/artifacts", experiment.artifact_location, id.text), now, now},
        [](const catalog::Row& row) { return row.integer(0); }));
    TRY(put_pairs(connection, "logged_model_params", number.value_or(0), request.params));
    TRY(put_pairs(connection, "logged_model_tags", number.value_or(0), request.tags));
    return read_model(connection, request.project, id);
  });
}

Result<LoggedModel> LoggedModels::get(const ProjectId& project, const LoggedModelId& id) {
  return database_.read_value([&](Connection& connection) { return read_model(connection, project, id); });
}

Result<LoggedModel> LoggedModels::set_status(const ProjectId& project, const LoggedModelId& id,
                                             LoggedModelStatus status) {
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<LoggedModel> {
    TRY(connection.run(
        "UPDATE logged_models SET status = ?, updated_at = ? WHERE id = ? AND project_id = ? AND deleted = 0",
        {std::string(stored_name(status)), clock_.now().micros, id.text, project.text}));
    return read_model(connection, project, id);
  });
}

Result<void> LoggedModels::remove(const ProjectId& project, const LoggedModelId& id) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const LoggedModel model = TRY(read_model(connection, project, id));
    TRY(connection.run("UPDATE logged_models SET deleted = 1, updated_at = ? WHERE number = ?",
                       {clock_.now().micros, model.number}));
    return {};
  });
}

Result<LoggedModel> LoggedModels::set_tags(const ProjectId& project, const LoggedModelId& id, const KeyValues& tags) {
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<LoggedModel> {
    const LoggedModel model = TRY(read_model(connection, project, id));
    TRY(put_pairs(connection, "logged_model_tags", model.number, tags));
    return read_model(connection, project, id);
  });
}

Result<void> LoggedModels::delete_tag(const ProjectId& project, const LoggedModelId& id, const std::string& key) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const LoggedModel model = TRY(read_model(connection, project, id));
    const auto gone =
        TRY(connection.run("DELETE FROM logged_model_tags WHERE model = ? AND key = ?", {model.number, key}));
    if (gone == 0)
      return Error{ErrorCode::not_found,
                   fmt::format("No tag with key '{}' found for model with ID '{}'.", clean_utf8(key, 300), id.text)};
    return {};
  });
}

Result<LoggedModel> LoggedModels::log_params(const ProjectId& project, const LoggedModelId& id,
                                             const KeyValues& params) {
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<LoggedModel> {
    const LoggedModel model = TRY(read_model(connection, project, id));
    TRY(put_pairs(connection, "logged_model_params", model.number, params));
    return read_model(connection, project, id);
  });
}

Result<Paged<LoggedModel>> LoggedModels::search(const LoggedModelQuery& query) {
  if (query.page_size == 0 || query.page_size > kLoggedModelsSearchedMax) {
    return Error{ErrorCode::invalid_argument, fmt::format("Invalid value for max_results: {}; expected 1 to {}",
                                                          query.page_size, kLoggedModelsSearchedMax)};
  }
  std::string print = query.project.text + render(query.filter);
  Sql sql;
  sql.add("m.project_id = ?", query.project.text).add(" AND e.id IN (");
  for (size_t i = 0; i < query.experiments.size(); ++i) {
    sql.add(i ? ", ?" : "?", query.experiments[i].text);
    print += '\n' + query.experiments[i].text;
  }
  sql.add(query.experiments.empty() ? "'')" : ")");
  for (const FilterComparison& comparison : query.filter.comparisons) sql.add(" AND ").add(TRY(condition(comparison)));
  std::vector<SortKey> keys;
  for (const LoggedModelOrder& order : query.order) {
    print += fmt::format("\t{}\t{}\t{}\t{}", order.field, order.ascending, order.dataset_name, order.dataset_digest);
    KeyKind kind = KeyKind::text;
    const Sql expression = TRY(order_expression(order, kind));
    add_nullable_key(keys, expression, order.ascending, kind);
  }
  keys.push_back({Sql{"m.created_at", {}}, false, KeyKind::integer});
  keys.push_back({Sql{"m.id", {}}, true, KeyKind::text});
  // Pages go on by position: a search for models is small, and what a token holds is bound to the search.
  print = fingerprint(print);
  std::int64_t offset = 0;
  if (!query.page_token.empty()) {
    const PageMark mark = TRY(parse_page_token(query.page_token, print));
    if (mark.last.size() == 1 && std::holds_alternative<std::int64_t>(mark.last[0]))
      offset = std::get<std::int64_t>(mark.last[0]);
  }
  sql.add(order_by(keys)).add(" LIMIT ?", static_cast<std::int64_t>(query.page_size + 1)).add(" OFFSET ?", offset);
  return database_.read_value([&](Connection& connection) -> Result<Paged<LoggedModel>> {
    Paged<LoggedModel> page;
    page.items = TRY(read_models(connection, sql.text, sql.values));
    if (page.items.size() <= query.page_size) return page;
    page.items.pop_back();
    page.next_page_token = render_page_token({print, 0, {offset + static_cast<std::int64_t>(query.page_size)}});
    return page;
  });
}

}  // namespace slipway::tracking
