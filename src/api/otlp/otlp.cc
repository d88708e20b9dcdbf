#include "api/otlp/otlp.h"

#include <fmt/format.h>

#include <future>
#include <set>

#include "api/api.h"
#include "base/text.h"
#include "domain/otlp.h"

namespace slipway::api {
namespace {

constexpr std::uint64_t kBodyBytesMax = 32 << 20;
constexpr const char* kProtobuf = "application/x-protobuf";
constexpr size_t kRunTracesMax = tracking::kTraceLinksMax;

enum class Form { protobuf, json };

Result<Form> form_of(const http::Request& request) {
  const std::string_view given = request.headers.get("Content-Type");
  const std::string_view type = trim(given.substr(0, given.find(';')));
  if (equals_ignore_case(type, kProtobuf) || equals_ignore_case(type, "application/protobuf")) return Form::protobuf;
  if (equals_ignore_case(type, "application/json")) return Form::json;
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid Content-Type: {}. Expected: application/x-protobuf or application/json",
                           clean_utf8(given, 100))};
}

Result<std::vector<SpanBatch>> read_spans(const http::Request& request, Form form) {
  auto batches = form == Form::protobuf ? parse_otlp(request.body) : parse_otlp_json(TRY(Json::parse(request.body)));
  if (!batches.ok()) {
    return Error{batches.error().code, fmt::format("Invalid OpenTelemetry format: {}", batches.error().message)};
  }
  if (batches->empty()) return Error{ErrorCode::invalid_argument, "Invalid OpenTelemetry format - no spans found"};
  return batches;
}

Result<ExperimentId> experiment_of(tracking::Tracking& tracking, const http::Request& request) {
  const std::string_view id = request.headers.get("x-mlflow-experiment-id");
  if (!id.empty()) return TRY(tracking.experiments().get(project_of(request), ExperimentId(id))).id;
  const std::string_view name = request.headers.get("x-slipway-experiment");
  if (!name.empty()) return TRY(tracking.experiments().find_or_create(project_of(request), clean_utf8(name))).id;
  return TRY(tracking.experiments().get(project_of(request), ExperimentId(tracking::kDefaultExperimentId))).id;
}

/// An error as a google.rpc.Status says it, without its number: OpenTelemetry's exporters show the message, MLflow's
/// clients look for error_code.
http::Response refusal(const Error& error) {
  JsonWriter json;
  const std::string_view code = error.code == ErrorCode::not_found ? "RESOURCE_DOES_NOT_EXIST"
                                : http_status(error.code) >= 500   ? "TEMPORARILY_UNAVAILABLE"
                                                                   : "INVALID_PARAMETER_VALUE";
  json.begin_object().member("error_code", code).member("message", error.message).end_object();
  http::Response response = error_response(error);
  response.body = json.take();
  return response;
}

http::Response accepted(Form form) {
  if (form == Form::json) return http::Response::json("{}");
  http::Response response;
  response.headers.set("Content-Type", kProtobuf);
  return response;
}

/// The traces whose root span is among these.
std::vector<TraceId> completed(const std::vector<SpanBatch>& batches) {
  std::set<TraceId> ids;
  for (const SpanBatch& batch : batches) {
    for (const Span& span : batch.spans) {
      if (span.is_root()) ids.insert(span.trace_id());
    }
  }
  return {ids.begin(), ids.end()};
}

/// Links in pieces, as many as one call takes. A run that does not exist loses nobody's spans.
void link_to_run(tracking::Traces& traces, const ProjectId& project, const std::vector<TraceId>& ids,
                 const RunId& run) {
  for (size_t at = 0; at < ids.size(); at += kRunTracesMax) {
    const size_t end = std::min(ids.size(), at + kRunTracesMax);
    (void)traces.link_to_run(
        project, {ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(end)}, run);
  }
}

struct Export {
  Form form = Form::protobuf;
  ExperimentId experiment;
  std::vector<SpanBatch> batches;
};

Result<Export> read_export(tracking::Tracking& tracking, const http::Request& request) {
  Export out;
  out.form = TRY(form_of(request));
  out.batches = TRY(read_spans(request, out.form));
  out.experiment = TRY(experiment_of(tracking, request));
  return out;
}

void take_spans(tracking::Tracking& tracking, const http::Request& request, const http::Responder& responder) {
  auto given = read_export(tracking, request);
  if (!given.ok()) return responder.send(refusal(given.error()));
  const Form form = given->form;
  const auto answer_kept = [responder, form](const Result<void>& kept) {
    responder.send(kept.ok() ? accepted(form) : refusal(kept.error()));
  };
  const ProjectId project = project_of(request);
  const RunId run(request.headers.get("x-mlflow-run-id"));
  if (run.empty())
    return tracking.traces().log_spans(project, given->experiment, std::move(given->batches), answer_kept);
  const auto ids = completed(given->batches);
  std::promise<Result<void>> told;
  tracking.traces().log_spans(project, given->experiment, std::move(given->batches),
                              [&](Result<void> kept) { told.set_value(std::move(kept)); });
  const auto kept = told.get_future().get();
  if (kept.ok()) link_to_run(tracking.traces(), project, ids, run);
  answer_kept(kept);
}

}  // namespace

void add_otlp(http::Router& router, tracking::Tracking& tracking) {
  router.add(
      http::Method::post, "/v1/traces",
      [&tracking](http::Request& request, http::Responder responder) { take_spans(tracking, request, responder); },
      {.where = http::Where::on_pool, .body_bytes_max = kBodyBytesMax});
}

}  // namespace slipway::api
