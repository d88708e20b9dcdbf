// The wire form of protobuf, as far as a careful reader and a writer of a few known messages need it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace slipway {

/// Reads the fields of one message, one after the other. `ok` turns false at the first byte that cannot be, and then
/// next() ends. Values are views into the bytes.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : rest_(bytes) {}

  /// Moves to the next field; false at the end, and when something is wrong.
  bool next() {
    if (!ok_ || rest_.empty()) return false;
    const std::uint64_t tag = varint();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    wire_ = static_cast<int>(tag & 7);
    if (tag > UINT32_MAX || number_ == 0) ok_ = false;
    if (!ok_) return false;
    switch (wire_) {
      case kVarint: scalar_ = varint(); break;
      case kFixed64: scalar_ = fixed(8); break;
      case kBytes: bytes_ = take(varint()); break;
      case kFixed32: scalar_ = fixed(4); break;
      default: ok_ = false;  // groups are of another age
    }
    return ok_;
  }

  bool ok() const { return ok_; }
  std::uint32_t number() const { return number_; }
  /// The field is `number` and its value is of that kind; a field of another kind counts as unknown.
  bool is_bytes(std::uint32_t number) const { return number_ == number && wire_ == kBytes; }
  bool is_varint(std::uint32_t number) const { return number_ == number && wire_ == kVarint; }
  bool is_fixed64(std::uint32_t number) const { return number_ == number && wire_ == kFixed64; }
  bool is_fixed32(std::uint32_t number) const { return number_ == number && wire_ == kFixed32; }
  std::string_view bytes() const { return bytes_; }
  std::uint64_t scalar() const { return scalar_; }

 private:
  static constexpr int kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) ok_ = false;
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::uint64_t fixed(size_t size) {
    const std::string_view raw = take(size);
    std::uint64_t value = 0;
    for (size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return value;
  }

  std::string_view rest_, bytes_;
  std::uint64_t scalar_ = 0;
  std::uint32_t number_ = 0;
  int wire_ = 0;
  bool ok_ = true;
};

/// Appends fields to a message. A nested message is written into a writer of its own first.
class ProtobufWriter {
 public:
  ProtobufWriter& bytes(std::uint32_t number, std::string_view value) {
    tag(number, 2);
    varint(value.size());
    out_ += value;
    return *this;
  }
  ProtobufWriter& integer(std::uint32_t number, std::uint64_t value) {
    tag(number, 0);
    varint(value);
    return *this;
  }
  ProtobufWriter& fixed64(std::uint32_t number, std::uint64_t value) {
    tag(number, 1);
    for (int i = 0; i < 8; ++i) out_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  ProtobufWriter& real(std::uint32_t number, double value) {
    return fixed64(number, std::bit_cast<std::uint64_t>(value));
  }
  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void tag(std::uint32_t number, int wire) {
    varint(static_cast<std::uint64_t>(number) << 3 | static_cast<unsigned>(wire));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

}  // namespace slipway
