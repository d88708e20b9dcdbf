#include <cstdint>
#include <string_view>

#include "base/json.h"

// Json::parse meets every body that a stranger sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto document = slipway::Json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (document.ok()) {
    std::string text = document.value().render();
    auto again = slipway::Json::parse(text);
    if (!again.ok() || again.value().render() != text)
      __builtin_trap();  // what is parsed can be printed and parsed again
  }
  return 0;
}
