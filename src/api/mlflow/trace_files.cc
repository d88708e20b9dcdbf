#include "api/mlflow/trace_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "api/api.h"
#include "api/mlflow/artifact_place.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "api/mlflow/trace_json.h"
#include "api/send_blob.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

constexpr const char* kWholeTrace = "traces.json";

/// As uuid.uuid4() writes one: clients name attachments so.
bool is_uuid(std::string_view text) {
  constexpr std::string_view kShape = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
  return std::equal(text.begin(), text.end(), kShape.begin(), kShape.end(), [](char c, char shape) {
    return shape == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

/// Files and folders directly in `folder`, from every path below it in order.
std::vector<registry::ArtifactEntry> entries_in(const std::vector<tracking::TraceFile>& files,
                                                std::string_view folder) {
  const size_t prefix = folder.empty() ? 0 : folder.size() + 1;
  std::vector<registry::ArtifactEntry> entries;
  for (const tracking::TraceFile& file : files) {
    const size_t slash = file.path.find('/', prefix);
    if (slash == std::string::npos) {
      entries.push_back({file.path, false, file.size, file.hash});
      continue;
    }
    const std::string inner = file.path.substr(0, slash);
    if (entries.empty() || entries.back().path != inner) entries.push_back({inner, true, 0, std::nullopt});
  }
  return entries;
}

/// What clients without a place for spans on the server would have written to a file.
Result<std::string> whole_trace(const Rooms& rooms, const ProjectId& project, const TraceId& id) {
  const auto trace = TRY(rooms.tracking.traces().get(project, id));
  JsonWriter json;
  json.begin_object().key("spans").begin_array();
  for (const Span& span : TRY(rooms.tracking.traces().spans(trace))) write_span_data(json, span);
  json.end_array().end_object();
  return json.take();
}

void send_whole_trace(const Rooms& rooms, const http::Request& request, const http::Responder& responder,
                      const TraceId& trace) {
  auto json = whole_trace(rooms, project_of(request), trace);
  if (!json.ok()) return responder.send(mlflow_error(json.error()));
  http::Response response = http::Response::json(std::move(*json));
  response.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}\"", kWholeTrace));
  response.headers.set("X-Content-Type-Options", "nosniff");
  responder.send(std::move(response));
}

void get_trace_artifact(const Rooms& rooms, const http::Request& request, const http::Responder& responder) {
  const TraceId trace(request.query_value("request_id").value_or(""));
  const std::string_view path = request.query_value("path").value_or("");
  if (trace.empty()) {
    return responder.send(
        mlflow_error({ErrorCode::invalid_argument, "Request must include the \"request_id\" query parameter."}));
  }
  if (path.empty()) return send_whole_trace(rooms, request, responder, trace);
  if (is_uuid(path))
    return send_trace_file(rooms, request, responder,
                           {project_of(request), trace, fmt::format("attachments/{}", path)});
  responder.send(mlflow_error(
      {ErrorCode::invalid_argument,
       fmt::format("Invalid attachment path: '{}'. Attachment path must be a valid UUID.", clean_utf8(path, 100))}));
}

}  // namespace

std::optional<TracePlace> trace_place_of(const ProjectId& project, std::string_view proxy_path) {
  while (proxy_path.ends_with('/')) proxy_path.remove_suffix(1);
  if (!check_path(proxy_path).ok()) return std::nullopt;
  const auto parts = split(proxy_path, '/');
  for (size_t i = 2; i < parts.size(); ++i) {
    if (parts[i] != "artifacts") continue;
    if (parts[i - 2] != "traces") return std::nullopt;
    return TracePlace{project, TraceId(parts[i - 1]),
                      join({parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end()}, "/")};
  }
  return std::nullopt;
}

Result<void> put_trace_file(const Rooms& rooms, const TracePlace& place, http::BodyReader& body) {
  if (place.path.empty()) return Error{ErrorCode::invalid_argument, "a file of a trace needs a name below it"};
  TRY(rooms.tracking.traces().get(place.project, place.trace));
  auto upload = TRY(rooms.store.begin_upload());
  while (true) {
    const std::string bytes = TRY(body.next());
    if (bytes.empty()) break;
    TRY(upload->write(bytes));
  }
  const auto blob = TRY(upload->finish());
  return rooms.tracking.trace_files().put(place.project, place.trace, place.path, blob.hash, blob.size);
}

void send_trace_file(const Rooms& rooms, const http::Request& request, const http::Responder& responder,
                     const TracePlace& place) {
  const auto file = rooms.tracking.trace_files().get(place.project, place.trace, place.path);
  if (!file.ok()) return responder.send(mlflow_error(file.error()));
  const registry::Artifact artifact{file->path, file->hash, file->size,
                                    std::string(registry::content_type_of(file->path)), file->created_at};
  send_artifact(request, responder, rooms.store, artifact, true, mlflow_error);
}

Result<std::string> list_trace_files(const Rooms& rooms, const TracePlace& place) {
  const auto files = TRY(rooms.tracking.trace_files().all(place.project, place.trace, place.path));
  JsonWriter json;
  json.begin_object();
  write_files(json, entries_in(files, place.path), place.path.empty() ? "" : place.path + "/");
  json.end_object();
  return json.take();
}

Result<void> remove_trace_file(const Rooms& rooms, const TracePlace& place) {
  if (place.path.empty())
    return Error{ErrorCode::invalid_argument, "name the file of the trace, or the folder in it, that is to go"};
  return rooms.tracking.trace_files().remove(place.project, place.trace, place.path);
}

void add_trace_artifact(http::Router& router, const Rooms& rooms, const std::string& prefix) {
  router.add(
      http::Method::get, prefix + "mlflow/get-trace-artifact",
      [rooms](http::Request& request, http::Responder responder) { get_trace_artifact(rooms, request, responder); });
}

}  // namespace slipway::api::mlflow
