#include "api/inference/grpc_service.h"

#include <google/protobuf/stubs/logging.h>

#include <map>

#include "api/api.h"
#include "api/inference/grpc_messages.h"
#include "api/inference/infer.h"
#include "api/inference/wire.h"
#include "base/text.h"

namespace slipway::api::oip {
namespace {

constexpr std::string_view kService = "/inference.GRPCInferenceService/";

/// What a call may use. `slot` counts it among those in flight until the last copy is gone.
struct Context {
  serving::Serving* serving;
  ThreadPool* pool;
  ProjectId project;
  std::shared_ptr<void> slot;
};

template <typename Message>
Result<Message> parse(const std::string& bytes) {
  Message message;
  if (message.ParseFromString(bytes)) return message;
  return Error{ErrorCode::invalid_argument, "the bytes are no " + message.GetTypeName() +
                                                "; look whether client and server speak the same protocol"};
}

template <typename Message>
Result<std::string> filled_from(const std::string& json) {
  Message message;
  TRY(fill(message, json));
  return message.SerializeAsString();
}

void fail(GrpcCall& call, const Error& error) { call.finish(grpc_code(error.code), error.message); }

// --- What describes: one message in, one out, at once ----------------------------------------------------------------

Result<std::string> server_live(const Context&, const std::string&) {
  ::inference::ServerLiveResponse answer;
  answer.set_live(true);
  return answer.SerializeAsString();
}

Result<std::string> server_ready(const Context&, const std::string&) {
  ::inference::ServerReadyResponse answer;
  answer.set_ready(true);
  return answer.SerializeAsString();
}

Result<std::string> model_ready(const Context& context, const std::string& bytes) {
  const auto asked = TRY(parse<::inference::ModelReadyRequest>(bytes));
  ::inference::ModelReadyResponse answer;
  answer.set_ready(context.serving->target(context.project, asked.name(), TRY(parse_version(asked.version()))).ok());
  return answer.SerializeAsString();
}

Result<std::string> server_metadata(const Context&, const std::string&) {
  return filled_from<::inference::ServerMetadataResponse>(server_json());
}

Result<std::string> model_metadata(const Context& context, const std::string& bytes) {
  const auto asked = TRY(parse<::inference::ModelMetadataRequest>(bytes));
  return filled_from<::inference::ModelMetadataResponse>(
      metadata_json(TRY(context.serving->target(context.project, asked.name(), TRY(parse_version(asked.version()))))));
}

Result<std::string> model_config(const Context& context, const std::string& bytes) {
  const auto asked = TRY(parse<::inference::ModelConfigRequest>(bytes));
  const auto target = TRY(context.serving->target(context.project, asked.name(), TRY(parse_version(asked.version()))));
  return filled_from<::inference::ModelConfigResponse>("{\"config\":" + config_json(target) + "}");
}

Result<std::string> model_statistics(const Context& context, const std::string& bytes) {
  const auto asked = TRY(parse<::inference::ModelStatisticsRequest>(bytes));
  return filled_from<::inference::ModelStatisticsResponse>(
      TRY(statistics_json(*context.serving, context.project, asked.name(), TRY(parse_version(asked.version())))));
}

Result<std::string> repository_index(const Context& context, const std::string& bytes) {
  const auto asked = TRY(parse<::inference::RepositoryIndexRequest>(bytes));
  return filled_from<::inference::RepositoryIndexResponse>(
      "{\"models\":" + index_json(*context.serving, context.project, asked.ready()) + "}");
}

using Describe = Result<std::string>(const Context&, const std::string&);

Describe* describer(std::string_view method) {
  static const std::map<std::string_view, Describe*> all = {
      {"ServerLive", server_live},           {"ServerReady", server_ready},        {"ModelReady", model_ready},
      {"ServerMetadata", server_metadata},   {"ModelMetadata", model_metadata},    {"ModelConfig", model_config},
      {"ModelStatistics", model_statistics}, {"RepositoryIndex", repository_index}};
  const auto found = all.find(method);
  return found == all.end() ? nullptr : found->second;
}

// --- Inference -------------------------------------------------------------------------------------------------------

/// A message that was read: everything that serving wants.
struct Asked {
  serving::Target target;
  ::slipway::inference::InferRequest request;
  serving::RequestSource source;
};

Result<Asked> read_request(const Context& context, std::string bytes) {
  const auto message = TRY(parse<::inference::ModelInferRequest>(bytes));
  std::string().swap(bytes);  // a large message is kept once, not twice
  Asked asked;
  asked.target =
      TRY(context.serving->target(context.project, message.model_name(), TRY(parse_version(message.model_version()))));
  auto encoded = TRY(http_body(message));
  const auto body = std::make_shared<const std::string>(std::move(encoded.bytes));
  asked.request = TRY(::slipway::inference::decode_request(body, encoded.json_bytes, asked.target.signature()));
  asked.source = {body, "application/octet-stream", encoded.json_bytes.value_or(0)};
  return asked;
}

using Answered = std::function<void(Result<::inference::ModelInferResponse>)>;

void infer_now(const Context& context, std::string bytes, const Answered& done) {
  auto asked = read_request(context, std::move(bytes));
  if (!asked.ok()) return done(asked.error());
  context.serving->infer(asked->target, std::move(asked->request), std::move(asked->source),
                         [context, done](const ::slipway::inference::InferRequest& request,
                                         Result<::slipway::inference::InferResponse> response) {
                           if (!response.ok()) return done(response.error());
                           if (is_quickly_written(response)) return done(response_message(request, *response));
                           const auto later = [request, response, done] { done(response_message(request, *response)); };
                           if (!context.pool->submit(later)) done(too_many_large("answers are being written"));
                         });
}

/// Calls `done` once, from any thread.
void infer(const Context& context, std::string bytes, const Answered& done) {
  if (is_quickly_read(0, bytes.size())) return infer_now(context, std::move(bytes), done);
  const auto message = std::make_shared<std::string>(std::move(bytes));
  if (!context.pool->submit([context, message, done] { infer_now(context, std::move(*message), done); }))
    done(too_many_large("requests are being read"));
}

/// Hands on the only message of a call.
void read_one(const std::shared_ptr<GrpcCall>& call, const std::function<void(std::string)>& then) {
  call->read([call, then](std::optional<std::string> message) {
    if (message) return then(std::move(*message));
    fail(*call, {ErrorCode::invalid_argument, "the call ended before its message was whole"});
  });
}

void infer_one(const Context& context, const std::shared_ptr<GrpcCall>& call) {
  read_one(call, [context, call](std::string bytes) {
    infer(context, std::move(bytes), [call](const Result<::inference::ModelInferResponse>& response) {
      if (response.ok()) return call->answer(response->SerializeAsString());
      fail(*call, response.error());
    });
  });
}

/// One request after the other; each is answered before the next is read, so answers come in the order of requests.
void infer_stream(const Context& context, const std::shared_ptr<GrpcCall>& call) {
  call->read([context, call](std::optional<std::string> bytes) {
    if (!bytes) return call->finish(GrpcCode::ok, "");
    infer(context, std::move(*bytes), [context, call](Result<::inference::ModelInferResponse> response) {
      ::inference::ModelStreamInferResponse answer;
      if (response.ok())
        *answer.mutable_infer_response() = std::move(*response);
      else
        answer.set_error_message(response.error().message);
      call->write(answer.SerializeAsString(), [context, call](bool went_out) {
        if (went_out) return infer_stream(context, call);
        call->finish(GrpcCode::cancelled, "the client went away");
      });
    });
  });
}

/// Why a method is not answered, and what to do instead.
Error not_offered(const std::string& method) {
  const std::string name = method.starts_with(kService) ? method.substr(kService.size()) : "";
  std::string instead = "; this server answers the service inference.GRPCInferenceService";
  if (name.starts_with("RepositoryModel"))
    instead = " over gRPC; POST /v2/repository/models/NAME/load and …/unload start and stop a deployment over HTTP";
  else if (name.find("SharedMemory") != std::string::npos)
    instead = ": it offers no shared memory; send tensors in the request";
  else if (name == "TraceSetting" || name == "LogSettings")
    instead = ": its logs and traces are not changed from here";
  return {ErrorCode::unsupported, "this server does not answer '" + clean_utf8(method, 200) + "'" + instead};
}

ErrorCode code_of_status(int status) {
  switch (status) {
    case 400: return ErrorCode::invalid_argument;
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::permission_denied;
    case 404: return ErrorCode::not_found;
    default: return ErrorCode::unavailable;
  }
}

}  // namespace

GrpcCode grpc_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return GrpcCode::invalid_argument;
    case ErrorCode::not_found: return GrpcCode::not_found;
    case ErrorCode::already_exists: return GrpcCode::already_exists;
    case ErrorCode::failed_precondition: return GrpcCode::failed_precondition;
    case ErrorCode::permission_denied: return GrpcCode::permission_denied;
    case ErrorCode::unauthenticated: return GrpcCode::unauthenticated;
    case ErrorCode::busy: return GrpcCode::unavailable;
    case ErrorCode::too_large: return GrpcCode::resource_exhausted;
    case ErrorCode::unsupported: return GrpcCode::unimplemented;
    case ErrorCode::cancelled: return GrpcCode::cancelled;
    case ErrorCode::timed_out: return GrpcCode::deadline_exceeded;
    case ErrorCode::unavailable: return GrpcCode::unavailable;
    case ErrorCode::data_loss: return GrpcCode::data_loss;
    case ErrorCode::internal: return GrpcCode::internal;
  }
  return GrpcCode::unknown;
}

GrpcService::GrpcService(http::Router::Gate gate, PeerOf peer_of, serving::Serving& serving, ThreadPool& pool,
                         Counters& counters)
    : gate_(std::move(gate)),
      peer_of_(std::move(peer_of)),
      serving_(serving),
      pool_(pool),
      calls_(counters.counter("grpc_calls_total", "Calls over gRPC, those that were refused included")),
      refused_(counters.counter("grpc_calls_refused_total", "Calls over gRPC that were refused because too many ran")) {
  // Its complaints are about clients' bytes, which get their answer, and would fill our log as fast as they come.
  google::protobuf::SetLogHandler(nullptr);
}

Result<ProjectId> GrpcService::admit(const GrpcHead& head) const {
  http::Request request;
  request.method = http::Method::post;
  request.target = request.path = "/v2";
  request.headers.set("Host", head.authority);
  if (!head.authorization.empty()) request.headers.set("Authorization", head.authorization);
  if (!head.project.empty()) request.headers.set("X-Slipway-Project", head.project);
  request.peer = peer_of_(head);
  const auto refused = gate_(request);
  if (!refused) return project_of(request);
  const Json body = Json::parse(refused->body).value_or(Json());
  return Error{code_of_status(refused->status), body["error"]["message"].string()};
}

void GrpcService::take(const std::shared_ptr<GrpcCall>& call) const {
  calls_.add();
  const std::shared_ptr<void> slot(nullptr, [counted = in_flight_](void*) { counted->fetch_sub(1); });
  if (in_flight_->fetch_add(1) >= kGrpcCallsMax) {
    refused_.add();
    return fail(*call,
                {ErrorCode::busy, std::to_string(kGrpcCallsMax) + " calls are in flight; try again in a moment"});
  }
  auto project = admit(call->head());
  if (!project.ok()) return fail(*call, project.error());
  const std::string& method = call->head().method;
  const std::string_view name =
      method.starts_with(kService) ? std::string_view(method).substr(kService.size()) : std::string_view();
  const Context context{&serving_, &pool_, std::move(*project), slot};
  if (name == "ModelInfer") return infer_one(context, call);
  if (name == "ModelStreamInfer") return infer_stream(context, call);
  Describe* const describe = describer(name);
  if (!describe) return fail(*call, not_offered(method));
  read_one(call, [context, call, describe](const std::string& bytes) {
    auto answer = describe(context, bytes);
    if (answer.ok()) return call->answer(std::move(*answer));
    fail(*call, answer.error());
  });
}

}  // namespace slipway::api::oip
