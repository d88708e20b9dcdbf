#include "api/native/views.h"

#include <memory>

#include "api/api.h"
#include "tracking/views.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::Views;

Json view_json(const SavedView& view) {
  Json json{Json::Object{}};
  json.set("id", view.id.text).set("page", view.page).set("name", view.name).set("query", view.query);
  json.set("member", view.member).set("created_at", time_json(view.created_at));
  return json.set("updated_at", time_json(view.updated_at));
}

ViewId id_of(const Request& request) { return ViewId(request.parameter("view")); }

/// Of the page's URL. Empty: the page as it is at first.
Result<std::string> query_of(const Json& body) {
  if (body["query"].is_null())
    return Error{ErrorCode::invalid_argument,
                 "'query' is missing from the request; an empty one is the page as it is at first"};
  return optional_string(body, "query");
}

Result<Json> list(Views& views, const Request& request) {
  Json::Array items;
  const std::string page(request.query_value("page").value_or(""));
  for (const SavedView& view : TRY(views.list(project_of(request), page))) items.push_back(view_json(view));
  return Json(Json::Object{}).set("views", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> create(Views& views, const Request& request) {
  const Json body = TRY(json_body(request));
  SavedView made;
  made.project = project_of(request);
  made.page = TRY(required_string(body, "page"));
  made.name = TRY(required_string(body, "name"));
  made.query = TRY(query_of(body));
  made.member = caller_of(request).name;
  return view_json(TRY(views.create(std::move(made))));
}

Result<Json> get(Views& views, const Request& request) {
  return view_json(TRY(views.get(project_of(request), id_of(request))));
}

Result<Json> change(Views& views, const Request& request) {
  const Json body = TRY(json_body(request));
  tracking::ViewChange change;
  if (body.find("name")) change.name = TRY(required_string(body, "name"));
  if (body.find("query")) change.query = TRY(query_of(body));
  return view_json(TRY(views.change(project_of(request), id_of(request), change)));
}

Result<Json> remove(Views& views, const Request& request) {
  TRY(views.remove(project_of(request), id_of(request)));
  return Json(Json::Object{});
}

}  // namespace

void add_views(http::Router& router, catalog::Database& database, const Clock& clock) {
  // Shared by the handlers, which live as long as the router.
  const auto views = std::make_shared<Views>(database, clock);
  using Function = Result<Json> (*)(Views&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status) {
    router.add(method, pattern, [views, function, status](Request& request, Responder responder) {
      answer(responder, function(*views, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  add(Method::get, "/api/v1/views", list, 200);
  add(Method::post, "/api/v1/views", create, 201);
  add(Method::get, "/api/v1/views/{view}", get, 200);
  add(Method::patch, "/api/v1/views/{view}", change, 200);
  add(Method::del, "/api/v1/views/{view}", remove, 200);
}

}  // namespace slipway::api
