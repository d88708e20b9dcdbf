#include "imports/event_file.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr size_t kHeadBytes = 12, kTailBytes = 4;
constexpr std::uint32_t kPolynomial = 0x82F63B78;  // of CRC-32C, reversed

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ kPolynomial : value >> 1;
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

/// CRC-32C, turned and shifted as TFRecord has it.
std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 255];
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

template <typename T>
T read_raw(std::string_view from) {
  T value{};
  std::memcpy(&value, from.data(), std::min(sizeof value, from.size()));
  return value;
}

Error broken(const char* what) { return {ErrorCode::invalid_argument, std::string("the event file has ") + what}; }

/// One field of a protobuf message.
struct Field {
  std::uint32_t number = 0;
  int kind = 0;              // 0 varint, 1 eight bytes, 2 bytes, 5 four bytes
  std::uint64_t varint = 0;  // of kind 0
  std::string_view bytes;    // of the others
};

/// Walks through a message's fields.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  /// False at the end, and when what follows is no field: ok() tells which.
  bool next(Field& field) {
    if (rest_.empty()) return false;
    std::uint64_t key = 0;
    if (!varint(key) || key >> 3 == 0 || key >> 3 > 0x1FFFFFFF) return fail();
    field = {static_cast<std::uint32_t>(key >> 3), static_cast<int>(key & 7), 0, {}};
    switch (field.kind) {
      case 0: return varint(field.varint) || fail();
      case 1: return take(8, field.bytes) || fail();
      case 5: return take(4, field.bytes) || fail();
      case 2: {
        std::uint64_t length = 0;
        return (varint(length) && take(length, field.bytes)) || fail();
      }
      default: return fail();
    }
  }
  bool ok() const { return ok_; }

 private:
  bool fail() {
    ok_ = false;
    return false;
  }

  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return true;
    }
    return false;
  }

  bool take(std::uint64_t length, std::string_view& bytes) {
    if (length > rest_.size()) return false;
    bytes = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
  bool ok_ = true;
};

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

/// TensorProto with one number: raw, or in the field of its type (repeated, packed or not).
std::optional<double> tensor_value(std::string_view tensor) {
  std::uint64_t type = 0;
  std::optional<double> value, from_content;
  std::string_view content;
  size_t count = 0;
  Fields fields(tensor);
  for (Field field; fields.next(field);) {
    if (field.number == 1 && field.kind == 0) type = field.varint;
    if (field.number == 4 && field.kind == 2) content = field.bytes;
    const bool is_float = field.number == 5, is_double = field.number == 6;
    const bool is_integer = field.number == 7 || field.number == 10;
    if (!is_float && !is_double && !is_integer) continue;
    ++count;
    if (is_float && field.bytes.size() == 4) value = read_raw<float>(field.bytes);
    if (is_double && field.bytes.size() == 8) value = read_raw<double>(field.bytes);
    if (is_integer && field.kind == 0) value = static_cast<double>(static_cast<std::int64_t>(field.varint));
    if (is_integer && field.kind == 2) {
      std::string packed("\x08");  // as one field, when it is one number
      packed.append(field.bytes);
      Fields numbers(packed);
      Field one, more;
      if (numbers.next(one) && !numbers.next(more) && numbers.ok())
        value = static_cast<double>(static_cast<std::int64_t>(one.varint));
    }
  }
  if (!fields.ok() || count > 1) return std::nullopt;
  return count == 1 ? value : content_value(type, content);
}

/// Summary.Value; true when it is a scalar.
bool read_value(std::string_view bytes, Point& point, bool& is_whole) {
  std::optional<double> value;
  Fields fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number == 1 && field.kind == 2) point.key = clean_utf8(field.bytes, 1000);
    if (field.number == 2 && field.kind == 5) value = read_raw<float>(field.bytes);
    if (field.number == 8 && field.kind == 2) value = tensor_value(field.bytes);
  }
  is_whole = fields.ok();
  if (value) point.value = *value;
  return value && !point.key.empty();
}

Result<void> read_summary(std::string_view summary, Event& event) {
  Fields values(summary);
  for (Field field; values.next(field);) {
    if (field.number != 1 || field.kind != 2) continue;
    Point point;
    bool is_whole = false;
    if (read_value(field.bytes, point, is_whole)) {
      event.scalars.push_back(std::move(point));
    } else {
      ++event.others;
    }
    if (!is_whole) return broken("a summary that is cut off");
  }
  if (!values.ok()) return broken("a summary that is no protobuf message");
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
  Fields fields(record);
  for (Field field; fields.next(field);) {
    if (field.number == 1 && field.kind == 1) wall_time = read_raw<double>(field.bytes);
    if (field.number == 2 && field.kind == 0) step = static_cast<std::int64_t>(field.varint);
    if (field.number == 5 && field.kind == 2) TRY(read_summary(field.bytes, event));
  }
  if (!fields.ok()) return broken("a record that is no protobuf message");
  const bool is_time = wall_time > 0 && wall_time < 1e12;
  for (Point& point : event.scalars) {
    point.step = step;
    point.at_ms = is_time ? static_cast<std::int64_t>(std::llround(wall_time * 1000)) : 0;
  }
  return event;
}

}  // namespace slipway::imports
