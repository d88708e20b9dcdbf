#include "api/gate.h"

#include <fnmatch.h>

#include <algorithm>

#include "api/api.h"
#include "api/signed_url.h"
#include "base/text.h"
#include "http/sharing.h"

namespace slipway::api {
namespace {

// The gate hands on what it found in these; whatever a client sends under these names is replaced.
constexpr char kCallerHeader[] = "X-Slipway-Internal-Caller";
constexpr char kProjectHeader[] = "X-Slipway-Internal-Project";
constexpr char kSeparator = '\x1f';
constexpr std::string_view kProjectPrefix = "/projects/";

/// "example.org:7070" -> "example.org"; "[::1]:7070" -> "[::1]".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, std::min(host.find(']') + 1, host.size()));
  return host.substr(0, host.find(':'));
}

/// Whether any of the patterns, in which '*' stands for any characters, is the whole text.
bool matches(const std::set<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), std::string(text).c_str(), FNM_CASEFOLD) == 0;
  });
}

bool is_loopback_name(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host.ends_with(".localhost");
}

/// Paths that say nothing about anybody's work and that must answer before a sign-in.
bool is_open(const http::Request& request) {
  const std::string_view path = request.path;
  if (path.starts_with(kSignedPrefix)) return true;  // its signature is its credential
  if (path == "/healthz" || path == "/health" || path == "/version" || path == "/api/v1/login") return true;
  // The UI itself: a document and its assets; all it shows it asks for with a credential.
  const bool is_file = path == "/get-artifact" || path.starts_with("/model-versions/");  // of upstream's own UI
  const bool is_api = is_file || path.starts_with("/api/") || path.starts_with("/ajax-api/") ||
                      path.starts_with("/v2") || path.starts_with("/metrics") || path.starts_with("/git/") ||
                      path.starts_with("/hooks") || path.starts_with("/v1/");
  return !is_api && (request.method == http::Method::get || request.method == http::Method::head);
}

std::string cookie(std::string_view header, std::string_view name) {
  for (const std::string& part : split(header, ';')) {
    const std::string_view entry = trim(part);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return std::string(entry.substr(name.size() + 1));
  }
  return "";
}

void set_target(http::Request& request, std::string target) {
  if (!target.starts_with('/')) target.insert(0, "/");
  request.target = std::move(target);
  request.path = http::url_decode(std::string_view(request.target).substr(0, request.target.find('?')));
}

/// "/lab/api/v1/runs" becomes "/api/v1/runs" on a server that stands below "/lab"; true when it was there.
bool take_static_prefix(http::Request& request, const std::string& prefix) {
  const std::string_view target = request.target;
  if (prefix.empty() || !target.starts_with(prefix)) return false;
  const std::string_view rest = target.substr(prefix.size());
  if (!rest.empty() && rest[0] != '/' && rest[0] != '?') return false;
  set_target(request, std::string(rest));
  return true;
}

/// "/projects/lab/api/v1/runs?x" becomes "/api/v1/runs?x", and "lab" is answered; nothing for a path without a project.
std::string take_project(http::Request& request) {
  const std::string_view target = request.target;
  if (!target.starts_with(kProjectPrefix)) return "";
  const size_t end = std::min(target.find_first_of("/?", kProjectPrefix.size()), target.size());
  std::string project = http::url_decode(target.substr(kProjectPrefix.size(), end - kProjectPrefix.size()));
  if (project.empty()) return "";
  set_target(request, std::string(target.substr(end)));
  return project;
}

/// The secret a request shows, wherever it shows it; empty for none.
std::string secret_of(const http::Request& request) {
  const std::string_view authorization = request.headers.get("Authorization");
  if (authorization.size() > 7 && equals_ignore_case(authorization.substr(0, 7), "Bearer "))
    return std::string(trim(authorization.substr(7)));
  if (authorization.size() > 6 && equals_ignore_case(authorization.substr(0, 6), "Basic ")) {
    const auto pair = base64_decode(trim(authorization.substr(6)));
    if (!pair) return "";
    const size_t colon = pair->find(':');
    return colon == std::string::npos ? "" : pair->substr(colon + 1);
  }
  return cookie(request.headers.get("Cookie"), "slipway_token");
}

/// Who shows nothing is told how to; a page in a browser asks its reader itself, so the browser must not ask with a
/// window of its own, as Basic would make it.
http::Response unauthenticated(const http::Request& request, std::string message) {
  http::Response response = error_response({ErrorCode::unauthenticated, std::move(message)});
  const std::string_view mode = request.headers.get("Sec-Fetch-Mode");
  if (!mode.empty() && mode != "navigate") response.headers.set("WWW-Authenticate", "Bearer realm=\"slipway\"");
  return response;
}

std::string pack(const teams::Identity& identity) {
  std::string text = identity.member.id.text;
  text += kSeparator;
  text += identity.member.name;
  text += kSeparator;
  text += identity.member.role == teams::Role::admin && !identity.run ? "1" : "0";
  text += kSeparator;
  if (identity.run) text += identity.run->text;
  return text;
}

class Gate {
 public:
  Gate(teams::Teams& teams, GateOptions options)
      : teams_(teams), options_(std::move(options)), owner_(pack({teams.owner(), std::nullopt})) {}

  std::optional<http::Response> operator()(http::Request& request) const {
    request.headers.set(kCallerHeader, "");
    request.headers.set(kProjectHeader, "default");
    const bool is_below_prefix = take_static_prefix(request, options_.static_prefix);
    if (is_below_prefix || request.headers.has(kStaticPrefixHeader))
      request.headers.set(std::string(kStaticPrefixHeader), is_below_prefix ? options_.static_prefix : "");
    http::share_answer(request, "");
    const std::string whole_host = lower(request.headers.get("Host")), host(without_port(whole_host));
    if (request.peer.loopback && !is_loopback_name(host) && !matches(options_.hosts, host) &&
        !matches(options_.hosts, whole_host))
      return foreign_host(host);
    const std::string origin(request.headers.get("Origin"));
    if (!origin.empty() && !is_own_origin(origin, request)) {
      if (!matches(options_.origins, origin)) return foreign_origin(origin);
      http::share_answer(request, origin);
      if (http::is_preflight(request)) return http::preflight_answer(request);
    }

    const std::string prefix = take_project(request);
    if (auto refused = identify(request)) return refused;
    // The web UI shows its page whatever the project, and says itself when there is none.
    return is_open(request) ? std::nullopt : resolve_project(request, prefix);
  }

 private:
  static bool is_own_origin(std::string_view origin, const http::Request& request) {
    const size_t scheme_end = origin.find("://");
    return scheme_end != std::string_view::npos &&
           equals_ignore_case(origin.substr(scheme_end + 3), request.headers.get("Host"));
  }

  static http::Response foreign_host(const std::string& host) {
    return error_response({ErrorCode::permission_denied,
                           "Invalid Host header - possible DNS rebinding attack detected: '" + clean_utf8(host, 100) +
                               "' is not a name of this server; add it with --allowed-host"});
  }

  static http::Response foreign_origin(std::string_view origin) {
    return error_response(
        {ErrorCode::permission_denied,
         "a page from '" + clean_utf8(origin, 100) + "' may not call this server; add it with --allowed-origin"});
  }

  /// Puts who asks into the request, or answers that they must say.
  std::optional<http::Response> identify(http::Request& request) const {
    const std::string secret = secret_of(request);
    if (!secret.empty()) {
      if (const auto identity = teams_.authenticate(secret)) {
        request.headers.set(kCallerHeader, pack(*identity));
        return std::nullopt;
      }
      if (is_open(request)) return std::nullopt;
      return unauthenticated(request,
                             "this token is unknown, revoked or expired; make another with `slipway tokens create`");
    }
    if (request.peer.loopback && request.peer.uid == options_.owner_uid) {
      request.headers.set(kCallerHeader, owner_);
      return std::nullopt;
    }
    if (is_open(request)) return std::nullopt;
    return unauthenticated(
        request,
        "this needs a token: send it as `Authorization: Bearer`, or set SLIPWAY_TOKEN or MLFLOW_TRACKING_TOKEN");
  }

  std::optional<http::Response> resolve_project(http::Request& request, std::string_view prefix) const {
    std::string_view wanted = request.headers.get("X-Slipway-Project");
    if (wanted.empty()) wanted = request.headers.get("X-MLFLOW-WORKSPACE");
    if (!prefix.empty() && !wanted.empty() && wanted != prefix) {
      return error_response({ErrorCode::invalid_argument, "the path names the project '" + clean_utf8(prefix, 100) +
                                                              "' and the header '" + clean_utf8(wanted, 100) +
                                                              "'; send one of them"});
    }
    if (wanted.empty()) wanted = prefix;
    if (wanted.empty()) wanted = request.query_value("project").value_or("");
    if (wanted.empty() || wanted == "default") return std::nullopt;
    const auto project = teams_.find_project(wanted);
    if (!project)
      return error_response({ErrorCode::not_found, "there is no project '" + clean_utf8(wanted, 100) + "'"});
    request.headers.set(kProjectHeader, project->text);
    return std::nullopt;
  }

  teams::Teams& teams_;
  const GateOptions options_;
  const std::string owner_;
};

}  // namespace

http::Router::Gate make_gate(teams::Teams& teams, GateOptions options) {
  return
      [gate = std::make_shared<Gate>(teams, std::move(options))](http::Request& request) { return (*gate)(request); };
}

Caller caller_of(const http::Request& request) {
  const auto parts = split(request.headers.get(kCallerHeader), kSeparator);
  Caller caller;
  if (parts.size() != 4) return caller;
  caller.member = MemberId(parts[0]);
  caller.name = parts[1];
  caller.admin = parts[2] == "1";
  if (!parts[3].empty()) caller.run = RunId(parts[3]);
  return caller;
}

ProjectId project_of(const http::Request& request) { return ProjectId(request.headers.get(kProjectHeader)); }

}  // namespace slipway::api
