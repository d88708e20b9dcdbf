// Whatever parses must render to text that parses to the same filter.
#include <cstdint>

#include "base/check.h"
#include "domain/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = slipway::parse_pattern_filter(text);
  if (filter.ok()) {
    const auto again = slipway::parse_pattern_filter(slipway::render(*filter));
    if (again.ok()) CHECK(*again == *filter, "a rendered filter parses to another one");
  }
  const auto plain = slipway::parse_filter(text);
  if (plain.ok()) CHECK(filter.ok() && *filter == *plain, "a filter means something else where there are patterns");
  (void)slipway::parse_order(text);
  return 0;
}
