// The body of an inference request: the first two bytes say how much of the rest is JSON (both 255: all of it).
#include <cstdint>

#include "inference/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::inference;
  static const Signature signature{{{"x", DataType::fp32, {-1, 2}}}, {{"y", DataType::fp32, {-1, 3}}}};
  if (size < 2) return 0;
  const std::uint64_t prefix = data[0] | static_cast<std::uint64_t>(data[1]) << 8;
  const auto body = std::make_shared<const std::string>(reinterpret_cast<const char*>(data) + 2, size - 2);
  auto request = decode_request(body, prefix == 0xffff ? std::nullopt : std::optional(prefix), signature);
  if (!request.ok()) return 0;
  (void)check_outputs(signature, *request);
  if (check_inputs(signature, request->inputs).ok()) {
    const auto again = encode_request(*request, true);
    if (!again.ok()) __builtin_trap();
    if (!decode_request(std::make_shared<const std::string>(again->bytes), again->json_bytes, signature).ok())
      __builtin_trap();
  }
  return 0;
}
