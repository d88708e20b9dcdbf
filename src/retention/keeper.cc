#include "retention/keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "registry/erasure.h"

namespace slipway::retention {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr const char* kLeaseName = "retention";
constexpr Duration kLease = std::chrono::minutes(5);
constexpr Duration kFirstLook = std::chrono::seconds(30);  // after the start
constexpr std::int64_t kFilesAtOnce = 100'000;             // of one run

constexpr std::string_view kUpsert =
    "INSERT INTO retention_rules (project_id, rules, member_id, member, updated_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (project_id) DO UPDATE SET rules = excluded.rules, member_id = excluded.member_id, member = excluded.member, "
    "updated_at = excluded.updated_at";

Result<ProjectRules> rules_of(const Row& row) {
  ProjectRules out;
  out.rules = TRY(parse_rules(TRY(Json::parse(row.text(0)))));
  out.member_id = row.text(1);
  out.member = row.text(2);
  out.updated_at = Time{row.integer(3)};
  if (const auto applied = row.maybe_integer(4)) out.applied_at = Time{*applied};
  return out;
}

/// As the collector asks about runs.
tracking::DeletedRun as_asked(const ProjectId& project, const Chosen& run) {
  return {run.id, run.number, project, run.name, run.experiment_name, {}, {}};
}

}  // namespace

Keeper::Keeper(catalog::Database& database, tracking::Tracking& tracking, Collector& collector, Usage& usage,
               const Clock& clock, EventSink* events, Audit audit, bool background)
    : database_(database),
      tracking_(tracking),
      collector_(collector),
      usage_(usage),
      clock_(clock),
      events_(events),
      audit_(std::move(audit)),
      lease_(database, kLeaseName, kLease) {
  if (background) thread_ = Thread("retention", [this] { loop(); });
}

Keeper::~Keeper() {
  *stopping_.lock() = true;
  changed_.notify_all();
  thread_.join();
}

/// Waits for so long, or until the end.
bool Keeper::is_stopping(Duration pause) {
  auto stopping = stopping_.lock();
  return stopping.wait_until(changed_, std::chrono::steady_clock::now() + pause, [&] { return *stopping; });
}

void Keeper::loop() {
  std::optional<Time> looked_at;
  for (Duration pause = kFirstLook; !is_stopping(pause); pause = kMeasureInterval) {
    if (database_.is_postgres() && !lease_.hold(clock_.now())) continue;
    const Time now = clock_.steady();
    if (!looked_at || now - *looked_at >= kRulesInterval) {
      step();
      looked_at = now;
    }
    measure();
  }
}

void Keeper::measure() {
  while (true) {
    const Time start = clock_.steady();
    const auto measured = usage_.measure_some();
    if (!measured.ok())
      return log_warning("retention", "runs could not be measured", {{"why", measured.error().message}});
    if (*measured == 0 || is_stopping(clock_.steady() - start)) return;
  }
}

void Keeper::step() {
  const auto finished = collector_.finish();
  if (!finished.ok())
    log_warning("retention", "what is left of removed runs could not be removed yet",
                {{"why", finished.error().message}});
  const auto projects = database_.read_value([](Connection& c) {
    return c.rows("SELECT project_id FROM retention_rules ORDER BY project_id", {},
                  [](const Row& row) { return ProjectId(row.text(0)); });
  });
  if (!projects.ok())
    return log_warning("retention", "the rules could not be read", {{"why", projects.error().message}});
  for (const ProjectId& project : *projects) {
    const auto applied = apply(project);
    if (!applied.ok())
      log_warning("retention", "the rules of a project could not be applied",
                  {{"project", project.text}, {"why", applied.error().message}});
    else if (applied->run_count > 0)
      log_info("retention", "rules let runs go",
               {{"project", project.text},
                {"runs", std::to_string(applied->run_count)},
                {"bytes", std::to_string(applied->bytes)}});
  }
}

// --- what is said --------------------------------------------------------------------------------------------------

Result<ProjectRules> Keeper::rules(const ProjectId& project) {
  const auto found = TRY(database_.read_value([&](Connection& c) {
    return c.first("SELECT rules, member_id, member, updated_at, applied_at FROM retention_rules WHERE project_id = ?",
                   {project.text}, rules_of);
  }));
  if (!found) return ProjectRules{};
  return *found;
}

Result<ProjectRules> Keeper::set(const ProjectId& project, const std::vector<Rule>& rules, const std::string& member_id,
                                 const std::string& member) {
  const std::string text = to_json(rules).render();
  TRY(database_.write(
      Durability::record, catalog::Write([&](Connection& c) -> Result<void> {
        TRY(c.run(kUpsert, {project.text, text, member_id, member, clock_.now().micros}));
        return audit_(c, {MemberId(member_id), "set retention rules", "project", project.text, text, project});
      })));
  return this->rules(project);
}

// --- what goes -----------------------------------------------------------------------------------------------------

Result<std::vector<tracking::RunFacts>> Keeper::facts(const ProjectId& project,
                                                      const tracking::ActiveExperiment& experiment, const Rule& rule) {
  // The latest values count, also those that still lie in the log.
  if (rule.keep_best > 0) TRY(tracking_.sorter().catch_up({experiment.number}));
  return database_.read_value([&](Connection& c) -> Result<std::vector<tracking::RunFacts>> {
    std::optional<tracking::MetricNumber> metric;
    if (!rule.metric.empty()) metric = TRY(tracking_.metrics().names().number(c, project, rule.metric));
    return tracking::read_run_facts(c, experiment.number, metric);
  });
}

/// Those that nothing needs, with their bytes; without runs whose artifacts should go and that have none.
Result<Keeper::Outcome> Keeper::still_free(Connection& c, const ProjectId& project, const Group& group) {
  Outcome out;
  for (Chosen run : group) {
    if (!TRY(tracking::may_be_deleted(c, run.number))) continue;
    const auto asked = as_asked(project, run);
    const Bytes bytes = TRY(bytes_of(c, asked));
    if (run.deletes == Deletes::artifacts && bytes.artifacts == 0) continue;
    if (TRY(collector_.need(c, asked))) {
      ++out.needed;
      continue;
    }
    run.bytes = run.deletes == Deletes::artifacts ? bytes.artifacts : bytes.total();
    out.gone.push_back(std::move(run));
  }
  return out;
}

Result<void> Keeper::walk_experiment(const ProjectId& project, const tracking::ActiveExperiment& experiment,
                                     const Rule& rule, const Act& act, Choice& choice) {
  const auto runs = TRY(facts(project, experiment, rule));
  const auto reasons = judge(rule, runs, clock_.now());
  choice.looked_at += static_cast<std::int64_t>(runs.size());
  Group all;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (reasons[i].empty()) all.push_back({runs[i].id, runs[i].number, runs[i].name, experiment.name, rule.deletes, 0});
  }
  for (size_t from = 0; from < all.size(); from += kDeletedAtOnce) {
    const size_t to = std::min(all.size(), from + kDeletedAtOnce);
    const Group group(all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to));
    const Outcome outcome = TRY(act(rule, group));
    choice.needed_count += outcome.needed;
    for (const Chosen& run : outcome.gone) {
      ++choice.run_count;
      choice.bytes += run.bytes;
      if (choice.runs.size() < kPreviewRunsMax) choice.runs.push_back(run);
    }
  }
  return {};
}

Result<Choice> Keeper::walk(const ProjectId& project, const std::vector<Rule>& rules, const Act& act) {
  Choice choice;
  if (rules.empty()) return choice;
  const auto experiments =
      TRY(database_.read_value([&](Connection& c) { return tracking::active_experiments(c, project); }));
  for (const tracking::ActiveExperiment& experiment : experiments) {
    if (const Rule* rule = rule_for(rules, experiment.name))
      TRY(walk_experiment(project, experiment, *rule, act, choice));
  }
  return choice;
}

Result<Choice> Keeper::preview(const ProjectId& project, const std::vector<Rule>& rules) {
  return walk(project, rules, [&](const Rule&, const Group& group) {
    return database_.read_value([&](Connection& c) { return still_free(c, project, group); });
  });
}

Result<void> Keeper::let_go(Connection& c, const ProjectId& project, const Rule& rule, const Chosen& run,
                            const std::string& member_id) {
  const Time now = clock_.now();
  if (rule.deletes == Deletes::runs) {
    TRY(tracking::mark_run_deleted(c, run.number, now));
    return audit_(c, {MemberId(member_id), "delete run by rule", "run", run.id.text, describe(rule), project});
  }
  TRY(registry::erase_artifacts(c, registry::OwnerKind::run, run.id.text, kFilesAtOnce));
  for (const std::string& model : TRY(tracking::models_of_run(c, project, run.id)))
    TRY(registry::erase_artifacts(c, registry::OwnerKind::logged_model, model, kFilesAtOnce));
  TRY(tracking::note_files_deleted(c, run.id, run.number, "by a rule: " + describe(rule), now));
  return audit_(c, {MemberId(member_id), "delete artifacts by rule", "run", run.id.text, describe(rule), project});
}

Result<Choice> Keeper::apply(const ProjectId& project) {
  const ProjectRules said = TRY(rules(project));
  const Choice choice = TRY(walk(project, said.rules, [&](const Rule& rule, const Group& group) -> Result<Outcome> {
    // Whether something needs a run is asked in the transaction that lets it go.
    Outcome outcome = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<Outcome> {
      Outcome free = TRY(still_free(c, project, group));
      for (const Chosen& run : free.gone) TRY(let_go(c, project, rule, run, said.member_id));
      return free;
    }));
    for (const Chosen& run : outcome.gone) {
      if (events_) events_->emit({EventKind::run_changed, project, run.id.text});
    }
    return outcome;
  }));
  TRY(database_.write(Durability::record, catalog::Write([&](Connection& c) -> Result<void> {
                        TRY(c.run("UPDATE retention_rules SET applied_at = ? WHERE project_id = ?",
                                  {clock_.now().micros, project.text}));
                        return {};
                      })));
  return choice;
}

}  // namespace slipway::retention
