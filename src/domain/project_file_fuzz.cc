#include <cstdint>
#include <string_view>

#include "domain/project_file.h"

// slipway.yaml comes from strangers' repositories, and the server reads it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = slipway::parse_project_file(std::string_view(reinterpret_cast<const char*>(data), size));
  if (file.ok()) {
    const std::string text = slipway::render(*file);
    const auto again = slipway::parse_project_file(text);
    if (!again.ok() || slipway::render(*again) != text)
      __builtin_trap();  // what is parsed can be printed and parsed again
  }
  return 0;
}
