#include "retention/collector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "registry/erasure.h"
#include "retention/projects.h"
#include "runs/erasure.h"
#include "tracking/experiments.h"

namespace slipway::retention {
namespace {

using catalog::Connection;
using catalog::Durability;
using tracking::DeletedExperiment;
using tracking::DeletedMark;
using tracking::DeletedQuery;
using tracking::DeletedRun;
using tracking::Erasure;

constexpr std::int64_t kErasuresAtOnce = 50;

DeletedQuery query_of(const Criteria& criteria, Time now) {
  return {criteria.project, now - criteria.deleted_for, criteria.runs, criteria.experiments};
}

std::string render_mark(const DeletedRun& last) { return fmt::format("{}.{}", last.deleted_at.micros, last.number); }

Result<DeletedMark> parse_mark(std::string_view token) {
  if (token.empty()) return DeletedMark{};
  const auto parts = split(token, '.');
  const auto at = parse_i64(parts[0]), number = parts.size() == 2 ? parse_i64(parts[1]) : std::nullopt;
  if (!at || !number)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is no page token of this list; begin without one", clean_utf8(token, 100))};
  return DeletedMark{*at, *number};
}

/// A need of a model version in one of these logged models.
Result<std::optional<std::string>> need_of_models(Connection& c, const std::vector<std::string>& models) {
  for (const std::string& model : models) {
    if (auto need = TRY(registry::need_of_logged_model(c, model))) return need;
  }
  return std::optional<std::string>();
}

/// Files of logged models, up to `rows_max` of them; how many went.
Result<std::int64_t> erase_files(Connection& c, const std::vector<std::string>& models, std::int64_t rows_max) {
  std::int64_t rows = 0;
  for (const std::string& model : models) {
    rows += TRY(registry::erase_artifacts(c, registry::OwnerKind::logged_model, model, rows_max - rows));
    if (rows >= rows_max) break;
  }
  return rows;
}

/// Up to about `rows_max` rows of a run that nobody sees any more; fewer: it is all gone.
Result<std::int64_t> erase_run(Connection& c, const Erasure& run, std::int64_t rows_max) {
  std::int64_t rows = TRY(registry::erase_artifacts(c, registry::OwnerKind::run, run.id, rows_max));
  if (rows >= rows_max) return rows;
  const auto models = TRY(tracking::models_of_run(c, run.project, RunId(run.id)));
  rows += TRY(erase_files(c, models, rows_max - rows));
  if (rows >= rows_max) return rows;
  rows += TRY(registry::erase_lineage(c, run.id, rows_max - rows));
  if (rows >= rows_max) return rows;
  rows += TRY(runs::erase_run_rows(c, RunId(run.id), rows_max - rows));
  if (rows >= rows_max) return rows;
  return rows + TRY(tracking::erase_run_rows(c, run, rows_max - rows));
}

Result<std::int64_t> erase_experiment(Connection& c, const Erasure& experiment, std::int64_t rows_max) {
  const std::int64_t rows = TRY(erase_files(c, TRY(tracking::models_of_experiment(c, experiment.number)), rows_max));
  if (rows >= rows_max) return rows;
  return rows + TRY(tracking::erase_experiment_rows(c, experiment, rows_max - rows));
}

/// One transaction's worth of what was begun; how many runs and experiments came to their end, nullopt when there is
/// nothing.
Result<std::optional<std::int64_t>> finish_some(Connection& c) {
  std::int64_t left = kRowsAtOnce, ended = 0;
  const auto runs = TRY(tracking::begun_run_erasures(c, kErasuresAtOnce));
  for (const Erasure& run : runs) {
    const std::int64_t rows = TRY(erase_run(c, run, left));
    if (rows >= left) return std::optional(ended);
    TRY(tracking::end_run_erasure(c, run));
    left -= rows;
    ++ended;
  }
  if (!runs.empty()) return std::optional(ended);
  const auto experiments = TRY(tracking::begun_experiment_erasures(c, kErasuresAtOnce));
  for (const Erasure& experiment : experiments) {
    const std::int64_t rows = TRY(erase_experiment(c, experiment, left));
    if (rows >= left) return std::optional(ended);
    TRY(tracking::end_experiment_erasure(c, experiment));
    left -= rows;
    ++ended;
  }
  if (!experiments.empty()) return std::optional(ended);
  return std::optional<std::int64_t>();
}

}  // namespace

Result<Bytes> bytes_of(Connection& c, const DeletedRun& run) {
  Bytes bytes;
  bytes.artifacts = TRY(registry::artifact_bytes(c, registry::OwnerKind::run, run.id.text));
  for (const std::string& model : TRY(tracking::models_of_run(c, run.project, run.id)))
    bytes.artifacts += TRY(registry::artifact_bytes(c, registry::OwnerKind::logged_model, model));
  bytes.points = TRY(tracking::point_bytes(c, run.number));
  bytes.logs = TRY(runs::log_bytes(c, run.id));
  return bytes;
}

// --- who stays -----------------------------------------------------------------------------------------------------

Result<std::optional<std::string>> Collector::need(Connection& c, const DeletedRun& run) const {
  if (auto need = TRY(runs::need_of_run(c, run.id))) return need;
  if (auto need = TRY(registry::need_of_run(c, run.id))) return need;
  if (auto need = TRY(need_of_models(c, TRY(tracking::models_of_run(c, run.project, run.id))))) return need;
  if (auto need = TRY(tracking::need_of_run(c, run))) return need;
  for (const RunId& fed : TRY(registry::runs_fed_by(c, run.id))) {
    if (TRY(tracking::is_active_run(c, fed)))
      return std::optional(fmt::format("the run {} took an output of it as an input", fed.text));
  }
  for (const Need& further : needs_) {
    if (auto need = TRY(further(c, run.id))) return need;
  }
  return std::optional<std::string>();
}

Result<Candidate> Collector::candidate(Connection& c, const DeletedRun& run) const {
  Candidate out;
  out.id = run.id.text;
  out.name = run.name;
  out.project = run.project;
  out.experiment_name = run.experiment_name;
  out.deleted_at = run.deleted_at;
  out.bytes = TRY(bytes_of(c, run));
  out.kept_because = TRY(need(c, run)).value_or("");
  if (!run.artifact_uri.starts_with(tracking::kArtifactRoot)) out.artifacts_at = run.artifact_uri;
  return out;
}

/// What keeps an experiment from being empty once everything that is meant is gone; empty: nothing.
Result<std::string> Collector::why_not_empty(Connection& c, const DeletedQuery& query,
                                             const DeletedExperiment& experiment) const {
  const DeletedQuery inside{query.project, query.deleted_before, {}, {experiment.id}};
  const std::int64_t others = experiment.runs - TRY(tracking::count_deleted_runs(c, inside));
  if (others > 0) return fmt::format("{} of its runs were deleted later than that", others);
  DeletedMark mark;
  while (true) {
    const auto runs = TRY(tracking::list_deleted_runs(c, inside, mark, kPageMax));
    for (const DeletedRun& run : runs) {
      if (const auto reason = TRY(need(c, run))) return fmt::format("its run {} stays: {}", run.id.text, *reason);
      mark = {run.deleted_at.micros, run.number};
    }
    if (runs.empty()) return std::string();
  }
}

Result<Candidate> Collector::candidate(Connection& c, const DeletedQuery& query,
                                       const DeletedExperiment& experiment) const {
  Candidate out;
  out.id = experiment.id.text;
  out.name = experiment.name;
  out.project = experiment.project;
  out.deleted_at = experiment.deleted_at;
  out.runs = experiment.runs;
  const auto needed = TRY(need_of_models(c, TRY(tracking::models_of_experiment(c, experiment.number))));
  out.kept_because = needed ? *needed : TRY(why_not_empty(c, query, experiment));
  return out;
}

// --- pages ---------------------------------------------------------------------------------------------------------

Result<Page> Collector::list(const Criteria& criteria, std::string_view page_token, std::int64_t page_size) {
  const DeletedQuery query = query_of(criteria, clock_.now());
  const DeletedMark mark = TRY(parse_mark(page_token));
  const std::int64_t most = std::clamp<std::int64_t>(page_size, 1, kPageMax);
  return database_.read_value([&](Connection& c) -> Result<Page> {
    if (page_token.empty()) TRY(tracking::check_deleted(c, query));
    Page page;
    if (page_token.empty()) page.total = TRY(tracking::count_deleted_runs(c, query));
    const auto runs = TRY(tracking::list_deleted_runs(c, query, mark, most));
    for (const DeletedRun& run : runs) page.runs.push_back(TRY(candidate(c, run)));
    if (static_cast<std::int64_t>(runs.size()) == most) {
      page.next_page_token = render_mark(runs.back());
      return page;
    }
    for (const DeletedExperiment& experiment : TRY(tracking::list_deleted_experiments(c, query)))
      page.experiments.push_back(TRY(candidate(c, query, experiment)));
    return page;
  });
}

/// Inside the transaction that decides: who needs a run is asked again. Why each stays, empty for those that went.
Result<std::vector<std::string>> Collector::take_away(Connection& c, const DeletedQuery& query,
                                                      const std::vector<Candidate>& runs,
                                                      const std::string& member_id) const {
  std::vector<std::string> reasons;
  for (const Candidate& run : runs) {
    reasons.push_back(run.kept_because);
    if (!run.kept_because.empty()) continue;
    const DeletedQuery one{query.project, query.deleted_before, {RunId(run.id)}, {}};
    for (const DeletedRun& found : TRY(tracking::list_deleted_runs(c, one, {}, 1))) {
      reasons.back() = TRY(need(c, found)).value_or("");
      if (!reasons.back().empty() || !TRY(tracking::begin_run_erasure(c, found, clock_.now()))) continue;
      TRY(audit_(c, {MemberId(member_id), "remove run for good", "run", run.id, run.name, run.project}));
    }
  }
  return reasons;
}

Result<std::vector<std::string>> Collector::take_away(Connection& c, const std::vector<DeletedExperiment>& experiments,
                                                      const std::string& member_id) const {
  std::vector<std::string> reasons;
  for (const DeletedExperiment& experiment : experiments) {
    const auto needed = TRY(need_of_models(c, TRY(tracking::models_of_experiment(c, experiment.number))));
    reasons.push_back(needed.value_or(""));
    if (needed) continue;
    if (TRY(tracking::begin_experiment_erasure(c, experiment, clock_.now())))
      TRY(audit_(c, {MemberId(member_id), "remove experiment for good", "experiment", experiment.id.text,
                     experiment.name, experiment.project}));
    else
      reasons.back() = fmt::format("it still has {} runs", experiment.runs);
  }
  return reasons;
}

Result<Page> Collector::remove(const Criteria& criteria, std::string_view page_token, const std::string& member_id,
                               std::int64_t page_size) {
  Page page = TRY(list(criteria, page_token, page_size));
  const DeletedQuery query = query_of(criteria, clock_.now());
  const auto reasons = TRY(database_.write_value(
      Durability::record, [&](Connection& c) { return take_away(c, query, page.runs, member_id); }));
  for (size_t i = 0; i < reasons.size(); ++i) page.runs[i].kept_because = reasons[i];
  TRY(finish());
  if (!page.next_page_token) {
    // Now that its runs are gone, an experiment may be empty.
    const auto experiments =
        TRY(database_.read_value([&](Connection& c) { return tracking::list_deleted_experiments(c, query); }));
    const auto stay = TRY(
        database_.write_value(Durability::record, [&](Connection& c) { return take_away(c, experiments, member_id); }));
    page.experiments.clear();
    for (size_t i = 0; i < experiments.size(); ++i) {
      const DeletedExperiment& e = experiments[i];
      page.experiments.push_back({e.id.text, e.name, e.project, {}, e.deleted_at, {}, e.runs, stay[i], {}});
    }
    TRY(finish());
  }
  for (const Candidate& run : page.runs) {
    if (events_ && run.kept_because.empty()) events_->emit({EventKind::run_changed, run.project, run.id});
  }
  return page;
}

Result<std::int64_t> Collector::finish(std::optional<Duration> at_most) {
  const Time start = clock_.steady();
  std::int64_t ended = 0;
  while (!at_most || clock_.steady() - start < *at_most) {
    const auto some = TRY(database_.write_value(Durability::record, [](Connection& c) { return finish_some(c); }));
    ended += some.value_or(0);
    if (some) continue;
    const Time now = clock_.now();
    if (!TRY(
            database_.write_value(Durability::record, [now](Connection& c) { return erase_some_of_projects(c, now); })))
      break;
  }
  return ended;
}

Result<store::SweepReport> Collector::would_free(const Criteria& criteria) {
  const DeletedQuery query = query_of(criteria, clock_.now());
  registry::Gone gone;
  DeletedMark mark;
  bool more = true;
  while (more) {
    // One page in one read: a reader is not held for long.
    more = TRY(database_.read_value([&](Connection& c) -> Result<bool> {
      const auto runs = TRY(tracking::list_deleted_runs(c, query, mark, kPageMax));
      for (const DeletedRun& run : runs) {
        mark = {run.deleted_at.micros, run.number};
        if (TRY(need(c, run))) continue;
        gone.runs.insert(run.id.text);
        for (const std::string& model : TRY(tracking::models_of_run(c, run.project, run.id)))
          gone.logged_models.insert(model);
      }
      return !runs.empty();
    }));
  }
  return references_.sweep_without(gone);
}

}  // namespace slipway::retention
