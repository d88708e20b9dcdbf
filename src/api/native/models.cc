#include "api/native/models.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/api.h"
#include "api/native/filter_query.h"
#include "api/send_blob.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;

struct Rooms {
  registry::Registry& registry;
  EvaluationsOfModel evaluations_of;

  registry::Models& models() const { return registry.models(); }
};

constexpr std::int64_t kVersionGivenMax = 1'000'000'000;  // others are counted on from it
constexpr const char* kDetails[] = {"inputs", "outputs", "preprocess", "labels"};

http::Response ok(const Json& json) { return http::Response::json(json.render()); }
Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

Json tags_json(const registry::Tags& tags) {
  Json json{Json::Object{}};
  for (const auto& [key, value] : tags) json.set(key, value);
  return json;
}

Result<registry::Tags> tags_of(const Json& body) {
  const Json given = TRY(optional_object(body, "tags"));
  registry::Tags tags;
  for (const auto& [key, value] : given.object())
    tags.emplace_back(key, value.is_string() ? value.string() : value.render());
  return tags;
}

Json model_json(const registry::Model& model) {
  Json aliases{Json::Object{}};
  for (const auto& [alias, version] : model.aliases) aliases.set(alias, version);
  Json json;
  json.set("id", model.id.text)
      .set("name", model.name)
      .set("description", model.description)
      .set("tags", tags_json(model.tags));
  json.set("created_at", time_json(model.created_at)).set("updated_at", time_json(model.updated_at));
  json.set("latest_version", model.version_latest > 0 ? Json(model.version_latest) : Json())
      .set("aliases", std::move(aliases));
  return json.set("versions_count", model.version_count);
}

Json version_json(const registry::Version& version) {
  Json::Array aliases;
  for (const std::string& alias : version.aliases) aliases.emplace_back(alias);
  Json json;
  json.set("id", version.id)
      .set("model", version.model)
      .set("version", version.version)
      .set("description", version.description)
      .set("status", registry::name(version.status));
  json.set("status_message", text_or_null(version.status_message))
      .set("stage", version.stage == "None" ? Json() : Json(version.stage))
      .set("source", text_or_null(version.source));
  json.set("run_id", version.run ? Json(version.run->text) : Json())
      .set("logged_model_id", version.logged_model ? Json(version.logged_model->text) : Json());
  json.set("created_at", time_json(version.created_at))
      .set("updated_at", time_json(version.updated_at))
      .set("created_by", text_or_null(version.created_by));
  json.set("tags", tags_json(version.tags)).set("aliases", std::move(aliases));
  for (const char* side : {"inputs", "outputs"})
    json.set(side, version.details[side].is_array() ? version.details[side] : Json(Json::Array{}));
  for (const char* other : {"preprocess", "labels"}) json.set(other, version.details[other]);
  return json;
}

Json files_json(const std::vector<registry::Artifact>& files) {
  Json::Array list;
  for (const auto& file : files)
    list.push_back(Json().set("path", file.path).set("size", file.size).set("hash", render(file.hash)));
  return list;
}

Result<std::int64_t> number_of(const Request& request) {
  const auto number = parse_i64(request.parameter("version"));
  if (number && *number > 0) return *number;
  return Error{ErrorCode::invalid_argument,
               "'" + clean_utf8(request.parameter("version"), 100) + "' is no version; expected a number from 1"};
}

std::string name_of(const Request& request) { return std::string(request.parameter("name")); }

Result<registry::Search> search_of(const Request& request) {
  const Page page = TRY(page_of(request));
  registry::Search search{.filter = std::string(request.query_value("filter").value_or("")),
                          .order_by = {},
                          .page_size = page.size,
                          .page_token = page.token};
  for (const OrderTerm& term : TRY(order_of(request))) search.order_by.push_back(render(term));
  return search;
}

Result<void> check_tensor(const Json& tensor, std::string_view side) {
  bool is_tensor = tensor["name"].is_string() && tensor["datatype"].is_string() && tensor["shape"].is_array();
  for (const Json& size : tensor["shape"].array()) is_tensor = is_tensor && size.is_integer();
  if (is_tensor) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' has {}; expected {{\"name\", \"datatype\", \"shape\": [sizes]}}", side,
                           clean_utf8(tensor.render(), 100))};
}

Result<void> check_details(const Json& body) {
  for (const char* side : {"inputs", "outputs"}) {
    for (const Json& tensor : TRY(optional_array(body, side))) TRY(check_tensor(tensor, side));
  }
  TRY(optional_object(body, "preprocess"));
  TRY(optional_texts(body, "labels"));
  return {};
}

/// The details' members that a request names, so that what it does not name stays.
Result<std::optional<Json>> details_of(const Json& body) {
  TRY(check_details(body));
  Json details{Json::Object{}};
  for (const char* key : kDetails) {
    if (const Json* given = body.find(key)) details.set(key, *given);
  }
  return details.object().empty() ? std::optional<Json>() : std::optional(details);
}

// --- models --------------------------------------------------------------------------------------------------------

Result<Json> list_models(const Rooms& rooms, const Request& request) {
  const auto found = TRY(rooms.models().search(project_of(request), TRY(search_of(request))));
  Json::Array list;
  for (const auto& model : found.items) list.push_back(model_json(model));
  return Json().set("models", std::move(list)).set("next_page_token", text_or_null(found.next_page_token));
}

Result<Json> create_model(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  return model_json(TRY(rooms.models().create(project_of(request), TRY(required_string(body, "name")),
                                              TRY(optional_string(body, "description")), TRY(tags_of(body)))));
}

Result<Json> get_model(const Rooms& rooms, const Request& request) {
  return model_json(TRY(rooms.models().get(project_of(request), name_of(request))));
}

Result<Json> patch_model(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  const ProjectId project = project_of(request);
  std::string name = name_of(request);
  if (const std::string renamed = TRY(optional_string(body, "name")); !renamed.empty() && renamed != name) {
    TRY(rooms.models().rename(project, name, renamed));
    name = renamed;
  }
  if (body.find("description") != nullptr)
    TRY(rooms.models().describe(project, name, TRY(optional_string(body, "description"))));
  const Json tags = TRY(optional_object(body, "tags"));
  for (const auto& [key, value] : tags.object()) {
    TRY(value.is_null()
            ? rooms.models().remove_tag(project, name, key)
            : rooms.models().set_tag(project, name, key, value.is_string() ? value.string() : value.render()));
  }
  return model_json(TRY(rooms.models().get(project, name)));
}

Result<Json> delete_model(const Rooms& rooms, const Request& request) {
  TRY(rooms.models().remove(project_of(request), name_of(request)));
  return Json(Json::Object{});
}

// --- versions ------------------------------------------------------------------------------------------------------

using Evaluations = std::map<std::int64_t, Json::Array>;

Result<Json> whole_version(const Rooms& rooms, const ProjectId& project, const registry::Version& version,
                           const Evaluations& evaluations) {
  const auto own = evaluations.find(version.version);
  Json json = version_json(version);
  json.set("files", files_json(TRY(rooms.models().files(project, version.model, version.version))));
  return json.set("evaluations", own == evaluations.end() ? Json::Array{} : own->second);
}

Result<Json> whole_version(const Rooms& rooms, const ProjectId& project, const registry::Version& version) {
  return whole_version(rooms, project, version, TRY(rooms.evaluations_of(project, version.model)));
}

Result<Json> list_versions(const Rooms& rooms, const Request& request) {
  registry::Search search = TRY(search_of(request));
  TRY(rooms.models().get(project_of(request), name_of(request)));
  Filter filter = TRY(parse_filter(search.filter));
  filter.comparisons.push_back({FilterEntity::attribute, "name", FilterOperator::equal, name_of(request)});
  search.filter = render(filter);
  const auto found = TRY(rooms.models().search_versions(project_of(request), search));
  Json::Array list;
  const Evaluations evaluations = TRY(rooms.evaluations_of(project_of(request), name_of(request)));
  for (const auto& version : found.items)
    list.push_back(TRY(whole_version(rooms, project_of(request), version, evaluations)));
  return Json().set("versions", std::move(list)).set("next_page_token", text_or_null(found.next_page_token));
}

/// The number and time that a version had in another registry.
Result<void> read_origin(const Json& body, registry::NewVersion& version) {
  if (const std::int64_t number = TRY(optional_integer(body, "version", 0)); number != 0) {
    if (number < 1 || number > kVersionGivenMax)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("'version' is {}; expected 1 to {}", number, kVersionGivenMax)};
    version.number = number;
  }
  if (const std::string time = TRY(optional_string(body, "created_at")); !time.empty())
    version.created_at = TRY(parse_time(time));
  return {};
}

/// {source?, run_id?, files: [{path, hash}]?, description, tags, inputs, outputs, preprocess, labels, version?,
/// created_at?}
Result<Json> create_version(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  registry::NewVersion version;
  TRY(read_origin(body, version));
  version.description = TRY(optional_string(body, "description"));
  version.source = TRY(optional_string(body, "source"));
  version.created_by = caller_of(request).name;
  version.tags = TRY(tags_of(body));
  version.details = TRY(details_of(body)).value_or(Json());
  if (const std::string run = TRY(optional_string(body, "run_id")); !run.empty()) version.run = RunId(run);
  if (const std::string logged = TRY(optional_string(body, "logged_model_id")); !logged.empty())
    version.logged_model = LoggedModelId(logged);
  for (const Json& file : TRY(optional_array(body, "files"))) {
    const std::string path = file["path"].string();
    TRY(check_relative_path(path));
    const Hash hash = TRY(parse_hash(file["hash"].string()));
    const std::uint64_t size = TRY(rooms.registry.store().open_blob(hash))->size();
    version.files.push_back({path, hash, size, "", {}});
  }
  const ProjectId project = project_of(request);
  return whole_version(rooms, project, TRY(rooms.models().create_version(project, name_of(request), version)));
}

Result<Json> get_version(const Rooms& rooms, const Request& request) {
  const ProjectId project = project_of(request);
  return whole_version(rooms, project, TRY(rooms.models().version(project, name_of(request), TRY(number_of(request)))));
}

Result<Json> patch_version(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  const ProjectId project = project_of(request);
  const std::string name = name_of(request);
  const std::int64_t number = TRY(number_of(request));
  registry::VersionChange change;
  if (body.find("description") != nullptr) change.description = TRY(optional_string(body, "description"));
  change.details = TRY(details_of(body));
  TRY(rooms.models().update_version(project, name, number, change));
  if (body.find("stage") != nullptr)
    TRY(rooms.models().transition(project, name, number, TRY(optional_string(body, "stage", "None")), false));
  const Json tags = TRY(optional_object(body, "tags"));
  for (const auto& [key, value] : tags.object()) {
    TRY(value.is_null() ? rooms.models().remove_version_tag(project, name, number, key)
                        : rooms.models().set_version_tag(project, name, number, key,
                                                         value.is_string() ? value.string() : value.render()));
  }
  return get_version(rooms, request);
}

Result<Json> delete_version(const Rooms& rooms, const Request& request) {
  TRY(rooms.models().remove_version(project_of(request), name_of(request), TRY(number_of(request)),
                                    caller_of(request).name));
  return Json(Json::Object{});
}

void send_file(const Rooms& rooms, const Request& request, const Responder& responder) {
  const auto find = [&]() -> Result<registry::Artifact> {
    const auto version = TRY(rooms.models().version(project_of(request), name_of(request), TRY(number_of(request))));
    return rooms.registry.artifacts().get({project_of(request), registry::OwnerKind::model_version, version.id},
                                          request.parameter("path"));
  };
  const auto artifact = find();
  if (!artifact.ok()) return responder.send(error_response(artifact.error()));
  send_artifact(request, responder, rooms.registry.store(), *artifact, request.query_value("download").has_value(),
                error_response);
}

// --- aliases -------------------------------------------------------------------------------------------------------

Result<Json> put_alias(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  const std::int64_t version = TRY(optional_integer(body, "version", 0));
  if (version < 1) return Error{ErrorCode::invalid_argument, "'version' is missing or no number from 1"};
  TRY(rooms.models().set_alias(project_of(request), name_of(request), request.parameter("alias"), version,
                               caller_of(request).name, TRY(optional_string(body, "reason"))));
  return get_model(rooms, request);
}

Result<Json> delete_alias(const Rooms& rooms, const Request& request) {
  TRY(rooms.models().remove_alias(project_of(request), name_of(request), request.parameter("alias"),
                                  caller_of(request).name, ""));
  return get_model(rooms, request);
}

Result<Json> history(const Rooms& rooms, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(rooms.models().history(project_of(request), name_of(request),
                                                request.query_value("alias").value_or(""), page.size, page.token));
  const auto version_or_null = [](const std::optional<std::int64_t>& version) {
    return version ? Json(*version) : Json();
  };
  Json::Array list;
  for (const auto& move : found.items) {
    list.push_back(Json()
                       .set("at", time_json(move.at))
                       .set("alias", move.alias)
                       .set("from_version", version_or_null(move.from_version))
                       .set("to_version", version_or_null(move.to_version))
                       .set("member", text_or_null(move.member))
                       .set("reason", text_or_null(move.reason)));
  }
  return Json().set("history", std::move(list)).set("next_page_token", text_or_null(found.next_page_token));
}

// --- lineage -------------------------------------------------------------------------------------------------------

/// ?kind=run&id=…&direction=backwards|onwards&depth=
Result<Json> lineage(const Rooms& rooms, const Request& request) {
  const registry::Node start{std::string(request.query_value("kind").value_or("")),
                             std::string(request.query_value("id").value_or(""))};
  const std::string_view direction = request.query_value("direction").value_or("backwards");
  if (start.kind.empty() || start.id.empty() || (direction != "backwards" && direction != "onwards")) {
    return Error{ErrorCode::invalid_argument,
                 "expected ?kind=KIND&id=ID and, if you like, direction=backwards or direction=onwards"};
  }
  const auto depth = parse_i64(request.query_value("depth").value_or("64"));
  if (!depth || *depth < 1 || *depth > registry::kLineageDepthMax)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'depth' is not a number from 1 to {}", registry::kLineageDepthMax)};
  const auto node_json = [](const registry::Node& node) { return Json().set("kind", node.kind).set("id", node.id); };
  Json::Array edges;
  for (const auto& edge :
       TRY(rooms.registry.lineage().walk(start, direction == "backwards", static_cast<int>(*depth)))) {
    edges.push_back(Json()
                        .set("from", node_json(edge.from))
                        .set("to", node_json(edge.to))
                        .set("relation", edge.relation)
                        .set("at", time_json(edge.at)));
  }
  return Json().set("edges", std::move(edges));
}

}  // namespace

void add_models(http::Router& router, registry::Registry& registry, EvaluationsOfModel evaluations_of) {
  const Rooms rooms{registry, std::move(evaluations_of)};
  using Function = Result<Json> (*)(const Rooms&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status = 200) {
    router.add(method, pattern, [rooms, function, status](Request& request, Responder responder) {
      answer(responder, function(rooms, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  const auto add_search = [&](const char* pattern, Function function) {
    router.add(Method::get, pattern, [rooms, function](Request& request, Responder responder) {
      Filter filter;
      if (auto refused = read_filter(request, filter)) return responder.send(std::move(*refused));
      answer(responder, function(rooms, request), ok);
    });
  };
  add_search("/api/v1/models", list_models);
  add(Method::post, "/api/v1/models", create_model, 201);
  add(Method::get, "/api/v1/models/{name}", get_model);
  add(Method::patch, "/api/v1/models/{name}", patch_model);
  add(Method::del, "/api/v1/models/{name}", delete_model);
  add_search("/api/v1/models/{name}/versions", list_versions);
  add(Method::post, "/api/v1/models/{name}/versions", create_version, 201);
  add(Method::get, "/api/v1/models/{name}/versions/{version}", get_version);
  add(Method::patch, "/api/v1/models/{name}/versions/{version}", patch_version);
  add(Method::del, "/api/v1/models/{name}/versions/{version}", delete_version);
  add(Method::put, "/api/v1/models/{name}/aliases/{alias}", put_alias);
  add(Method::del, "/api/v1/models/{name}/aliases/{alias}", delete_alias);
  add(Method::get, "/api/v1/models/{name}/history", history);
  add(Method::get, "/api/v1/lineage", lineage);
  router.add(Method::get, "/api/v1/models/{name}/versions/{version}/files/{path...}",
             [rooms](Request& request, Responder responder) { send_file(rooms, request, responder); });
}

}  // namespace slipway::api
