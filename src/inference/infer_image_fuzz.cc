// A picture as a client sends it: decoding and resizing must survive anything.
#include <cstdint>

#include "inference/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::inference;
  const auto image = decode_image({reinterpret_cast<const char*>(data), size}, size % 2 ? 1 : 3);
  if (image.ok() && image->pixels.size() < 1 << 20) (void)resize(*image, 28, 28);
  return 0;
}
