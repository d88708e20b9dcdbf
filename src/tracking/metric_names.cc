#include "tracking/metric_names.h"

#include <fmt/format.h>

#include <mutex>

#include "base/check.h"

namespace slipway::tracking {

MetricNames::Lookup::Lookup(std::shared_mutex& mutex, const MetricNames& names, const ProjectId& project)
    : lock_(mutex) {
  const auto found = names.by_project_.find(project.text);
  table_ = found == names.by_project_.end() ? nullptr : &found->second;
}

std::optional<MetricNumber> MetricNames::Lookup::find(std::string_view name) const {
  if (!table_) return std::nullopt;
  const auto& table = *static_cast<const Table*>(table_);
  const auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

Result<MetricNumber> MetricNames::intern(catalog::Connection& connection, const ProjectId& project,
                                         const std::string& name) {
  const auto number = [](const catalog::Row& row) { return static_cast<MetricNumber>(row.integer(0)); };
  const auto made = TRY(connection.first(
      "INSERT INTO metric_names (project_id, name) VALUES (?, ?) ON CONFLICT (project_id, name) DO NOTHING "
      "RETURNING number",
      {project.text, name}, number));
  if (made) return *made;
  const auto found = TRY(connection.first("SELECT number FROM metric_names WHERE project_id = ? AND name = ?",
                                          {project.text, name}, number));
  // On PostgreSQL another transaction may have made it after our snapshot; the group is run again then.
  if (!found)
    return Error{ErrorCode::busy, fmt::format("the metric name '{}' is being added by somebody else; try again", name)};
  return *found;
}

void MetricNames::remember(const ProjectId& project, const std::string& name, MetricNumber number) {
  const std::unique_lock lock(mutex_);
  if (by_number_.size() >= kMetricNamesCachedMax) return;
  const auto [entry, is_new] = by_project_[project.text].emplace(name, number);
  if (is_new) by_number_.emplace(number, entry->first);
}

Result<std::optional<MetricNumber>> MetricNames::number(catalog::Connection& connection, const ProjectId& project,
                                                        const std::string& name) {
  if (const auto known = lookup(project).find(name)) return known;
  const auto found =
      TRY(connection.first("SELECT number FROM metric_names WHERE project_id = ? AND name = ?", {project.text, name},
                           [](const catalog::Row& row) { return static_cast<MetricNumber>(row.integer(0)); }));
  if (found) remember(project, name, *found);
  return found;
}

Result<std::string> MetricNames::name(catalog::Connection& connection, MetricNumber number) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = by_number_.find(number);
    if (found != by_number_.end()) return std::string(found->second);
  }
  struct Found {
    ProjectId project;
    std::string name;
  };
  const auto found = TRY(connection.first("SELECT project_id, name FROM metric_names WHERE number = ?",
                                          {std::int64_t{number}}, [](const catalog::Row& row) {
                                            return Found{ProjectId(row.text(0)), std::string(row.text(1))};
                                          }));
  if (!found) return Error{ErrorCode::data_loss, fmt::format("metric number {} has points but no name", number)};
  remember(found->project, found->name, number);
  return found->name;
}

}  // namespace slipway::tracking
