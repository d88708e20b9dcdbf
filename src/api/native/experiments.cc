#include "api/native/experiments.h"

#include "api/api.h"
#include "api/native/filter_query.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::Experiment;
using tracking::Tracking;

constexpr size_t kNameCharactersMax = 500;

Result<Json> experiment_json(Tracking& tracking, const Experiment& experiment) {
  Json tags{Json::Object{}};
  for (const auto& [key, value] : experiment.tags) tags.set(key, value);
  Json json;
  json.set("id", experiment.id.text)
      .set("name", experiment.name)
      .set("state", experiment.deleted ? "deleted" : "active");
  json.set("created_at", time_json(experiment.created_at))
      .set("updated_at", time_json(experiment.updated_at))
      .set("tags", std::move(tags));
  return json.set("run_count", TRY(tracking.experiments().run_count(experiment)));
}

Result<void> check_name(const std::string& name) {
  if (name.size() <= kNameCharactersMax) return {};
  return Error{ErrorCode::too_large,
               "an experiment's name has at most " + std::to_string(kNameCharactersMax) + " bytes"};
}

Result<tracking::View> view_of(std::string_view state) {
  if (state == "active") return tracking::View::active;
  if (state == "deleted") return tracking::View::deleted;
  if (state == "all") return tracking::View::all;
  return Error{ErrorCode::invalid_argument,
               "'state' is '" + clean_utf8(state, 40) + "'; expected active, deleted or all"};
}

void list(Tracking& tracking, const Request& request, const Responder& responder) {
  tracking::ExperimentQuery query{.project = project_of(request)};
  if (auto refused = read_filter(request, query.filter)) return responder.send(std::move(*refused));
  const auto answer_list = [&]() -> Result<Json> {
    const Page page = TRY(page_of(request));
    query.page_size = static_cast<size_t>(page.size);
    query.page_token = page.token;
    query.order = TRY(order_of(request));
    query.view = TRY(view_of(request.query_value("state").value_or("active")));
    const auto found = TRY(tracking.search().experiments(query));
    Json::Array items;
    for (const Experiment& experiment : found.items) items.push_back(TRY(experiment_json(tracking, experiment)));
    return Json()
        .set("experiments", std::move(items))
        .set("next_page_token", found.next_page_token ? Json(*found.next_page_token) : Json());
  };
  answer(responder, answer_list(), [](const Json& json) { return http::Response::json(json.render()); });
}

ExperimentId id_of(const Request& request) { return ExperimentId(request.parameter("experiment")); }

Result<Json> get(Tracking& tracking, const Request& request) {
  return experiment_json(tracking, TRY(tracking.experiments().get(project_of(request), id_of(request))));
}

Result<Json> create(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  const std::string name = TRY(required_string(body, "name"));
  TRY(check_name(name));
  return experiment_json(tracking, TRY(tracking.experiments().create(project_of(request), name, "",
                                                                     TRY(optional_text_pairs(body, "tags")))));
}

Result<Json> change(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  const ProjectId project = project_of(request);
  if (body.find("name")) {
    const std::string name = TRY(required_string(body, "name"));
    TRY(check_name(name));
    TRY(tracking.experiments().rename(project, id_of(request), name));
  }
  for (const auto& [key, value] : TRY(optional_text_pairs(body, "tags")))
    TRY(tracking.experiments().set_tag(project, id_of(request), key, value));
  return get(tracking, request);
}

Result<Json> remove(Tracking& tracking, const Request& request) {
  TRY(tracking.experiments().remove(project_of(request), id_of(request)));
  return Json(Json::Object{});
}

Result<Json> restore(Tracking& tracking, const Request& request) {
  TRY(tracking.experiments().restore(project_of(request), id_of(request)));
  return get(tracking, request);
}

}  // namespace

void add_experiments(http::Router& router, Tracking& tracking) {
  using Function = Result<Json> (*)(Tracking&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status) {
    router.add(method, pattern, [&tracking, function, status](Request& request, Responder responder) {
      answer(responder, function(tracking, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  router.add(Method::get, "/api/v1/experiments",
             [&tracking](Request& request, Responder responder) { list(tracking, request, responder); });
  add(Method::post, "/api/v1/experiments", create, 201);
  add(Method::get, "/api/v1/experiments/{experiment}", get, 200);
  add(Method::patch, "/api/v1/experiments/{experiment}", change, 200);
  add(Method::del, "/api/v1/experiments/{experiment}", remove, 200);
  add(Method::post, "/api/v1/experiments/{experiment}/restore", restore, 200);
}

}  // namespace slipway::api
