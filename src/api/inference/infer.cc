// POST /v2/models/M/infer: the hot path. Runs on the event loop and allocates little.
#include "api/inference/infer.h"

#include "api/api.h"
#include "api/inference/wire.h"
#include "base/text.h"

namespace slipway::api::oip {
namespace {

// Up to here reading or writing JSON takes an event loop less than about a millisecond.
constexpr size_t kJsonOnLoopBytesMax = 512 << 10;
// Beyond, copying alone takes as long.
constexpr size_t kBodyOnLoopBytesMax = 4 << 20;

bool is_picture(std::string_view content_type) { return content_type.starts_with("image/"); }

std::string media_type_of(std::string_view content_type, bool binary) {
  if (is_picture(content_type)) return std::string(trim(content_type.substr(0, content_type.find(';'))));
  return binary ? "application/octet-stream" : "application/json";
}

Result<std::optional<std::uint64_t>> json_length(std::string_view header) {
  if (header.empty()) return std::optional<std::uint64_t>();
  const auto length = parse_u64(header);
  if (!length)
    return Error{ErrorCode::invalid_argument,
                 "Inference-Header-Content-Length must be a whole number; found '" + clean_utf8(header, 40) + "'"};
  return length;
}

/// A picture's bytes as a request.
Result<inference::InferRequest> picture_request(const std::shared_ptr<const std::string>& body, bool binary_outputs) {
  if (body->empty()) return Error{ErrorCode::invalid_argument, "the body is empty; send the bytes of a PNG or JPEG"};
  inference::InferRequest request;
  request.image = *body;
  request.image_owner = body;
  request.binary_outputs = binary_outputs;
  return request;
}

/// What is left of an HTTP request once its handler may return.
struct Call {
  serving::Target target;
  std::shared_ptr<const std::string> body;
  std::optional<std::uint64_t> json_bytes;
  std::string media_type;
  bool is_picture = false;
  bool wants_binary = false;
  http::Responder responder;
};

void run(serving::Serving& serving, ThreadPool& pool, const Call& call) {
  auto request = call.is_picture ? picture_request(call.body, call.wants_binary)
                                 : inference::decode_request(call.body, call.json_bytes, call.target.signature());
  if (!request.ok()) return call.responder.send(error_response(request.error()));
  serving.infer(call.target, std::move(*request), {call.body, call.media_type, call.json_bytes.value_or(0)},
                [&pool, responder = call.responder](const inference::InferRequest& asked,
                                                    Result<inference::InferResponse> response) {
                  if (is_quickly_written(response)) return responder.send(infer_response(asked, response));
                  auto later = [asked, response = std::move(response), responder] {
                    responder.send(infer_response(asked, response));
                  };
                  if (!pool.submit(std::move(later)))
                    responder.send(error_response(too_many_large("answers are being written")));
                });
}

}  // namespace

bool is_quickly_read(size_t json_bytes, size_t body_bytes) {
  return json_bytes <= kJsonOnLoopBytesMax && body_bytes <= kBodyOnLoopBytesMax;
}

bool is_quickly_written(const Result<inference::InferResponse>& response) {
  size_t total = 0;
  if (response.ok()) {
    for (const inference::Tensor& output : response->outputs) total += output.bytes.size();
  }
  return total <= kJsonOnLoopBytesMax;
}

Error too_many_large(const std::string& what) {
  return {ErrorCode::busy, "too many large " + what + "; try again in a moment"};
}

void infer(serving::Serving& serving, ThreadPool& pool, http::Request& request, const http::Responder& responder) {
  const auto version = parse_version(request.parameter("version"));
  if (!version.ok()) return responder.send(error_response(version.error()));
  auto target = serving.target(project_of(request), request.parameter("model"), *version);
  if (!target.ok()) return responder.send(error_response(target.error()));
  const auto length = json_length(request.headers.get("Inference-Header-Content-Length"));
  if (!length.ok()) return responder.send(error_response(length.error()));

  const std::string_view content_type = request.headers.get("Content-Type");
  Call call{std::move(*target),
            nullptr,
            *length,
            media_type_of(content_type, length->has_value()),
            is_picture(content_type),
            request.headers.get("Accept").starts_with("application/octet-stream"),
            responder};
  call.body = std::make_shared<const std::string>(std::move(request.body));
  const size_t json_bytes = call.is_picture ? 0 : call.json_bytes ? *call.json_bytes : call.body->size();
  if (is_quickly_read(json_bytes, call.body->size())) return run(serving, pool, call);
  if (!pool.submit([&serving, &pool, call] { run(serving, pool, call); }))
    responder.send(error_response(too_many_large("requests are being read")));
}

}  // namespace slipway::api::oip
