// MLflow's workspaces: a workspace is a project. Where artifacts lie and how traces are archived is the server's
// business, not a workspace's, so those settings are refused rather than forgotten.
#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "catalog/companion.h"
#include "retention/projects.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr Duration kEraseAtOnce = std::chrono::seconds(5);  // of what a removed project held, before the answer

void write(JsonWriter& json, const teams::Project& project) {
  json.begin_object().member("name", project.name);
  if (!project.description.empty()) json.member("description", project.description);
  json.end_object();
}

std::string answer_with(const teams::Project& project) {
  JsonWriter json;
  json.begin_object().key("workspace");
  write(json, project);
  json.end_object();
  return json.take();
}

Result<void> check_settings(const Call& call) {
  if (call.text("default_artifact_root").empty() && call.object("trace_archival_config").object().empty()) return {};
  return Error{ErrorCode::invalid_argument,
               "a workspace is a project here and has no artifact root or archive of its own; leave out "
               "default_artifact_root and trace_archival_config"};
}

Result<void> check_admin(const Call& call) {
  if (caller_of(call.request()).admin) return {};
  return Error{ErrorCode::permission_denied, "only an admin may do this; ask one of yours (`slipway members list`)"};
}

Result<teams::Project> find(const Rooms& rooms, const std::string& name) {
  for (teams::Project& project : TRY(rooms.teams.projects())) {
    if (project.name == name) return std::move(project);
  }
  return Error{ErrorCode::not_found, fmt::format("Workspace '{}' not found", clean_utf8(name, 100))};
}

Result<std::string> list(const Rooms& rooms, const Call&) {
  JsonWriter json;
  json.begin_object().key("workspaces").begin_array();
  for (const teams::Project& project : TRY(rooms.teams.projects())) write(json, project);
  json.end_array().end_object();
  return json.take();
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(find(rooms, call.text("workspace_name"))));
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  TRY(check_admin(call));
  TRY(check_settings(call));
  const auto project = TRY(rooms.teams.create_project(call.text("name"), call.text("description")));
  TRY(rooms.teams.audit({caller_of(call.request()).member, "create project", "project", project.name, "", project.id}));
  return answer_with(project);
}

Result<std::string> update(const Rooms& rooms, const Call& call) {
  TRY(check_admin(call));
  TRY(check_settings(call));
  if (!call.has("description"))
    return Error{ErrorCode::invalid_argument, "Workspace update must have at least one key; expected description"};
  TRY(find(rooms, call.text("workspace_name")));
  return answer_with(TRY(rooms.teams.describe_project(call.text("workspace_name"), call.text("description"))));
}

/// What becomes of what it holds, in the transaction that takes the name away; none: it must hold nothing.
Result<teams::Teams::Empty> empty_of(const Rooms& rooms, std::string_view mode) {
  if (mode == "RESTRICT") return teams::Teams::Empty();
  if (mode == "CASCADE") {
    return teams::Teams::Empty([now = rooms.clock.now()](catalog::Connection& c, const ProjectId& project) {
      return retention::begin_project_erasure(c, project, now);
    });
  }
  if (mode == "SET_DEFAULT") {
    return teams::Teams::Empty([](catalog::Connection& c, const ProjectId& project) {
      return retention::move_project(c, project, kDefaultProject);
    });
  }
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("Invalid deletion mode '{}'. Must be one of: SET_DEFAULT, CASCADE, RESTRICT", clean_utf8(mode, 100))};
}

/// The project is gone when this answers, and its line is in the trail. What a cascade leaves is removed in the
/// background once that takes longer.
Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(check_admin(call));
  const std::string& name = call.text("workspace_name");
  const std::string mode(call.request().query_value("mode").value_or("RESTRICT"));
  const auto empty = TRY(empty_of(rooms, mode));
  AuditLine line{caller_of(call.request()).member, "delete project", "project", name, "mode " + mode};
  line.id = rooms.teams.new_audit_id();
  {
    const catalog::WriteCompanion companion(
        [&rooms, line](catalog::Connection& c) { return rooms.teams.audit(c, line); });
    TRY(rooms.teams.remove_project(name, empty));
  }
  if (mode != "CASCADE") return std::string();
  if (const auto erased = rooms.collector.finish(kEraseAtOnce); !erased.ok())
    log_warning("api", "what a removed project held could not all be removed yet; it is tried again within the hour",
                {{"error", erased.error().message}});
  return std::string();
}

const Field kWorkspace{"workspace_name", FieldType::text, true};

}  // namespace

std::span<const Endpoint> workspace_endpoints() {
  static const Field kDescription{"description"}, kRoot{"default_artifact_root"},
      kArchive{"trace_archival_config", FieldType::object};
  static const std::vector<Endpoint> endpoints{
      {Method::get, "mlflow/workspaces", {}, list},
      {Method::post,
       "mlflow/workspaces",
       {{"name", FieldType::text, true}, kDescription, kRoot, kArchive},
       create,
       true,
       201},
      {Method::get, "mlflow/workspaces/{workspace_name}", {kWorkspace}, get},
      {Method::patch, "mlflow/workspaces/{workspace_name}", {kWorkspace, kDescription, kRoot, kArchive}, update},
      {Method::del, "mlflow/workspaces/{workspace_name}", {kWorkspace}, remove, true, 204},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
