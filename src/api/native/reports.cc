#include "api/native/reports.h"

#include <optional>
#include <string>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::Reports;

/// Without its text.
Json report_json(const Report& report) {
  Json json{Json::Object{}};
  json.set("id", report.id.text).set("title", report.title).set("revision", report.revision);
  json.set("author", report.author).set("editor", report.editor).set("created_at", time_json(report.created_at));
  return json.set("updated_at", time_json(report.updated_at)).set("deleted_at", time_json(report.deleted_at));
}

Json whole_json(const Report& report) { return report_json(report).set("text", report.text); }

Json revision_json(const ReportRevision& revision) {
  Json json{Json::Object{}};
  json.set("number", revision.number).set("title", revision.title).set("bytes", revision.bytes);
  return json.set("member", revision.member).set("created_at", time_json(revision.created_at));
}

ReportId id_of(const Request& request) { return ReportId(request.parameter("report")); }

/// The request's text, or nothing when it has none.
Result<std::optional<std::string>> text_of(const Json& body) {
  const Json* text = body.find("text");
  if (!text) return std::optional<std::string>();
  if (!text->is_string())
    return Error{ErrorCode::invalid_argument, "'text' is not a string; expected Markdown, or no 'text' at all"};
  return std::optional<std::string>(text->string());
}

Result<Json> list(Reports& reports, const Request& request) {
  const bool deleted = TRY(query_flag(request, "deleted"));
  Json::Array items;
  for (const Report& report : TRY(reports.list(project_of(request), deleted))) items.push_back(report_json(report));
  return Json(Json::Object{}).set("reports", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> create(Reports& reports, const Request& request) {
  const Json body = TRY(json_body(request));
  Report made;
  made.project = project_of(request);
  made.title = TRY(required_string(body, "title"));
  made.text = TRY(text_of(body)).value_or("");
  made.author = caller_of(request).name;
  return whole_json(TRY(reports.create(std::move(made))));
}

Result<Json> get(Reports& reports, const Request& request) {
  return whole_json(TRY(reports.get(project_of(request), id_of(request))));
}

Result<Json> change(Reports& reports, const Request& request) {
  const Json body = TRY(json_body(request));
  if (!body.find("revision"))
    return Error{ErrorCode::invalid_argument,
                 "'revision' is missing from the request: the number of the revision that the change was made to, so "
                 "that nobody's change is lost"};
  tracking::ReportChange change;
  change.based_on = TRY(optional_integer(body, "revision", 0));
  if (body.find("title")) change.title = TRY(required_string(body, "title"));
  change.text = TRY(text_of(body));
  change.member = caller_of(request).name;
  return whole_json(TRY(reports.change(project_of(request), id_of(request), change)));
}

Result<Json> remove(Reports& reports, const Request& request) {
  TRY(reports.remove(project_of(request), id_of(request)));
  return Json(Json::Object{});
}

Result<Json> restore(Reports& reports, const Request& request) {
  return whole_json(TRY(reports.restore(project_of(request), id_of(request))));
}

Result<Json> revisions(Reports& reports, const Request& request) {
  Json::Array items;
  for (const auto& one : TRY(reports.revisions(project_of(request), id_of(request))))
    items.push_back(revision_json(one));
  return Json(Json::Object{}).set("revisions", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> revision(Reports& reports, const Request& request) {
  const std::string given(request.parameter("number"));
  const auto number = parse_i64(given);
  if (!number)
    return Error{ErrorCode::invalid_argument,
                 "'" + clean_utf8(given, 40) + "' is not the number of a revision; expected a whole number"};
  const auto found = TRY(reports.revision(project_of(request), id_of(request), *number));
  return revision_json(found).set("text", found.text);
}

}  // namespace

void add_reports(http::Router& router, const std::shared_ptr<Reports>& reports) {
  using Function = Result<Json> (*)(Reports&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status) {
    router.add(method, pattern, [reports, function, status](Request& request, Responder responder) {
      answer(responder, function(*reports, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  add(Method::get, "/api/v1/reports", list, 200);
  add(Method::post, "/api/v1/reports", create, 201);
  add(Method::get, "/api/v1/reports/{report}", get, 200);
  add(Method::patch, "/api/v1/reports/{report}", change, 200);
  add(Method::del, "/api/v1/reports/{report}", remove, 200);
  add(Method::post, "/api/v1/reports/{report}/restore", restore, 200);
  add(Method::get, "/api/v1/reports/{report}/revisions", revisions, 200);
  add(Method::get, "/api/v1/reports/{report}/revisions/{number}", revision, 200);
}

}  // namespace slipway::api
