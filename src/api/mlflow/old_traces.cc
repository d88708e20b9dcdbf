// What clients before version 3 ask of traces, where it has a path of its own: the end of a trace, and its record.
#include "api/mlflow/endpoint.h"
#include "api/mlflow/trace_json.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;
using tracking::Trace;

std::string answer_with(const Trace& trace) {
  JsonWriter json;
  json.begin_object().key("trace_info");
  write_old_trace(json, trace);
  json.end_object();
  return json.take();
}

Result<TraceState> state_of(const Call& call) {
  const std::int64_t number = call.integer("status").value_or(0);
  if (number == 1) return TraceState::ok;
  if (number == 2) return TraceState::error;
  if (number == 3) return TraceState::in_progress;
  if (const auto state = parse_trace_state(call.text("status"))) return *state;
  return invalid_value("status", call.object("status"), "expected OK, ERROR or IN_PROGRESS");
}

Result<std::string> end(const Rooms& rooms, const Call& call) {
  tracking::Traces& traces = rooms.tracking.traces();
  Trace trace = TRY(traces.get(call.project(), TraceId(call.text("trace_id"))));
  trace.state = TRY(state_of(call));
  if (const auto at_ms = call.integer("timestamp_ms")) trace.duration = time_of_millis(*at_ms) - trace.started_at;
  trace.metadata = call.pairs("request_metadata");
  trace.tags = call.pairs("tags");
  trace.assessments.clear();
  return answer_with(TRY(traces.start(call.project(), trace)));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.traces().get(call.project(), TraceId(call.text("trace_id")))));
}

const Field kTrace{"trace_id", FieldType::text, true};

}  // namespace

std::span<const Endpoint> old_trace_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::patch,
       "mlflow/traces/{trace_id}",
       {kTrace,
        {"timestamp_ms", FieldType::integer},
        {"status", FieldType::choice},
        {"request_metadata", FieldType::objects},
        {"tags", FieldType::objects}},
       end},
      {Method::get, "mlflow/traces/{trace_id}/info", {kTrace}, get},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
