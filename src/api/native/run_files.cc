#include "api/native/run_files.h"

#include "api/api.h"
#include "api/send_blob.h"
#include "base/hash.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Request;
using http::Responder;

struct Files {
  tracking::Tracking& tracking;
  registry::Artifacts& artifacts;
  store::Store& store;
};

Result<registry::Owner> owner_of(const Files& files, const Request& request) {
  return run_owner(files.tracking, project_of(request), RunId(request.parameter("run")));
}

Result<Json> list(const Files& files, const Request& request) {
  const Page page = TRY(page_of(request));
  const std::string_view folder = request.query_value("path").value_or("");
  if (!folder.empty()) TRY(check_relative_path(folder));
  const auto found =
      TRY(files.artifacts.list(TRY(owner_of(files, request)), folder, static_cast<size_t>(page.size), page.token));
  Json::Array items;
  for (const auto& entry : found.entries) {
    Json item;
    item.set("path", entry.path)
        .set("is_directory", entry.is_directory)
        .set("size", entry.is_directory ? Json() : Json(entry.size));
    items.push_back(item.set("hash", entry.hash ? Json(render(*entry.hash)) : Json()));
  }
  return Json()
      .set("artifacts", std::move(items))
      .set("next_page_token", found.next_page_token.empty() ? Json() : Json(found.next_page_token));
}

Result<Json> put(const Files& files, const Request& request, http::BodyReader& body) {
  const auto owner = TRY(owner_of(files, request));
  const std::string_view path = request.parameter("path");
  TRY(check_relative_path(path));
  auto upload = TRY(files.store.begin_upload());
  while (true) {
    const std::string bytes = TRY(body.next());
    if (bytes.empty()) break;
    TRY(upload->write(bytes));
  }
  const auto blob = TRY(upload->finish());
  // What curl says of every body says nothing of this one.
  const std::string_view type = request.headers.get("Content-Type");
  TRY(files.artifacts.put(owner, path, blob, type == "application/x-www-form-urlencoded" ? "" : type));
  return Json().set("path", path).set("hash", render(blob.hash)).set("size", blob.size);
}

Result<Json> remove(const Files& files, const Request& request) {
  const auto gone = TRY(files.artifacts.remove(TRY(owner_of(files, request)), request.parameter("path")));
  return Json().set("files_removed", gone);
}

Result<registry::Artifact> find(const Files& files, const Request& request) {
  return files.artifacts.get(TRY(owner_of(files, request)), request.parameter("path"));
}

/// The file; or, asked for as a frame, as a page of HTML whatever it calls itself, locked up by its policy.
void send(const Files& files, const Request& request, const Responder& responder) {
  auto artifact = find(files, request);
  if (!artifact.ok()) return responder.send(error_response(artifact.error()));
  const bool as_frame = request.query_value("frame").has_value();
  if (as_frame) artifact->content_type = "text/html; charset=utf-8";
  send_artifact(request, responder, files.store, *artifact, request.query_value("download").has_value(), error_response,
                as_frame ? kOwnScripts : kNothing);
}

http::Response ok(const Json& json) { return http::Response::json(json.render()); }

}  // namespace

Result<registry::Owner> run_owner(tracking::Tracking& tracking, const ProjectId& project, const RunId& run) {
  if (TRY(tracking.runs().project_of(run)) != project) {
    return Error{ErrorCode::not_found, "Run with id=" + clean_utf8(run.text, 300) + " not found"};
  }
  return registry::Owner{project, registry::OwnerKind::run, run.text};
}

void add_run_files(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                   store::Store& store) {
  using http::Method;
  const Files files{tracking, artifacts, store};
  constexpr const char* kContent = "/api/v1/runs/{run}/artifacts/content/{path...}";
  router.add(Method::get, "/api/v1/runs/{run}/artifacts",
             [files](Request& request, Responder responder) { answer(responder, list(files, request), ok); });
  router.add(Method::get, kContent,
             [files](Request& request, Responder responder) { send(files, request, responder); });
  router.add_streaming(Method::put, kContent,
                       [files](Request& request, http::BodyReader& body, Responder responder) {
                         answer(responder, put(files, request, body), ok);
                       },
                       {.where = http::Where::on_pool, .body_bytes_max = UINT64_MAX});
  router.add(Method::del, kContent,
             [files](Request& request, Responder responder) { answer(responder, remove(files, request), ok); });
}

}  // namespace slipway::api
