#include <pwd.h>
#include <unistd.h>

#include "api/gate.h"
#include "api/native/members.h"
#include "api/native/server.h"
#include "parts.h"

namespace slipway::server {
namespace {

constexpr size_t kBlockingThreads = 16;
constexpr size_t kBlockingWaitingMax = 4096;

/// The name of the operating-system user who runs this: the first admin.
std::string owner_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry ? entry->pw_name : "uid-" + std::to_string(::getuid());
}

Result<void> open_stores(Parts& parts) {
  const Settings& settings = parts.settings;
  parts.folder = std::make_unique<DataFolder>(TRY(DataFolder::open(settings.data)));
  catalog::DatabaseOptions database;
  database.url = settings.database.empty() ? "sqlite:" + (parts.folder->path() / "slipway.db").string() : settings.database;
  database.sync_streams = settings.sync_streams;
  parts.database = TRY(catalog::Database::open(database, catalog::schema(), *parts.counters));
  store::StoreOptions store;
  store.folder = parts.folder->path() / "store";
  parts.store = TRY(store::Store::open(store, system_clock(), *parts.counters));
  parts.teams = TRY(teams::Teams::open(*parts.database, system_clock(), owner_name()));
  return {};
}

/// Closed by default: nobody outside this machine may reach a server whose admins have no credential.
Result<void> check_exposure(const Settings& settings, teams::Teams& teams) {
  if (is_loopback(settings.address) || TRY(teams.an_admin_has_a_credential())) return {};
  return Error{ErrorCode::failed_precondition, "refusing to listen on " + settings.address + ": no admin has a credential yet. Start on 127.0.0.1, run `slipway tokens create first`, and start again"};
}

void add_routes(Parts& parts) {
  api::GateOptions gate;
  gate.owner_uid = ::getuid();
  gate.hosts = {parts.settings.allowed_hosts.begin(), parts.settings.allowed_hosts.end()};
  gate.origins = {parts.settings.allowed_origins.begin(), parts.settings.allowed_origins.end()};
  parts.router.add_gate(api::make_gate(*parts.teams, gate));
  api::add_server(parts.router, {parts.folder->path(), *parts.database, *parts.counters, *parts.teams});
  api::add_members(parts.router, *parts.teams);
}

Result<void> start_http(Parts& parts) {
  parts.pool = std::make_unique<ThreadPool>("blocking", kBlockingThreads, kBlockingWaitingMax, *parts.counters);
  http::ServerOptions options;
  options.address = parts.settings.address;
  options.port = parts.settings.port;
  options.loops = parts.settings.event_loops;
  if (!parts.settings.tls_certificate.empty()) options.tls = http::TlsOptions{parts.settings.tls_certificate, parts.settings.tls_key};
  parts.http = TRY(http::Server::start(options, parts.router, *parts.pool, *parts.counters));
  return {};
}

}  // namespace

Result<Parts> assemble(const Settings& settings) {
  Parts parts;
  parts.settings = settings;
  parts.counters = std::make_unique<Counters>();
  TRY(open_stores(parts));
  TRY(check_exposure(settings, *parts.teams));
  add_routes(parts);
  TRY(start_http(parts));
  return parts;
}

}  // namespace slipway::server
