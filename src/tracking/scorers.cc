#include "tracking/scorers.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;

namespace {

constexpr std::string_view kSelect =
    "SELECT s.id, e.id, e.number, s.name, v.version, v.body, v.created_at FROM scorers s JOIN experiments e ON e.number = "
    "s.experiment JOIN scorer_versions v ON v.scorer = s.number ";

Scorer make_scorer(const Row& row) {
  return {.id = ScorerId(row.text(0)),
          .experiment = ExperimentId(row.text(1)),
          .experiment_number = row.integer(2),
          .name = std::string(row.text(3)),
          .version = row.integer(4),
          .body = std::string(row.text(5)),
          .created_at = {row.integer(6)}};
}

/// By id, or by number.
Result<Experiment> find_experiment(Connection& connection, const ProjectId& project, const ExperimentId& id) {
  auto found = read_experiment(connection, project, id);
  const auto number = parse_i64(id.text);
  if (found.ok() || found.error().code != ErrorCode::not_found || !number) return found;
  auto numbered = TRY(read_experiments(connection, "WHERE number = ? AND project_id = ?", {*number, project.text}));
  if (numbered.empty()) return found;
  return std::move(numbered[0]);
}

Result<Experiment> need_active(Connection& connection, const ProjectId& project, const ExperimentId& id) {
  Experiment experiment = TRY(find_experiment(connection, project, id));
  if (!experiment.deleted) return experiment;
  return Error{ErrorCode::invalid_argument,
               fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", id.text)};
}

Error no_scorer(const ExperimentId& experiment, const std::string& name, std::optional<std::int64_t> version) {
  return {ErrorCode::not_found,
          fmt::format("Scorer with name '{}'{} not found for experiment {}.", clean_utf8(name, 300),
                      version ? fmt::format(" and version {}", *version) : "", clean_utf8(experiment.text, 100))};
}

/// The scorer's row.
struct Found {
  std::int64_t number = 0;
  ScorerId id;
  Experiment experiment;
};
Result<Found> need_scorer(Connection& connection, const ProjectId& project, const ExperimentId& id,
                          const std::string& name) {
  Experiment experiment = TRY(need_active(connection, project, id));
  auto found = TRY(connection.first("SELECT number, id FROM scorers WHERE experiment = ? AND name = ?",
                                    {experiment.number, name}, [](const Row& row) {
                                      return Found{row.integer(0), ScorerId(row.text(1)), {}};
                                    }));
  if (!found) return no_scorer(id, name, std::nullopt);
  found->experiment = std::move(experiment);
  return std::move(*found);
}

Result<std::int64_t> put_scorer(Connection& connection, std::int64_t experiment, const std::string& name,
                                const ScorerId& fresh) {
  TRY(connection.run(
      "INSERT INTO scorers (id, experiment, name) VALUES (?, ?, ?) ON CONFLICT (experiment, name) DO NOTHING",
      {fresh.text, experiment, name}));
  return TRY(connection.first("SELECT number FROM scorers WHERE experiment = ? AND name = ?", {experiment, name},
                              [](const Row& row) { return row.integer(0); }))
      .value_or(0);
}

Result<std::int64_t> next_version(Connection& connection, std::int64_t scorer, const std::string& name) {
  struct Versions {
    std::int64_t last = 0, count = 0;
  };
  const auto versions = TRY(connection.first(
      "SELECT COALESCE(MAX(version), 0), COUNT(*) FROM scorer_versions WHERE scorer = ?", {scorer}, [](const Row& row) {
        return Versions{row.integer(0), row.integer(1)};
      }));
  if (versions->count < kScorerVersionsMax) return versions->last + 1;
  return Error{ErrorCode::failed_precondition,
               fmt::format("the scorer '{}' has {} versions, which is the most there may be; delete some first",
                           clean_utf8(name, 300), kScorerVersionsMax)};
}

}  // namespace

Result<void> Scorers::check_experiment(const ProjectId& project, const ExperimentId& experiment) {
  return database_.read([&](Connection& connection) -> Result<void> {
    TRY(need_active(connection, project, experiment));
    return {};
  });
}

Result<Scorer> Scorers::add(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                            const std::string& body) {
  TRY(check_scorer_name(name));
  TRY(check_scorer_body(body));
  const ScorerId fresh(new_hex_id_text(clock_));
  const Time now = clock_.now();
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<Scorer> {
    const Experiment in = TRY(need_active(connection, project, experiment));
    const std::int64_t scorer = TRY(put_scorer(connection, in.number, name, fresh));
    const std::int64_t version = TRY(next_version(connection, scorer, name));
    TRY(connection.run("INSERT INTO scorer_versions (scorer, version, body, created_at) VALUES (?, ?, ?, ?)",
                       {scorer, version, body, now.micros}));
    auto made = TRY(connection.first(std::string(kSelect) + "WHERE s.number = ? AND v.version = ?", {scorer, version},
                                     make_scorer));
    return std::move(*made);
  });
}

Result<std::vector<Scorer>> Scorers::list(const ProjectId& project,
                                          const std::optional<std::vector<ExperimentId>>& experiments) {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<Scorer>> {
    Sql sql{std::string(kSelect), {}};
    sql.add("WHERE e.project_id = ? AND e.deleted = 0", project.text);
    sql.add(" AND v.version = (SELECT MAX(w.version) FROM scorer_versions w WHERE w.scorer = s.number)");
    if (experiments) {
      std::vector<std::int64_t> numbers;
      for (const ExperimentId& id : *experiments) {
        const auto found = find_experiment(connection, project, id);
        if (found.ok())
          numbers.push_back(found->number);
        else if (found.error().code != ErrorCode::not_found)
          return found.error();
      }
      sql.add(" AND ").add(one_of("e.number", numbers));
    }
    sql.add(" ORDER BY e.number, s.name LIMIT ?", static_cast<std::int64_t>(kScorersListedMax));
    return connection.rows(sql.text, sql.values, make_scorer);
  });
}

Result<std::vector<Scorer>> Scorers::versions(const ProjectId& project, const ExperimentId& experiment,
                                              const std::string& name) {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<Scorer>> {
    const Found scorer = TRY(need_scorer(connection, project, experiment, name));
    auto all = TRY(
        connection.rows(std::string(kSelect) + "WHERE s.number = ? ORDER BY v.version", {scorer.number}, make_scorer));
    if (all.empty()) return no_scorer(experiment, name, std::nullopt);
    return all;
  });
}

Result<Scorer> Scorers::get(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                            std::optional<std::int64_t> version) {
  return database_.read_value([&](Connection& connection) -> Result<Scorer> {
    const Found scorer = TRY(need_scorer(connection, project, experiment, name));
    Sql sql{std::string(kSelect) + "WHERE s.number = ?", {scorer.number}};
    if (version) sql.add(" AND v.version = ?", *version);
    sql.add(" ORDER BY v.version DESC LIMIT 1");
    auto found = TRY(connection.first(sql.text, sql.values, make_scorer));
    if (!found) return no_scorer(experiment, name, version);
    return std::move(*found);
  });
}

Result<void> Scorers::remove(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                             std::optional<std::int64_t> version) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Found scorer = TRY(need_scorer(connection, project, experiment, name));
    Sql sql{"DELETE FROM scorer_versions WHERE scorer = ?", {scorer.number}};
    if (version) sql.add(" AND version = ?", *version);
    const auto gone = TRY(connection.run(sql.text, sql.values));
    if (gone == 0 && version) return no_scorer(experiment, name, version);
    if (version) return {};
    TRY(connection.run("DELETE FROM scorer_sampling WHERE scorer = ?", {scorer.number}));
    TRY(connection.run("DELETE FROM scorers WHERE number = ?", {scorer.number}));
    return {};
  });
}

Result<ScorerSampling> Scorers::set_sampling(const ProjectId& project, const ExperimentId& experiment,
                                             const std::string& name, double rate,
                                             const std::optional<std::string>& filter) {
  if (!(rate >= 0 && rate <= 1)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("sample_rate must be between 0.0 and 1.0, got {}", render_double(rate))};
  }
  const ScorerSamplingId id(new_hex_id_text(clock_));
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<ScorerSampling> {
    const Found scorer = TRY(need_scorer(connection, project, experiment, name));
    if (rate > 0) {
      return Error{ErrorCode::failed_precondition,
                   fmt::format("Scorer '{}' does not use a gateway model. Automatic evaluation is only supported for "
                               "scorers that use gateway models, and this server has none; run mlflow.genai.evaluate() "
                               "on the traces instead",
                               clean_utf8(name, 300))};
    }
    TRY(connection.run(
        "INSERT INTO scorer_sampling (scorer, id, rate, filter) VALUES (?, ?, ?, ?) ON CONFLICT (scorer) DO "
        "UPDATE SET id = excluded.id, rate = excluded.rate, filter = excluded.filter",
        {scorer.number, id.text, rate, filter ? Value(*filter) : Value(nullptr)}));
    return ScorerSampling{id, scorer.id, scorer.experiment.id, rate, filter};
  });
}

Result<std::vector<ScorerSampling>> Scorers::sampling(const ProjectId& project, const std::vector<ScorerId>& scorers) {
  if (scorers.size() > kScorerIdsMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("{} scorers in one request; at most {} are taken", scorers.size(), kScorerIdsMax)};
  }
  std::vector<std::string> ids;
  for (const ScorerId& id : scorers) ids.push_back(id.text);
  Sql sql{
      "SELECT x.id, s.id, e.id, x.rate, x.filter FROM scorer_sampling x JOIN scorers s ON s.number = x.scorer JOIN "
      "experiments e ON e.number = s.experiment WHERE e.project_id = ? AND ",
      {project.text}};
  sql.add(one_of_texts("s.id", ids)).add(" ORDER BY s.number");
  return database_.read_value([&](Connection& connection) {
    return connection.rows(sql.text, sql.values, [](const Row& row) {
      return ScorerSampling{ScorerSamplingId(row.text(0)), ScorerId(row.text(1)), ExperimentId(row.text(2)),
                            row.number(3), row.maybe_text(4)};
    });
  });
}

}  // namespace slipway::tracking
