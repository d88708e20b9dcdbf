// Spans as they lie in the database: OpenTelemetry's own bytes (domain/otlp.h), compressed. Private to the room.
//
// Format: one byte version (1), four bytes little-endian with the size of the rendering, the rendering as a zstd frame.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/trace.h"

namespace slipway::tracking {

/// How much one row may hold before compression; whatever is larger was not written by us.
inline constexpr size_t kSpanBatchBytesMax = 256 << 20;

struct PackedSpans {
  std::string body;
  size_t bytes = 0;  // before compression
};
PackedSpans pack_spans(const std::vector<Span>& spans);
/// data_loss for what pack_spans never wrote.
Result<std::vector<Span>> unpack_spans(std::string_view body);
/// The size before compression, without opening it; 0 for what is damaged.
size_t unpacked_bytes(std::string_view body);

}  // namespace slipway::tracking
