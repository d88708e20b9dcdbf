#include <cstdint>
#include <string_view>

#include "domain/tree.h"

// Trees are uploaded by clients.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = slipway::parse_tree(text);
  if (tree.ok() && slipway::render(*tree) != text) __builtin_trap();  // one tree has one name
  return 0;
}
