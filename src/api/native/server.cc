#include "api/native/server.h"

#include <unistd.h>

#include "api/api.h"
#include "base/file.h"
#include "base/text.h"
#include "version.h"

namespace slipway::api {
namespace {

/// Resident memory of this process: the second field of /proc/self/statm, in pages.
std::int64_t resident_bytes() {
  const auto statm = read_file("/proc/self/statm", 4096);
  if (!statm.ok()) return 0;
  const auto fields = split(*statm, ' ');
  return fields.size() > 1 ? parse_i64(fields[1]).value_or(0) * ::sysconf(_SC_PAGESIZE) : 0;
}

Result<Json> describe(const ServerFacts& facts, Time started_at, const http::Request& request) {
  Json::Array projects;
  for (const auto& project : TRY(facts.teams.projects())) {
    projects.push_back(Json(Json::Object{}).set("id", project.id.text).set("name", project.name));
  }
  const Caller caller = caller_of(request);
  Json member{Json::Object{}};
  member.set("id", caller.member.text).set("name", caller.name).set("role", caller.admin ? "admin" : "member");
  Json json{Json::Object{}};
  json.set("version", kVersion).set("started_at", time_json(started_at));
  json.set("database", facts.database.is_postgres() ? "postgresql" : "sqlite");
  json.set("data_bytes_free", TRY(free_disk_bytes(facts.data)));
  const DiskState disk = facts.disk.state();
  json.set("data_bytes_free_min", disk.bytes_free_min).set("disk_low", disk.low).set("member", std::move(member));
  return json.set("projects", std::move(projects));
}

}  // namespace

void add_server(http::Router& router, ServerFacts facts) {
  using http::Method;
  const Time started_at = system_clock().now();
  Gauge& resident = facts.counters.gauge("server_resident_memory_bytes", "Resident memory of the server process");
  router.add(Method::get, "/healthz",
             [](http::Request&, http::Responder responder) { responder.send(http::Response::text("ok")); },
             {.where = http::Where::on_loop});
  router.add(Method::get, "/metrics", [facts, &resident](http::Request&, http::Responder responder) {
    resident.set(resident_bytes());
    http::Response response = http::Response::text(facts.counters.render());
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    responder.send(std::move(response));
  });
  router.add(Method::get, "/api/v1/server", [facts, started_at](http::Request& request, http::Responder responder) {
    answer(responder, describe(facts, started_at, request),
           [](const Json& json) { return http::Response::json(json.render()); });
  });
}

}  // namespace slipway::api
