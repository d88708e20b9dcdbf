// A ModelInferRequest from a stranger, up to where serving would take it.
#include <google/protobuf/stubs/logging.h>

#include <cstdint>

#include "api/inference/grpc_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::inference;
  static const Signature signature{{{"x", DataType::fp32, {-1, 2}}}, {{"y", DataType::fp32, {-1, 3}}}};
  static const auto silent = google::protobuf::SetLogHandler(nullptr);
  (void)silent;
  ::inference::ModelInferRequest message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto body = slipway::api::oip::http_body(message);
  if (!body.ok()) return 0;
  auto request = decode_request(std::make_shared<const std::string>(body->bytes), body->json_bytes, signature);
  if (!request.ok()) {
    // Whatever a message says, what we make of it is JSON.
    if (request.error().message.find("not valid JSON") != std::string::npos) __builtin_trap();
    return 0;
  }
  if (request->inputs.size() != static_cast<std::size_t>(message.inputs_size()) || !request->binary_outputs)
    __builtin_trap();
  (void)check_outputs(signature, *request);
  (void)check_inputs(signature, request->inputs);
  return 0;
}
