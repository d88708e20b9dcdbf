#include "monitor/drift_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "monitor/rows.h"

namespace slipway::monitor {
namespace {

using catalog::Connection;
using catalog::Durability;

constexpr double kWorthWriting = 0.1;  // a finding is updated when its value moved by this share

Finding finding_of(const DeploymentKey& deployment, const std::string& model, std::int64_t version,
                   const StatisticState& state, const Clock& clock) {
  const Time now = clock.now();
  Finding finding{new_id<FindingId>(clock),
                  ProjectId(deployment.project),
                  deployment.deployment,
                  model,
                  version,
                  "drift",
                  state.statistic,
                  true,
                  state.verdict.psi,
                  state.verdict.threshold,
                  "",
                  now,
                  now,
                  {}};
  finding.message = fmt::format(
      "The {} of the last {} answers of {} ({} version {}) has drifted from its reference: stability index {:.2f}, over {:.2f}",
      state.statistic, state.current.total(), deployment.deployment, model, version, finding.value, finding.threshold);
  return finding;
}

}  // namespace

void DriftWatch::set_limits(const DeploymentKey& deployment, const DriftLimits& limits) {
  auto state = state_.lock();
  state->limits[deployment] = limits;
  const auto at = state->watched.find(deployment);
  if (at == state->watched.end()) return;
  at->second.limits = limits;
  at->second.changed = true;
}

Result<void> DriftWatch::set_reference(const ProjectId& project, const std::string& model, std::int64_t version,
                                       std::string source, const std::vector<TensorStatistics>& answers) {
  const Reference reference = make_reference(std::move(source), answers);
  TRY(save_reference(project, model, version, reference));
  auto state = state_.lock();
  for (auto& [key, watched] : state->watched) {
    if (key.project == project.text && watched.model == model && watched.version == version)
      watched.watch.set_reference(reference);
  }
  return {};
}

std::optional<Reference> DriftWatch::load_reference(const ProjectId& project, const std::string& model,
                                                    std::int64_t version) {
  auto loaded = database_.read_value([&](Connection& c) { return rows::select_reference(c, project, model, version); });
  if (loaded.ok()) return std::move(*loaded);
  log_warning("monitor", "a drift reference could not be read", {{"error", loaded.error().message}});
  return std::nullopt;
}

Result<void> DriftWatch::save_reference(const ProjectId& project, const std::string& model, std::int64_t version,
                                        const Reference& reference) {
  return database_.write(Durability::record, [&](Connection& c) {
    return rows::upsert_reference(c, project, model, version, reference, clock_.now());
  });
}

void DriftWatch::add(const PredictionServed& prediction) {
  if (!prediction.ok) return;
  const DeploymentKey key = key_of(prediction);
  const auto is_current = [&](const Watched& watched) {
    return watched.model == prediction.model && watched.version == prediction.version;
  };
  bool fresh = false;
  DriftLimits limits;
  {
    auto state = state_.lock();
    const auto at = state->watched.find(key);
    fresh = at == state->watched.end() || !is_current(at->second);
    if (const auto own = state->limits.find(key); own != state->limits.end()) limits = own->second;
  }
  // Only this thread adds, so the database can be asked without the lock.
  std::optional<Reference> reference =
      fresh ? load_reference(prediction.project, prediction.model, prediction.version) : std::nullopt;
  std::optional<Reference> completed;
  {
    auto state = state_.lock();
    Watched& watched = state->watched[key];
    if (fresh) watched = {prediction.model, prediction.version, Watch(std::move(reference)), limits, false};
    if (watched.watch.add(prediction.statistics)) completed = watched.watch.reference();
    watched.changed = true;
  }
  if (!completed) return;
  const auto saved = save_reference(prediction.project, prediction.model, prediction.version, *completed);
  if (!saved.ok()) log_warning("monitor", "a drift reference could not be kept", {{"error", saved.error().message}});
}

void DriftWatch::judge() {
  std::map<DeploymentKey, Watched> changed;
  {
    auto state = state_.lock();
    for (auto& [key, watched] : state->watched) {
      if (std::exchange(watched.changed, false)) changed.emplace(key, watched);
    }
  }
  for (const auto& [key, watched] : changed) {
    bool has_drifted = false;
    for (const StatisticState& statistic : watched.watch.states(watched.limits)) {
      judge_statistic(key, watched, statistic);
      has_drifted |= statistic.verdict.state == DriftVerdict::State::drifted;
    }
    auto state = state_.lock();
    if (has_drifted)
      state->drifted.insert(key);
    else
      state->drifted.erase(key);
  }
}

void DriftWatch::judge_statistic(const DeploymentKey& deployment, const Watched& watched, const StatisticState& state) {
  if (state.verdict.state == DriftVerdict::State::too_few) return;
  const bool drifted = state.verdict.state == DriftVerdict::State::drifted;
  const std::string key = fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", deployment.project, deployment.deployment,
                                      watched.model, watched.version, state.statistic);
  const auto last = told_.find(key);
  const double value = drifted ? state.verdict.psi : 0;
  if (last != told_.end() && std::abs(value - last->second) <= kWorthWriting * last->second) return;
  Finding finding = finding_of(deployment, watched.model, watched.version, state, clock_);
  bool told = false;
  const auto written = database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    if (drifted) {
      const auto noticed = TRY(rows::notice(c, finding));
      finding.id = noticed.id;
      told = noticed.is_new;
    } else {
      told = TRY(rows::settle_finding(c, finding));
    }
    return {};
  });
  if (!written.ok())
    return log_warning("monitor", "a finding could not be written", {{"error", written.error().message}});
  told_[key] = value;
  if (told) events_.emit({EventKind::finding_changed, finding.project, finding.id.text});
}

std::optional<DriftReport> DriftWatch::report(const DeploymentKey& deployment) {
  auto state = state_.lock();
  const auto at = state->watched.find(deployment);
  if (at == state->watched.end()) return std::nullopt;
  const Watched& watched = at->second;
  const auto& reference = watched.watch.reference();
  return DriftReport{watched.model,   reference ? reference->source : "",
                     watched.version, watched.watch.answers_in_window(),
                     watched.limits,  watched.watch.states(watched.limits)};
}

std::set<DeploymentKey> DriftWatch::drifted() { return state_.lock()->drifted; }

}  // namespace slipway::monitor
