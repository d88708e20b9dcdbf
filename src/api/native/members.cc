#include "api/native/members.h"

#include "api/api.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kTokenDaysMax = 3650;
constexpr char kCookieSeconds[] = "2592000";  // 30 days; the token inside may end sooner

Json member_json(const teams::Member& member) {
  Json json{Json::Object{}};
  json.set("id", member.id.text).set("name", member.name).set("display_name", member.display_name);
  json.set("role", teams::name(member.role)).set("created_at", time_json(member.created_at));
  return json;
}

Json token_json(const teams::Token& token) {
  Json json{Json::Object{}};
  json.set("id", token.id.text).set("name", token.name).set("created_at", time_json(token.created_at));
  return json.set("expires_at", time_json(token.expires_at));
}

http::Response ok(const Json& json) { return http::Response::json(json.render()); }
http::Response created(const Json& json) { return http::Response::json(json.render(), 201); }

Error admins_only() {
  return {ErrorCode::permission_denied, "only an admin may do this; ask one of yours (`slipway members list`)"};
}

Result<Json> login(teams::Teams& teams, const http::Request& request) {
  const Json body = TRY(json_body(request));
  const std::string member = TRY(required_string(body, "name"));
  Json json{Json::Object{}};
  json.set("token", TRY(teams.login(member, TRY(required_string(body, "password")))));
  TRY(teams.audit({TRY(teams.find_member(member)), "sign in", "member", member, "from " + request.peer.address}));
  return json;
}

/// The cookie that the UI's pictures and its event stream show; no script can read it, no other site can send it.
std::string cookie(std::string_view token, std::string_view max_age_s, bool tls) {
  return "slipway_token=" + std::string(token) +
         "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::string(max_age_s) + (tls ? "; Secure" : "");
}

void sign_in(teams::Teams& teams, const http::Request& request, const http::Responder& responder) {
  answer(responder, login(teams, request), [&request](const Json& json) {
    http::Response response = ok(json);
    response.headers.add("Set-Cookie", cookie(json.find("token")->string(), kCookieSeconds, request.peer.tls));
    return response;
  });
}

void sign_out(const http::Request& request, const http::Responder& responder) {
  http::Response response = http::Response::empty();
  response.headers.add("Set-Cookie", cookie("", "0", request.peer.tls));
  responder.send(std::move(response));
}

Result<Json> create_token(teams::Teams& teams, const http::Request& request) {
  const Caller caller = caller_of(request);
  if (caller.run) return Error{ErrorCode::permission_denied, "a run's own token cannot make further tokens"};
  const Json body = TRY(json_body(request));
  const std::int64_t days = TRY(optional_integer(body, "days", 0));
  if (days < 0 || days > kTokenDaysMax) {
    return Error{ErrorCode::invalid_argument, "'days' is " + std::to_string(days) + "; expected 1 to " +
                                                  std::to_string(kTokenDaysMax) + ", or nothing for no end"};
  }
  const auto made =
      TRY(teams.create_token(caller.member, TRY(required_string(body, "name")),
                             days > 0 ? std::optional<Duration>(std::chrono::hours(24 * days)) : std::nullopt));
  TRY(teams.audit({caller.member, "create token", "token", made.token.id.text, made.token.name}));
  return token_json(made.token).set("secret", made.secret);
}

Result<Json> list_tokens(teams::Teams& teams, const http::Request& request) {
  Json::Array items;
  for (const teams::Token& token : TRY(teams.tokens(caller_of(request).member))) items.push_back(token_json(token));
  return Json(Json::Object{}).set("tokens", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> revoke_token(teams::Teams& teams, const http::Request& request) {
  const Caller caller = caller_of(request);
  const TokenId token(request.parameter("token"));
  TRY(teams.revoke_token(caller.member, token));
  TRY(teams.audit({caller.member, "revoke token", "token", token.text}));
  return Json(Json::Object{});
}

Result<Json> list_members(teams::Teams& teams, const http::Request&) {
  Json::Array items;
  for (const teams::Member& member : TRY(teams.members())) items.push_back(member_json(member));
  return Json(Json::Object{}).set("members", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> create_member(teams::Teams& teams, const http::Request& request) {
  const Caller caller = caller_of(request);
  if (!caller.admin) return admins_only();
  const Json body = TRY(json_body(request));
  const std::string role = TRY(optional_string(body, "role", "member"));
  if (role != "member" && role != "admin")
    return Error{ErrorCode::invalid_argument, "'role' is '" + role + "'; expected member or admin"};
  const auto member = TRY(teams.create_member(TRY(required_string(body, "name")),
                                              role == "admin" ? teams::Role::admin : teams::Role::member));
  const std::string password = TRY(optional_string(body, "password"));
  if (!password.empty()) TRY(teams.set_password(member.id, password));
  TRY(teams.audit({caller.member, "create member", "member", member.name, "role " + role}));
  return member_json(member);
}

Result<Json> set_password(teams::Teams& teams, const http::Request& request) {
  const Caller caller = caller_of(request);
  const MemberId member(request.parameter("member"));
  if (!caller.admin && caller.member != member) return admins_only();
  const Json body = TRY(json_body(request));
  TRY(teams.set_password(member, TRY(required_string(body, "password"))));
  std::string name = member.text;
  for (const teams::Member& one : TRY(teams.members())) {
    if (one.id == member) name = one.name;
  }
  TRY(teams.audit({caller.member, "set password", "member", name}));
  return Json(Json::Object{});
}

Json project_json(const teams::Project& project) {
  return Json(Json::Object{})
      .set("id", project.id.text)
      .set("name", project.name)
      .set("description", project.description)
      .set("created_at", time_json(project.created_at));
}

Result<Json> list_projects(teams::Teams& teams, const http::Request&) {
  Json::Array items;
  for (const teams::Project& project : TRY(teams.projects())) items.push_back(project_json(project));
  return Json(Json::Object{}).set("projects", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> create_project(teams::Teams& teams, const http::Request& request) {
  const Caller caller = caller_of(request);
  if (!caller.admin) return admins_only();
  const Json body = TRY(json_body(request));
  const auto project =
      TRY(teams.create_project(TRY(required_string(body, "name")), TRY(optional_string(body, "description"))));
  TRY(teams.audit({caller.member, "create project", "project", project.name, "", project.id}));
  return project_json(project);
}

}  // namespace

void add_members(http::Router& router, teams::Teams& teams) {
  using http::Method;
  using Function = Result<Json> (*)(teams::Teams&, const http::Request&);
  const auto add = [&](Method method, const char* pattern, Function function,
                       http::Response (*render)(const Json&) = ok) {
    router.add(method, pattern, [&teams, function, render](http::Request& request, http::Responder responder) {
      answer(responder, function(teams, request), render);
    });
  };
  router.add(Method::post, "/api/v1/login",
             [&teams](http::Request& request, http::Responder responder) { sign_in(teams, request, responder); });
  router.add(Method::del, "/api/v1/login",
             [](http::Request& request, http::Responder responder) { sign_out(request, responder); });
  add(Method::get, "/api/v1/tokens", list_tokens);
  add(Method::post, "/api/v1/tokens", create_token, created);
  add(Method::del, "/api/v1/tokens/{token}", revoke_token);
  add(Method::get, "/api/v1/members", list_members);
  add(Method::post, "/api/v1/members", create_member, created);
  add(Method::put, "/api/v1/members/{member}/password", set_password);
  add(Method::get, "/api/v1/projects", list_projects);
  add(Method::post, "/api/v1/projects", create_project, created);
}

}  // namespace slipway::api
