#include "monitor/rows.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/text.h"
#include "monitor/case_filter.h"

namespace slipway::monitor::rows {
namespace {

using catalog::Connection;
using catalog::Row;
using catalog::Value;
using catalog::Values;

#define CASE_COLUMNS                                                                                                                \
  "id, project_id, deployment, answer_id, revision_id, model, version, at, reason, state, prediction, confidence, correct, label, " \
  "comment, error, statistics, body_hash, body_bytes, json_bytes, media_type, slice, commit_id, target_hash, target_bytes"
#define FINDING_COLUMNS \
  "id, project_id, deployment, model, version, kind, statistic, state, value, threshold, message, created_at, updated_at, closed_at"

constexpr std::string_view kInsertCase =
    "INSERT INTO cases (" CASE_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (answer_id) DO NOTHING";
constexpr std::string_view kUpdateCase =
    "UPDATE cases SET state = ?, correct = ?, label = ?, comment = ?, slice = ?, commit_id = ?, target_hash = ?, target_bytes = ? WHERE id = ?";
constexpr std::string_view kInsertFinding =
    "INSERT INTO findings (" FINDING_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, NULL)";
constexpr std::string_view kUpsertReference =
    "INSERT INTO drift_references (project_id, model, version, statistic, source, histogram, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (project_id, model, version, statistic) DO UPDATE SET source = excluded.source, histogram = excluded.histogram, created_at = excluded.created_at";
#define MINUTE_COLUMNS "minute, requests, errors, latency_sum_us, latency_buckets, confidence_sum, confidence_count"
constexpr std::string_view kSelectMinutes =
    "SELECT " MINUTE_COLUMNS
    " FROM traffic_minutes WHERE project_id = ? AND deployment = ? AND minute >= ? ORDER BY minute";
constexpr std::string_view kSelectMinute =
    "SELECT " MINUTE_COLUMNS " FROM traffic_minutes WHERE project_id = ? AND deployment = ? AND minute = ?";
constexpr std::string_view kSumMinutes =
    "SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT), CAST(COALESCE(SUM(errors), 0) AS BIGINT) FROM traffic_minutes "
    "WHERE project_id = ? AND deployment = ?";
constexpr std::string_view kUpsertMinute =
    "INSERT INTO traffic_minutes (project_id, deployment, minute, requests, errors, latency_sum_us, latency_buckets, confidence_sum, confidence_count) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, deployment, minute) DO UPDATE SET requests = excluded.requests, errors = excluded.errors, "
    "latency_sum_us = excluded.latency_sum_us, latency_buckets = excluded.latency_buckets, confidence_sum = excluded.confidence_sum, confidence_count = excluded.confidence_count";

double number_or_nan(const Json& json) { return json.number().value_or(std::numeric_limits<double>::quiet_NaN()); }

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Case case_of(const Row& row) {
  Case found;
  found.id = CaseId(row.text(0));
  found.project = ProjectId(row.text(1));
  found.deployment = row.text(2);
  found.answer = AnswerId(row.text(3));
  found.revision = RevisionId(row.text(4));
  found.model = row.text(5);
  found.version = row.integer(6);
  found.at = Time{row.integer(7)};
  found.reason = parse_case_reason(row.text(8)).value_or(CaseReason::sampled);
  found.state = parse_case_state(row.text(9)).value_or(CaseState::open);
  found.prediction = row.text(10);
  if (!row.is_null(11)) found.confidence = row.number(11);
  if (!row.is_null(12)) found.correct = row.integer(12) != 0;
  found.label = row.text(13);
  found.comment = row.text(14);
  found.error = row.text(15);
  const auto statistics = Json::parse(row.text(16));
  if (statistics.ok()) found.statistics = parse_statistics(*statistics);
  const auto body = parse_hash(row.text(17));
  if (body.ok()) found.body = *body;
  found.body_bytes = static_cast<std::uint64_t>(row.integer(18));
  found.json_bytes = static_cast<std::uint64_t>(row.integer(19));
  found.media_type = row.text(20);
  found.slice = row.text(21);
  found.commit = row.text(22);
  const auto target = parse_hash(row.text(23));
  if (target.ok()) found.target = *target;
  found.target_bytes = static_cast<std::uint64_t>(row.integer(24));
  return found;
}

Finding finding_of(const Row& row) {
  Finding found{FindingId(row.text(0)),
                ProjectId(row.text(1)),
                std::string(row.text(2)),
                std::string(row.text(3)),
                row.integer(4),
                std::string(row.text(5)),
                std::string(row.text(6)),
                row.text(7) == "open",
                row.number(8),
                row.number(9),
                std::string(row.text(10)),
                Time{row.integer(11)},
                Time{row.integer(12)},
                {}};
  if (const auto closed = row.maybe_integer(13)) found.closed_at = Time{*closed};
  return found;
}

std::string hash_text(const std::optional<Hash>& hash) { return hash ? slipway::render(*hash) : ""; }

Value truth(const std::optional<bool>& value) { return value ? Value(std::int64_t{*value}) : Value(nullptr); }

TrafficCounts counts_of(const Row& row) {
  return {row.integer(1), row.integer(2), row.integer(3), row.integer(6), row.number(5), parse_buckets(row.text(4))};
}

/// The WHERE of a list of cases, without its page.
Result<std::string> conditions_of(const CaseQuery& query, Values& values, FilterPlace* place) {
  std::string sql = " FROM cases WHERE project_id = ?";
  values.emplace_back(query.project.text);
  const auto narrow = [&](const char* condition, const std::string& value) {
    if (value.empty()) return;
    sql += condition;
    values.emplace_back(value);
  };
  narrow(" AND deployment = ?", query.deployment);
  narrow(" AND state = ?", query.state);
  narrow(" AND slice = ?", query.slice);
  return sql + TRY(case_conditions(query.filter, values, place));
}

}  // namespace

Json render(const TensorStatistics& figures) {
  Json json{Json::Object{}};
  json.set("input_mean", number_or_null(figures.input_mean))
      .set("input_deviation", number_or_null(figures.input_deviation));
  json.set("input_min", number_or_null(figures.input_min)).set("input_max", number_or_null(figures.input_max));
  json.set("output_mean", number_or_null(figures.output_mean))
      .set("output_deviation", number_or_null(figures.output_deviation));
  json.set("confidence", number_or_null(figures.confidence)).set("margin", number_or_null(figures.margin));
  return json.set("predicted_class", figures.predicted_class < 0 ? Json() : Json(figures.predicted_class));
}

TensorStatistics parse_statistics(const Json& json) {
  TensorStatistics figures;
  figures.input_mean = number_or_nan(json["input_mean"]);
  figures.input_deviation = number_or_nan(json["input_deviation"]);
  figures.input_min = number_or_nan(json["input_min"]);
  figures.input_max = number_or_nan(json["input_max"]);
  figures.output_mean = number_or_nan(json["output_mean"]);
  figures.output_deviation = number_or_nan(json["output_deviation"]);
  figures.confidence = number_or_nan(json["confidence"]);
  figures.margin = number_or_nan(json["margin"]);
  figures.predicted_class = json["predicted_class"].integer().value_or(-1);
  return figures;
}

Result<bool> insert_case(Connection& c, const Case& kept) {
  const std::int64_t inserted = TRY(c.run(kInsertCase, {kept.id.text,
                                                        kept.project.text,
                                                        kept.deployment,
                                                        kept.answer.text,
                                                        kept.revision.text,
                                                        kept.model,
                                                        kept.version,
                                                        kept.at.micros,
                                                        std::string(name(kept.reason)),
                                                        std::string(name(kept.state)),
                                                        kept.prediction,
                                                        kept.confidence ? Value(*kept.confidence) : Value(nullptr),
                                                        truth(kept.correct),
                                                        kept.label,
                                                        kept.comment,
                                                        kept.error,
                                                        render(kept.statistics).render(),
                                                        hash_text(kept.body),
                                                        static_cast<std::int64_t>(kept.body_bytes),
                                                        static_cast<std::int64_t>(kept.json_bytes),
                                                        kept.media_type,
                                                        kept.slice,
                                                        kept.commit,
                                                        hash_text(kept.target),
                                                        static_cast<std::int64_t>(kept.target_bytes)}));
  return inserted > 0;
}

Result<std::vector<Case>> select_cases(Connection& c, const CaseQuery& query, FilterPlace* place) {
  Values values;
  std::string sql = "SELECT " CASE_COLUMNS + TRY(conditions_of(query, values, place));
  if (!query.before.empty()) {
    sql += " AND id < ?";
    values.emplace_back(query.before);
  }
  values.emplace_back(static_cast<std::int64_t>(query.most) + 1);
  return c.rows(sql + " ORDER BY id DESC LIMIT ?", values, case_of);
}

Result<std::int64_t> count_cases(Connection& c, const CaseQuery& query, FilterPlace* place) {
  Values values;
  const std::string sql = "SELECT COUNT(*)" + TRY(conditions_of(query, values, place));
  return TRY(c.first(sql, values, [](const Row& row) { return row.integer(0); })).value_or(0);
}

Result<std::optional<Case>> select_case(Connection& c, const ProjectId& project, const CaseId& id) {
  return c.first("SELECT " CASE_COLUMNS " FROM cases WHERE project_id = ? AND id = ?", {project.text, id.text},
                 case_of);
}

Result<std::optional<Case>> select_case_of_answer(Connection& c, const AnswerId& answer) {
  return c.first("SELECT " CASE_COLUMNS " FROM cases WHERE answer_id = ?", {answer.text}, case_of);
}

Result<void> update_case(Connection& c, const Case& changed) {
  TRY(c.run(kUpdateCase, {std::string(name(changed.state)), truth(changed.correct), changed.label, changed.comment,
                          changed.slice, changed.commit, hash_text(changed.target),
                          static_cast<std::int64_t>(changed.target_bytes), changed.id.text}));
  return {};
}

Result<std::int64_t> count_open_cases(Connection& c, const ProjectId& project, std::string_view deployment) {
  const auto number = [](const Row& row) { return row.integer(0); };
  const auto count =
      deployment.empty()
          ? c.first("SELECT COUNT(*) FROM cases WHERE project_id = ? AND state = 'open'", {project.text}, number)
          : c.first("SELECT COUNT(*) FROM cases WHERE project_id = ? AND deployment = ? AND state = 'open'",
                    {project.text, std::string(deployment)}, number);
  return TRY(count).value_or(0);
}

Result<void> select_bodies(Connection& c, const std::function<void(const Hash&)>& visit) {
  TRY(c.run("SELECT body_hash, target_hash FROM cases WHERE body_hash <> '' OR target_hash <> ''", {},
            [&](const Row& row) {
              for (const int column : {0, 1}) {
                const auto hash = parse_hash(row.text(column));
                if (hash.ok()) visit(*hash);
              }
              return true;
            }));
  return {};
}

namespace {

constexpr std::string_view kSelectOpenFinding =
    "SELECT id FROM findings WHERE project_id = ? AND deployment = ? AND model = ? AND version = ? AND kind = ? AND statistic = ? AND state = 'open'";

Result<std::optional<FindingId>> open_finding(Connection& c, const Finding& finding) {
  return c.first(
      kSelectOpenFinding,
      {finding.project.text, finding.deployment, finding.model, finding.version, finding.kind, finding.statistic},
      [](const Row& row) { return FindingId(row.text(0)); });
}

}  // namespace

Result<Noticed> notice(Connection& c, const Finding& finding) {
  if (const auto id = TRY(open_finding(c, finding))) {
    TRY(c.run("UPDATE findings SET value = ?, threshold = ?, message = ?, updated_at = ? WHERE id = ?",
              {finding.value, finding.threshold, finding.message, finding.updated_at.micros, id->text}));
    return Noticed{*id, false};
  }
  TRY(c.run(kInsertFinding, {finding.id.text, finding.project.text, finding.deployment, finding.model, finding.version,
                             finding.kind, finding.statistic, finding.value, finding.threshold, finding.message,
                             finding.created_at.micros, finding.updated_at.micros}));
  return Noticed{finding.id, true};
}

Result<bool> settle_finding(Connection& c, const Finding& finding) {
  const auto id = TRY(open_finding(c, finding));
  if (!id) return false;
  TRY(close_finding(c, *id, finding.updated_at));
  return true;
}

Result<std::vector<Finding>> select_findings(Connection& c, const ProjectId& project, std::string_view deployment,
                                             std::optional<bool> open, size_t most) {
  std::string sql = "SELECT " FINDING_COLUMNS " FROM findings WHERE project_id = ?";
  Values values = {project.text};
  if (!deployment.empty()) {
    sql += " AND deployment = ?";
    values.emplace_back(std::string(deployment));
  }
  if (open) {
    sql += " AND state = ?";
    values.emplace_back(std::string(*open ? "open" : "closed"));
  }
  values.emplace_back(static_cast<std::int64_t>(most));
  return c.rows(sql + " ORDER BY id DESC LIMIT ?", values, finding_of);
}

Result<std::optional<Finding>> select_finding(Connection& c, const ProjectId& project, const FindingId& id) {
  return c.first("SELECT " FINDING_COLUMNS " FROM findings WHERE project_id = ? AND id = ?", {project.text, id.text},
                 finding_of);
}

Result<void> close_finding(Connection& c, const FindingId& id, Time at) {
  TRY(c.run("UPDATE findings SET state = 'closed', updated_at = ?, closed_at = ? WHERE id = ? AND state = 'open'",
            {at.micros, at.micros, id.text}));
  return {};
}

Result<void> upsert_reference(Connection& c, const ProjectId& project, const std::string& model, std::int64_t version,
                              const Reference& reference, Time at) {
  for (const auto& [statistic_name, histogram] : reference.histograms) {
    TRY(c.run(kUpsertReference, {project.text, model, version, statistic_name, reference.source,
                                 monitor::render(histogram).render(), at.micros}));
  }
  return {};
}

Result<std::optional<Reference>> select_reference(Connection& c, const ProjectId& project, const std::string& model,
                                                  std::int64_t version) {
  Reference reference;
  Error problem;
  TRY(c.run(
      "SELECT statistic, source, histogram FROM drift_references WHERE project_id = ? AND model = ? AND version = ?",
      {project.text, model, version}, [&](const Row& row) {
        const auto json = Json::parse(row.text(2));
        auto histogram = json.ok() ? parse_histogram(*json) : Result<Histogram>(json.error());
        if (!histogram.ok()) {
          problem = context(histogram.error(), "in the drift reference of " + model + "/" + std::to_string(version));
          return false;
        }
        reference.source = row.text(1);
        reference.histograms.emplace(std::string(row.text(0)), std::move(*histogram));
        return true;
      }));
  if (!problem.message.empty()) return problem;
  if (reference.histograms.empty()) return std::optional<Reference>();
  return std::optional(std::move(reference));
}

Result<void> add_minute(Connection& c, const std::string& project, const std::string& deployment, Time minute,
                        const TrafficCounts& counts) {
  TrafficCounts sum = counts;
  const auto kept = TRY(c.first(kSelectMinute, {project, deployment, minute.micros}, counts_of));
  if (kept) sum.add(*kept);
  TRY(c.run(kUpsertMinute, {project, deployment, minute.micros, sum.requests, sum.errors, sum.latency_sum_us,
                            render_buckets(sum.latency), sum.confidence_sum, sum.confidence_count}));
  return {};
}

Result<std::map<Time, TrafficCounts>> select_minutes(Connection& c, const std::string& project,
                                                     const std::string& deployment, Time since) {
  std::map<Time, TrafficCounts> minutes;
  TRY(c.run(kSelectMinutes, {project, deployment, since.micros}, [&](const Row& row) {
    minutes[{row.integer(0)}] = counts_of(row);
    return true;
  }));
  return minutes;
}

Result<TrafficSum> sum_minutes(Connection& c, const std::string& project, const std::string& deployment) {
  const auto sum = TRY(c.first(kSumMinutes, {project, deployment}, [](const Row& row) {
    return TrafficSum{row.integer(0), row.integer(1), {}};
  }));
  return sum.value_or(TrafficSum{});
}

}  // namespace slipway::monitor::rows
