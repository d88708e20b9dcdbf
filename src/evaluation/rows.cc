#include "evaluation/rows.h"

#include <cmath>
#include <limits>

namespace slipway::evaluation::rows {
namespace {

using catalog::Connection;
using catalog::Row;
using catalog::Value;
using catalog::Values;

#define EVALUATION_COLUMNS                                                                                                        \
  "id, project_id, name, model, version, dataset, commit_id, task, input, target, slices, state, run_id, message, results_hash, " \
  "samples, scores, member, created_at, ended_at"

Json bound(double value) { return std::isfinite(value) ? Json(value) : Json(); }

double bound_of(const Json& json, double otherwise) { return json.number().value_or(otherwise); }

std::vector<SliceQuery> slices_of(const Json& json) {
  std::vector<SliceQuery> slices;
  for (const Json& slice : json.array()) slices.push_back({slice["name"].string(), slice["query"].string()});
  return slices;
}

std::vector<SliceScore> scores_of(const Json& json) {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  std::vector<SliceScore> scores;
  for (const Json& score : json.array()) {
    scores.push_back({score["slice"].string(),
                      {score["value"].number().value_or(0), bound_of(score["low"], -kUnknown),
                       bound_of(score["high"], kUnknown), score["n"].integer().value_or(0)}});
  }
  return scores;
}

Json json_of(std::string_view text) { return Json::parse(text).value_or(Json()); }

Evaluation evaluation_of(const Row& row) {
  Evaluation found;
  found.id = EvaluationId(row.text(0));
  found.project = ProjectId(row.text(1));
  found.name = row.text(2);
  found.model = row.text(3);
  found.version = row.integer(4);
  found.dataset = row.text(5);
  found.commit = row.text(6);
  found.task = row.text(7);
  found.input = row.text(8);
  found.target = row.text(9);
  found.slices = slices_of(json_of(row.text(10)));
  found.state = parse_evaluation_state(row.text(11)).value_or(EvaluationState::failed);
  if (!row.text(12).empty()) found.run = RunId(row.text(12));
  found.message = row.text(13);
  const auto results = parse_hash(row.text(14));
  if (results.ok()) found.results = *results;
  found.samples = row.integer(15);
  found.scores = scores_of(json_of(row.text(16)));
  found.member = row.text(17);
  found.created_at = Time{row.integer(18)};
  if (const auto ended = row.maybe_integer(19)) found.ended_at = Time{*ended};
  return found;
}

Value nullable(const std::optional<Time>& time) { return time ? Value(time->micros) : Value(nullptr); }
std::string text_of(const std::optional<RunId>& run) { return run ? run->text : ""; }
std::string text_of(const std::optional<Hash>& hash) { return hash ? slipway::render(*hash) : ""; }

}  // namespace

Json to_json(const std::vector<SliceQuery>& slices) {
  Json::Array items;
  for (const SliceQuery& slice : slices)
    items.push_back(Json(Json::Object{}).set("name", slice.name).set("query", slice.query));
  return items;
}

Json to_json(const std::vector<SliceScore>& scores) {
  Json::Array items;
  for (const SliceScore& score : scores) {
    Json item{Json::Object{}};
    item.set("slice", score.slice)
        .set("value", bound(score.score.value))
        .set("low", bound(score.score.low))
        .set("high", bound(score.score.high));
    items.push_back(std::move(item.set("n", score.score.n)));
  }
  return items;
}

Result<void> insert(Connection& c, const Evaluation& e) {
  TRY(c.run("INSERT INTO evaluations (" EVALUATION_COLUMNS
            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {e.id.text,
             e.project.text,
             e.name,
             e.model,
             e.version,
             e.dataset,
             e.commit,
             e.task,
             e.input,
             e.target,
             to_json(e.slices).render(),
             std::string(name(e.state)),
             text_of(e.run),
             e.message,
             text_of(e.results),
             e.samples,
             to_json(e.scores).render(),
             e.member,
             e.created_at.micros,
             nullable(e.ended_at)}));
  return {};
}

Result<void> update(Connection& c, const Evaluation& e) {
  TRY(c.run(
      "UPDATE evaluations SET state = ?, run_id = ?, message = ?, results_hash = ?, samples = ?, scores = ?, ended_at = ? WHERE id = ?",
      {std::string(name(e.state)), text_of(e.run), e.message, text_of(e.results), e.samples, to_json(e.scores).render(),
       nullable(e.ended_at), e.id.text}));
  return {};
}

Result<std::optional<Evaluation>> select(Connection& c, const ProjectId& project, const EvaluationId& id) {
  return c.first("SELECT " EVALUATION_COLUMNS " FROM evaluations WHERE project_id = ? AND id = ?",
                 {project.text, id.text}, evaluation_of);
}

Result<std::vector<Evaluation>> select_many(Connection& c, const ProjectId& project, std::string_view model,
                                            std::string_view dataset, size_t most, std::string_view before) {
  std::string sql = "SELECT " EVALUATION_COLUMNS " FROM evaluations WHERE project_id = ?";
  Values values = {project.text};
  const auto narrow = [&](const char* condition, std::string_view value) {
    if (value.empty()) return;
    sql += condition;
    values.emplace_back(std::string(value));
  };
  narrow(" AND model = ?", model);
  narrow(" AND dataset = ?", dataset);
  narrow(" AND id < ?", before);
  values.emplace_back(static_cast<std::int64_t>(most));
  return c.rows(sql + " ORDER BY id DESC LIMIT ?", values, evaluation_of);
}

Result<std::vector<Evaluation>> select_running(Connection& c) {
  return c.rows("SELECT " EVALUATION_COLUMNS " FROM evaluations WHERE state = 'running' ORDER BY id LIMIT 1000", {},
                evaluation_of);
}

Result<std::optional<Evaluation>> select_finished(Connection& c, const ProjectId& project, const std::string& model,
                                                  std::int64_t version, const std::string& commit) {
  return c.first(
      "SELECT " EVALUATION_COLUMNS
      " FROM evaluations WHERE project_id = ? AND model = ? AND version = ? AND commit_id = ? AND state = 'finished' ORDER BY id DESC LIMIT 1",
      {project.text, model, version, commit}, evaluation_of);
}

Result<void> visit_results(Connection& c, const std::function<void(const Hash&)>& visit) {
  TRY(c.run("SELECT results_hash FROM evaluations WHERE results_hash <> ''", {}, [&](const Row& row) {
    const auto hash = parse_hash(row.text(0));
    if (hash.ok()) visit(*hash);
    return true;
  }));
  return {};
}

}  // namespace slipway::evaluation::rows

namespace slipway::evaluation {

Result<std::optional<std::string>> need_of_run(catalog::Connection& c, const RunId& run) {
  return c.first(
      "SELECT name FROM evaluations WHERE run_id = ? ORDER BY id LIMIT 1", {run.text},
      [](const catalog::Row& row) { return "the evaluation '" + std::string(row.text(0)) + "' was computed by it"; });
}

}  // namespace slipway::evaluation
