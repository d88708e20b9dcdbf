#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "api/mlflow/validate.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kSearchDefault = 10'000;
constexpr std::int64_t kSearchMax = 200'000;

std::int64_t version_of(const Call& call) { return call.integer("version").value_or(0); }

std::string answer_with(const registry::Version& version) {
  JsonWriter json;
  json.begin_object().key("model_version");
  write(json, version);
  json.end_object();
  return json.take();
}

/// A client may register what the server keeps, or what lies elsewhere; never a file of the server's own machine.
Result<void> check_source(std::string_view source) {
  const std::string scheme = scheme_of(source);
  const bool is_ours = scheme == "models" || scheme == "runs" || scheme == "mlflow-artifacts";
  const bool is_elsewhere =
      scheme != "file" && scheme != "local-file" && source.substr(scheme.size()).starts_with("://");
  if ((is_ours || (is_elsewhere && !scheme.empty())) && !climbs(source)) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "Invalid model version source: '{}'. To use a local path as a model version source, the path must lie within the "
          "artifact directory of its run; expected models:/, runs:/, mlflow-artifacts:/ or another URI without '..'",
          clean_utf8(source, 300))};
}

/// A version of a prompt has no files; clients say so with one of these.
Result<void> check_prompt_source(std::string_view source) {
  if (source == "dummy-source" || source == "prompt-template") return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid prompt source: '{}'. Prompt sources must use an MLflow placeholder.",
                           clean_utf8(source, 300))};
}

bool is_prompt(const tracking::KeyValues& tags) {
  bool is_marked = false;
  for (const auto& [key, value] : tags) {
    if (key == "mlflow.prompt.is_prompt") is_marked = value == "true";
  }
  return is_marked;
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  TRY(is_prompt(call.pairs("tags")) ? check_prompt_source(call.text("source")) : check_source(call.text("source")));
  registry::NewVersion version;
  version.description = call.text("description");
  version.source = call.text("source");
  version.run_link = call.text("run_link");
  version.created_by = caller_of(call.request()).name;
  if (!call.text("run_id").empty()) version.run = call.run();
  if (!call.text("model_id").empty()) version.logged_model = LoggedModelId(call.text("model_id"));
  version.tags = call.pairs("tags");
  if (!version.run && version.logged_model) {
    const auto model = rooms.tracking.logged_models().get(call.project(), *version.logged_model);
    if (model.ok()) version.run = model->source_run;
  }
  return answer_with(TRY(rooms.models.create_version(call.project(), call.text("name"), version)));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.models.version(call.project(), call.text("name"), version_of(call))));
}

Result<std::string> update(const Rooms& rooms, const Call& call) {
  registry::VersionChange change;
  if (call.has("description")) change.description = call.text("description");
  return answer_with(TRY(rooms.models.update_version(call.project(), call.text("name"), version_of(call), change)));
}

Result<std::string> transition(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.models.transition(call.project(), call.text("name"), version_of(call),
                                                 call.text("stage"), call.boolean("archive_existing_versions"))));
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.remove_version(call.project(), call.text("name"), version_of(call), caller_of(call.request()).name));
  return std::string("{}");
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  const auto search = TRY(read_search(call, kSearchDefault, kSearchMax));
  const auto page = TRY(rooms.models.search_versions(call.project(), search));
  JsonWriter json;
  json.begin_object().key("model_versions").begin_array();
  for (const auto& version : page.items) write(json, version);
  json.end_array();
  if (!page.next_page_token.empty()) json.member("next_page_token", page.next_page_token);
  json.end_object();
  return json.take();
}

/// Where a client downloads the version's files: what it was registered from, with models:/m-… resolved.
Result<std::string> download_uri(const Rooms& rooms, const Call& call) {
  const auto version = TRY(rooms.models.version(call.project(), call.text("name"), version_of(call)));
  std::string uri = version.source;
  const auto place = registry::locate_source(version.source);
  if (place && place->kind == registry::OwnerKind::logged_model && uri.starts_with("models:")) {
    uri = TRY(rooms.tracking.logged_models().get(call.project(), LoggedModelId(place->id))).artifact_uri;
    if (!place->path.empty()) uri += "/" + place->path;
  }
  JsonWriter json;
  json.begin_object().member("artifact_uri", uri).end_object();
  return json.take();
}

Result<std::string> set_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.set_version_tag(call.project(), call.text("name"), version_of(call), call.text("key"),
                                   call.text("value")));
  return std::string("{}");
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.remove_version_tag(call.project(), call.text("name"), version_of(call), call.text("key")));
  return std::string("{}");
}

const Field kName{"name", FieldType::text, true};
const Field kVersion{"version", FieldType::integer, true};
const Field kKey{"key", FieldType::text, true};

}  // namespace

std::span<const Endpoint> model_version_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/model-versions/create",
       {kName,
        {"source", FieldType::text, true},
        {"run_id"},
        {"tags", FieldType::objects},
        {"run_link"},
        {"description"},
        {"model_id"}},
       create},
      {Method::get, "mlflow/model-versions/get", {kName, kVersion}, get},
      {Method::patch, "mlflow/model-versions/update", {kName, kVersion, {"description"}}, update},
      {Method::post,
       "mlflow/model-versions/transition-stage",
       {kName, kVersion, {"stage", FieldType::text, true}, {"archive_existing_versions", FieldType::boolean}},
       transition},
      {Method::del, "mlflow/model-versions/delete", {kName, kVersion}, remove},
      {Method::get,
       "mlflow/model-versions/search",
       {{"filter"}, {"max_results", FieldType::integer}, {"order_by", FieldType::texts}, {"page_token"}},
       search},
      {Method::get, "mlflow/model-versions/get-download-uri", {kName, kVersion}, download_uri},
      {Method::post, "mlflow/model-versions/set-tag", {kName, kVersion, kKey, {"value"}}, set_tag},
      {Method::del, "mlflow/model-versions/delete-tag", {kName, kVersion, kKey}, delete_tag},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
