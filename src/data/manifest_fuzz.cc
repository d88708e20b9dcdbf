#include <cstdint>
#include <string_view>

#include "data/manifest.h"
#include "data/pattern.h"

// Patterns come from slipway.yaml, manifests from the user's folder: the first line is the pattern, the rest the
// manifest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::data;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view rest = first.size() < text.size() ? text.substr(first.size() + 1) : std::string_view();
  const auto pattern = Pattern::parse(first);
  if (!pattern.ok() || first.size() > 200) return 0;
  (void)parse_manifest(rest, "manifest.csv", *pattern).ok();
  (void)parse_manifest(rest, "manifest.jsonl", *pattern).ok();
  const std::string_view path = rest.substr(0, 200);
  const auto fields = pattern->match(path);
  if (!fields || pattern->text().find('*') != std::string::npos) return 0;
  if (const auto filled = pattern->fill(*fields); !filled.ok() || *filled != path)
    __builtin_trap();  // one is the other's inverse
  return 0;
}
