#include "imports/event_file.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/crc.h"
#include "base/text.h"
#include "domain/protobuf.h"

namespace slipway::imports {
namespace {

constexpr size_t kHeadBytes = 12, kTailBytes = 4;

/// CRC-32C, turned and shifted as TFRecord has it.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

template <typename T>
T read_raw(std::string_view from) {
  T value{};
  std::memcpy(&value, from.data(), std::min(sizeof value, from.size()));
  return value;
}

Error broken(const char* what) { return {ErrorCode::invalid_argument, std::string("the event file has ") + what}; }

double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 31  ? (fraction != 0 ? std::nan("") : HUGE_VAL)
                 : exponent == 0 ? std::ldexp(fraction, -24)
                                 : std::ldexp(fraction + 1024, exponent - 25);
  return bits >> 15 != 0 ? -value : value;
}

/// The number in a tensor's raw bytes; nothing unless it is exactly one.
std::optional<double> content_value(std::uint64_t type, std::string_view content) {
  switch (type) {
    case 1: return content.size() == 4 ? std::optional<double>(read_raw<float>(content)) : std::nullopt;
    case 2: return content.size() == 8 ? std::optional(read_raw<double>(content)) : std::nullopt;
    case 3: return content.size() == 4 ? std::optional<double>(read_raw<std::int32_t>(content)) : std::nullopt;
    case 9:
      return content.size() == 8 ? std::optional(static_cast<double>(read_raw<std::int64_t>(content))) : std::nullopt;
    case 14:
      return content.size() == 2
                 ? std::optional<double>(std::bit_cast<float>(std::uint32_t{read_raw<std::uint16_t>(content)} << 16))
                 : std::nullopt;
    case 19: return content.size() == 2 ? std::optional(half_value(read_raw<std::uint16_t>(content))) : std::nullopt;
    default: return std::nullopt;
  }
}

double integer_value(std::uint64_t varint) { return static_cast<double>(static_cast<std::int64_t>(varint)); }

/// TensorProto with one number: raw, or in the field of its type (repeated, packed or not).
std::optional<double> tensor_value(std::string_view tensor) {
  std::uint64_t type = 0;
  std::optional<double> value;
  std::string_view content;
  size_t count = 0;
  ProtobufReader field(tensor);
  while (field.next()) {
    if (field.is_varint(1)) type = field.scalar();
    if (field.is_bytes(4)) content = field.bytes();
    const bool is_float = field.number() == 5, is_double = field.number() == 6;
    const bool is_integer = field.number() == 7 || field.number() == 10;
    if (!is_float && !is_double && !is_integer) continue;
    ++count;
    if (field.is_fixed32(5)) value = std::bit_cast<float>(static_cast<std::uint32_t>(field.scalar()));
    if (field.is_bytes(5) && field.bytes().size() == 4) value = read_raw<float>(field.bytes());
    if (field.is_fixed64(6)) value = std::bit_cast<double>(field.scalar());
    if (field.is_bytes(6) && field.bytes().size() == 8) value = read_raw<double>(field.bytes());
    if (is_integer && field.is_varint(field.number())) value = integer_value(field.scalar());
    if (is_integer && field.is_bytes(field.number())) {
      std::string packed("\x08");  // as one field, when it is one number
      packed.append(field.bytes());
      ProtobufReader numbers(packed);
      const bool has_one = numbers.next();
      const double one = integer_value(numbers.scalar());
      if (has_one && !numbers.next() && numbers.ok()) value = one;
    }
  }
  if (!field.ok() || count > 1) return std::nullopt;
  return count == 1 ? value : content_value(type, content);
}

/// Summary.Value; true when it is a scalar.
bool read_value(std::string_view bytes, Point& point, bool& is_whole) {
  std::optional<double> value;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_bytes(1)) point.key = clean_utf8(field.bytes(), 1000);
    if (field.is_fixed32(2)) value = std::bit_cast<float>(static_cast<std::uint32_t>(field.scalar()));
    if (field.is_bytes(8)) value = tensor_value(field.bytes());
  }
  is_whole = field.ok();
  if (value) point.value = *value;
  return value && !point.key.empty();
}

Result<void> read_summary(std::string_view summary, Event& event) {
  ProtobufReader field(summary);
  while (field.next()) {
    if (!field.is_bytes(1)) continue;
    Point point;
    bool is_whole = false;
    if (read_value(field.bytes(), point, is_whole)) {
      event.scalars.push_back(std::move(point));
    } else {
      ++event.others;
    }
    if (!is_whole) return broken("a summary that is cut off");
  }
  if (!field.ok()) return broken("a summary that is no protobuf message");
  return {};
}

}  // namespace

Result<std::optional<EventRecord>> next_event_record(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return std::optional<EventRecord>();
  const auto length = read_raw<std::uint64_t>(bytes);
  if (masked_crc(bytes.substr(0, 8)) != read_raw<std::uint32_t>(bytes.substr(8, 4)))
    return broken("a record whose length does not match its checksum");
  if (length > kEventBytesMax) return broken("a record of more than 256 MiB");
  if (bytes.size() < kHeadBytes + length + kTailBytes) return std::optional<EventRecord>();
  const std::string_view data = bytes.substr(kHeadBytes, length);
  if (masked_crc(data) != read_raw<std::uint32_t>(bytes.substr(kHeadBytes + length, kTailBytes)))
    return broken("a record that does not match its checksum");
  return std::optional(EventRecord{data, kHeadBytes + length + kTailBytes});
}

Result<Event> read_event(std::string_view record) {
  Event event;
  double wall_time = 0;
  std::int64_t step = 0;
  ProtobufReader field(record);
  while (field.next()) {
    if (field.is_fixed64(1)) wall_time = std::bit_cast<double>(field.scalar());
    if (field.is_varint(2)) step = static_cast<std::int64_t>(field.scalar());
    if (field.is_bytes(5)) TRY(read_summary(field.bytes(), event));
  }
  if (!field.ok()) return broken("a record that is no protobuf message");
  const bool is_time = wall_time > 0 && wall_time < 1e12;
  for (Point& point : event.scalars) {
    point.step = step;
    point.at_ms = is_time ? static_cast<std::int64_t>(std::llround(wall_time * 1000)) : 0;
  }
  return event;
}

}  // namespace slipway::imports
