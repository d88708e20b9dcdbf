// TensorBoard's event files: records with a length and checksums (TFRecord), each a protobuf `Event`. Only scalars are
// read, the old kind (simple_value) and the new one (a tensor with one number); a decoder of our own, as small as that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imports/source.h"

namespace slipway::imports {

inline constexpr std::uint64_t kEventBytesMax = 256ull << 20;  // of one record

/// The next record of a file's bytes. Without one: the bytes end before it does, so there may be more later.
/// invalid_argument when a checksum does not match.
struct EventRecord {
  std::string_view data;
  size_t used = 0;  // bytes up to the next record
};
Result<std::optional<EventRecord>> next_event_record(std::string_view bytes);

struct Event {
  std::vector<Point> scalars;
  size_t others = 0;  // summaries of other kinds: texts, images, histograms
};

/// What one record says. Bytes that are no Event are invalid_argument.
Result<Event> read_event(std::string_view record);

}  // namespace slipway::imports
