#include "api/native/audit.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json entry_json(const teams::AuditEntry& entry) {
  const AuditLine& line = entry.line;
  Json json;
  json.set("id", line.id).set("at", time_json(entry.at));
  json.set("member_id", line.member.text).set("member", text_or_null(entry.member_name));
  json.set("action", line.action).set("kind", text_or_null(line.kind)).set("subject", line.subject);
  json.set("project_id", line.project ? Json(line.project->text) : Json());
  return json.set("project", text_or_null(entry.project_name)).set("details", line.details);
}

std::string text_of(const http::Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(""));
}

Result<std::optional<Time>> time_of(const http::Request& request, std::string_view name) {
  if (!request.query_value(name)) return std::optional<Time>();
  const std::string text = text_of(request, name);
  const auto time = parse_time(text);
  if (!time.ok())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is '{}'; expected a time such as 2026-03-01T00:00:00Z", name, clean_utf8(text, 60))};
  return std::optional(*time);
}

Result<teams::AuditQuery> query_of(const http::Request& request, const Page& page) {
  teams::AuditQuery query;
  query.person = text_of(request, "person");
  query.action = text_of(request, "action");
  query.subject = text_of(request, "subject");
  query.project = text_of(request, "in_project");
  for (const std::string* text : {&query.person, &query.action, &query.subject, &query.project}) {
    if (!is_utf8(*text) || text->find('\0') != std::string::npos)
      return Error{ErrorCode::invalid_argument, "a filter is no text in UTF-8"};
  }
  query.since = TRY(time_of(request, "since"));
  query.until = TRY(time_of(request, "until"));
  if (!page.token.empty() && !looks_like_id(page.token))
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is no page token of this list; begin without one", clean_utf8(page.token, 100))};
  query.before = page.token;
  query.most = static_cast<size_t>(page.size);
  return query;
}

Result<Json> list(teams::Teams& teams, const http::Request& request) {
  if (!caller_of(request).admin)
    return Error{ErrorCode::permission_denied, "only an admin may read the audit trail; ask one of yours"};
  const Page page = TRY(page_of(request));
  teams::AuditQuery query = TRY(query_of(request, page));
  ++query.most;  // whether there is a further page
  auto entries = TRY(teams.audit_trail(query));
  const bool has_more = entries.size() == query.most;
  if (has_more) entries.pop_back();
  Json::Array items;
  for (const teams::AuditEntry& entry : entries) items.push_back(entry_json(entry));
  Json json;
  json.set("entries", std::move(items));
  return json.set("next_page_token", has_more ? Json(entries.back().line.id) : Json());
}

}  // namespace

void add_audit(http::Router& router, teams::Teams& teams) {
  router.add(http::Method::get, "/api/v1/audit", [&teams](http::Request& request, http::Responder responder) {
    answer(responder, list(teams, request), [](const Json& json) { return http::Response::json(json.render()); });
  });
}

}  // namespace slipway::api
