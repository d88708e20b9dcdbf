#include "api/mlflow/artifact_place.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::api::mlflow {

using registry::OwnerKind;

Result<void> check_path(std::string_view path) {
  if (path.empty() || check_relative_path(path).ok()) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("Invalid path: '{}'; expected a relative path without '..' or empty parts", clean_utf8(path, 300))};
}

Result<Place> place_of(const ProjectId& project, std::string_view proxy_path) {
  while (proxy_path.ends_with('/')) proxy_path.remove_suffix(1);
  TRY(check_path(proxy_path));
  const auto parts = split(proxy_path, '/');
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] != "artifacts") continue;
    const bool is_model = i >= 2 && parts[i - 2] == "models";
    Place place{{project, is_model ? OwnerKind::logged_model : OwnerKind::run, parts[i - 1]}, ""};
    place.path = join({parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end()}, "/");
    return place;
  }
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("the artifact path '{}' belongs to no run and no model; expected <experiment>/<run>/artifacts/<path>",
                  clean_utf8(proxy_path, 300))};
}

Result<void> check_owner(const Rooms& rooms, const registry::Owner& owner) {
  if (owner.kind == OwnerKind::logged_model) {
    TRY(rooms.tracking.logged_models().get(owner.project, LoggedModelId(owner.id)));
    return {};
  }
  const auto project = TRY(rooms.tracking.runs().project_of(RunId(owner.id)));
  if (project == owner.project) return {};
  return Error{ErrorCode::not_found, fmt::format("Run with id={} not found", clean_utf8(owner.id, 100))};
}

}  // namespace slipway::api::mlflow
