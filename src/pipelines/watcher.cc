#include "pipelines/watcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pipelines/rows.h"

namespace slipway::pipelines {
namespace {

/// "scenes@main" was checked when the file was read.
Result<Reference> branch_of(const Trigger& trigger) { return parse_reference("dataset:" + trigger.dataset); }

bool is_among(const std::vector<std::string>& makers, std::string_view pipeline) {
  return std::find(makers.begin(), makers.end(), pipeline) != makers.end();
}

}  // namespace

Result<std::string> Watcher::position(const ProjectId& project, const Trigger& trigger) {
  if (!trigger.cron.empty()) return seen_at(clock_.now());
  if (!trigger.dataset.empty()) {
    const Reference branch = TRY(branch_of(trigger));
    return TRY(registry_.datasets().get_commit(project, branch.name, branch.at)).id.text;
  }
  if (!trigger.model.empty()) return std::to_string(TRY(registry_.models().get(project, trigger.model)).version_latest);
  const auto newest = TRY(findings_(project, trigger.finding, trigger.deployment));
  return newest.empty() ? std::string() : newest.front().id.text;
}

Result<std::vector<Change>> Watcher::changes(const ProjectId& project, std::string_view pipeline,
                                             const Trigger& trigger, const std::string& seen) {
  if (!trigger.dataset.empty()) return commits(project, pipeline, trigger, seen);
  if (!trigger.model.empty()) return versions(project, pipeline, trigger, seen);
  if (!trigger.finding.empty()) return findings(project, trigger, seen);
  return std::vector<Change>();
}

Result<std::vector<std::string>> Watcher::makers_of(const ProjectId& project, const std::string& run) {
  std::vector<std::string> makers;
  const auto found =
      TRY(database_.read_value([&](catalog::Connection& c) { return rows::select_run_of_handle(c, project, run); }));
  if (!found) return makers;
  makers = found->ancestors;
  if (!is_among(makers, found->pipeline)) makers.push_back(found->pipeline);
  return makers;
}

/// A branch that somebody moves to a commit of a pipeline is that person's work: only the move that came with the
/// commit is the pipeline's.
Result<std::vector<std::string>> Watcher::makers_of(const ProjectId& project, const registry::BranchMove& move) {
  std::vector<std::string> makers;
  const auto commit = TRY(registry_.datasets().get_commit(*move.to));
  if (commit.created_at != move.at) return makers;
  for (const registry::Edge& edge : TRY(registry_.lineage().incoming({"dataset_commit", move.to->text}))) {
    if (edge.from.kind != "run") continue;
    for (std::string& maker : TRY(makers_of(project, edge.from.id))) {
      if (!is_among(makers, maker)) makers.push_back(std::move(maker));
    }
  }
  return makers;
}

Result<std::vector<Change>> Watcher::commits(const ProjectId& project, std::string_view pipeline,
                                             const Trigger& trigger, const std::string& seen) {
  std::vector<Change> changes;
  const Reference branch = TRY(branch_of(trigger));
  if (TRY(registry_.datasets().get_commit(project, branch.name, branch.at)).id.text == seen) return changes;
  const auto moves = TRY(
      registry_.datasets().branch_history(project, branch.name, branch.at, static_cast<std::int64_t>(kChangesMax), ""));
  for (const registry::BranchMove& move : moves.items) {
    if (!move.to || clock_.now() - move.at < kCommitSettles) continue;
    if (move.to->text == seen) break;
    std::vector<std::string> makers = TRY(makers_of(project, move));
    const bool own = is_among(makers, pipeline);
    changes.push_back({move.to->text, move.to->text, own, std::move(makers)});
  }
  std::reverse(changes.begin(), changes.end());
  return changes;
}

Result<std::vector<Change>> Watcher::versions(const ProjectId& project, std::string_view pipeline,
                                              const Trigger& trigger, const std::string& seen) {
  std::vector<Change> changes;
  const std::int64_t latest = TRY(registry_.models().get(project, trigger.model)).version_latest;
  const std::int64_t first =
      std::max(parse_i64(seen).value_or(0) + 1, latest - static_cast<std::int64_t>(kChangesMax) + 1);
  for (std::int64_t number = first; number <= latest; ++number) {
    const auto version = registry_.models().version(project, trigger.model, number);
    if (!version.ok() && version.error().code == ErrorCode::not_found) continue;  // removed since
    const auto run = TRY(version).run;
    std::vector<std::string> makers = run ? TRY(makers_of(project, run->text)) : std::vector<std::string>();
    const bool own = is_among(makers, pipeline);
    changes.push_back({std::to_string(number), std::to_string(number), own, std::move(makers)});
  }
  return changes;
}

Result<std::vector<Change>> Watcher::findings(const ProjectId& project, const Trigger& trigger,
                                              const std::string& seen) {
  std::vector<Change> changes;
  for (const FindingNotice& finding : TRY(findings_(project, trigger.finding, trigger.deployment))) {
    if (finding.id.text <= seen) break;  // ids grow with time, the newest comes first
    changes.push_back({finding.id.text, finding.message, false, {}});
  }
  std::reverse(changes.begin(), changes.end());
  return changes;
}

}  // namespace slipway::pipelines
