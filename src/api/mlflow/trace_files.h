// Files attached to traces, where clients put and look for them: below <experiment>/traces/<trace>/artifacts of the
// artifact proxy. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/mlflow/mlflow.h"

namespace slipway::api::mlflow {

struct TracePlace {
  ProjectId project;
  TraceId trace;
  std::string path;  // within the trace; "" is its root
};

/// nullopt for a path of the proxy that leads anywhere else, or nowhere.
std::optional<TracePlace> trace_place_of(const ProjectId& project, std::string_view proxy_path);

/// Streams a body into the store and names it. not_found for a trace that is not there, before anything is read.
Result<void> put_trace_file(const Rooms& rooms, const TracePlace& place, http::BodyReader& body);
void send_trace_file(const Rooms& rooms, const http::Request& request, const http::Responder& responder,
                     const TracePlace& place);
/// {"files": […]} of what lies directly in the folder, names relative to it.
Result<std::string> list_trace_files(const Rooms& rooms, const TracePlace& place);
Result<void> remove_trace_file(const Rooms& rooms, const TracePlace& place);

/// GET mlflow/get-trace-artifact: an attachment, or without a path the whole trace as a client's file of it.
void add_trace_artifact(http::Router& router, const Rooms& rooms, const std::string& prefix);

}  // namespace slipway::api::mlflow
