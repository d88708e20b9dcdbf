// What exporters post: any bytes are refused or taken, and spans that were taken render to bytes that mean the same.
#include <cstdint>

#include "base/check.h"
#include "domain/otlp.h"

namespace {

void check(const slipway::Result<std::vector<slipway::SpanBatch>>& batches) {
  if (!batches.ok()) return;
  for (const slipway::SpanBatch& batch : *batches) {
    const std::string rendered = slipway::render_spans(batch.spans);
    const auto again = slipway::parse_spans(rendered);
    CHECK(again.ok(), "rendered spans do not parse");
    // Bytes, because NaN is not equal to itself.
    CHECK(slipway::render_spans(*again) == rendered, "spans changed on their way through render and parse");
    (void)slipway::sum_up(*again);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(slipway::parse_otlp(bytes));
  (void)slipway::parse_spans(bytes);
  if (const auto json = slipway::Json::parse(bytes); json.ok()) check(slipway::parse_otlp_json(*json));
  return 0;
}
