#include "api/native/backups.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "api/api.h"
#include "base/file.h"
#include "base/log.h"
#include "version.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;

constexpr size_t kPieceBytes = 1 << 20;

struct Rooms {
  Backups& backups;
  catalog::Database& database;
  store::Store& store;
};

const char* name(Backup::State state) {
  switch (state) {
    case Backup::State::copying: return "copying";
    case Backup::State::ready: return "ready";
    case Backup::State::failed: return "failed";
  }
  return "failed";
}

Json backup_json(const Rooms& rooms, const Backup& backup) {
  Json database{Json::Object{}};
  database.set("kind", rooms.database.is_postgres() ? "postgresql" : "sqlite");
  if (backup.state == Backup::State::ready)
    database.set("bytes", backup.database_bytes).set("hash", render(backup.database_hash));
  Json json{Json::Object{}};
  json.set("id", backup.id)
      .set("state", name(backup.state))
      .set("begun_at", time_json(backup.begun_at))
      .set("version", kVersion);
  json.set("schema", catalog::schema().back().number).set("database", std::move(database));
  return json.set("problem", backup.problem.empty() ? Json() : Json(backup.problem));
}

/// The whole database and every blob of every project: for admins alone.
Result<void> check_admin(const Request& request) {
  if (caller_of(request).admin) return {};
  return Error{ErrorCode::permission_denied, "only an admin may take a backup"};
}

Result<Backup> named(const Rooms& rooms, const Request& request) {
  TRY(check_admin(request));
  return rooms.backups.find(std::string(request.parameter("backup")));
}

Result<Json> begin(const Rooms& rooms, const Request& request) {
  TRY(check_admin(request));
  const Backup backup = TRY(rooms.backups.begin());
  log_info("api", "a backup was begun", {{"backup", backup.id}, {"member", caller_of(request).name}});
  return backup_json(rooms, backup);
}

Result<Json> get(const Rooms& rooms, const Request& request) { return backup_json(rooms, TRY(named(rooms, request))); }

Result<Json> end(const Rooms& rooms, const Request& request) {
  const Backup backup = TRY(named(rooms, request));
  TRY(rooms.backups.end(backup.id));
  return Json(Json::Object{});
}

/// Sends the file's bytes; the answer is cut short when they cannot be read.
void send_file(const Rooms& rooms, const Backup& backup, const UniqueFd& file, http::BodyWriter& body) {
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t sent = 0; sent < backup.database_bytes;) {
    const ssize_t n = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(sent));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return body.abort();
    if (!body.write({piece.data(), static_cast<size_t>(n)}).ok()) return;
    sent += static_cast<std::uint64_t>(n);
    (void)rooms.backups.find(backup.id);  // a slow fetch is no client that went away
  }
}

void send_database(const Rooms& rooms, const Request& request, const Responder& responder) {
  const auto backup = named(rooms, request);
  if (!backup.ok()) return responder.send(error_response(backup.error()));
  if (backup->state != Backup::State::ready) {
    return responder.send(error_response(
        {ErrorCode::failed_precondition, "the database of this backup is " + std::string(name(backup->state)) +
                                             "; ask /api/v1/backups/" + backup->id + " until it is ready"}));
  }
  const auto file = open_file(backup->database, O_RDONLY);
  if (!file.ok()) return responder.send(error_response(file.error()));
  http::Response head;
  head.compressible = false;
  head.headers.set("Content-Type", "application/vnd.sqlite3");
  send_file(rooms, *backup, *file, *responder.stream(std::move(head), backup->database_bytes));
}

/// A line "HASH SIZE" for every blob of the store: all that the copied database names, and perhaps some more.
void send_blob_list(const Rooms& rooms, const Request& request, const Responder& responder) {
  const auto backup = named(rooms, request);
  if (!backup.ok()) return responder.send(error_response(backup.error()));
  http::Response head;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  const auto body = responder.stream(std::move(head));
  std::string lines;
  auto sent = rooms.store.list([&](const store::BlobInfo& blob) -> Result<void> {
    lines += render(blob.hash) + " " + std::to_string(blob.size) + "\n";
    if (lines.size() < kPieceBytes) return {};
    TRY(body->write(lines));
    lines.clear();
    return {};
  });
  if (sent.ok()) sent = body->write(lines);
  if (!sent.ok()) body->abort();
}

}  // namespace

void add_backups(http::Router& router, Backups& backups, catalog::Database& database, store::Store& store) {
  const Rooms rooms{backups, database, store};
  const auto add = [&](Method method, const char* pattern, Result<Json> (*function)(const Rooms&, const Request&),
                       int status) {
    router.add(method, pattern, [rooms, function, status](Request& request, Responder responder) {
      answer(responder, function(rooms, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  add(Method::post, "/api/v1/backups", begin, 201);
  add(Method::get, "/api/v1/backups/{backup}", get, 200);
  add(Method::del, "/api/v1/backups/{backup}", end, 200);
  router.add(Method::get, "/api/v1/backups/{backup}/database",
             [rooms](Request& request, Responder responder) { send_database(rooms, request, responder); });
  router.add(Method::get, "/api/v1/backups/{backup}/blobs",
             [rooms](Request& request, Responder responder) { send_blob_list(rooms, request, responder); });
}

}  // namespace slipway::api
