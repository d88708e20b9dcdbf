// Hashes: BLAKE3 names blobs; SHA-256 and MD5 only where a protocol asks for them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

/// 32 bytes of BLAKE3 (the reference specification of 2020), rendered as 64 lower-case hex digits.
struct Hash {
  std::array<unsigned char, 32> bytes{};

  auto operator<=>(const Hash&) const = default;
};

std::string render(const Hash& hash);
Result<Hash> parse_hash(std::string_view text);

/// BLAKE3 over bytes that arrive in pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::string_view bytes);
  /// The hash of everything so far; more may follow.
  Hash finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Hash hash_of(std::string_view bytes);

std::string sha256_hex(std::string_view bytes);
std::string md5_hex(std::string_view bytes);
/// The 32 raw bytes of HMAC-SHA256 (RFC 2104).
std::string hmac_sha256(std::string_view key, std::string_view message);

}  // namespace slipway

template <>
struct std::hash<slipway::Hash> {
  size_t operator()(const slipway::Hash& key) const {
    size_t value;
    static_assert(sizeof value <= sizeof key.bytes);
    __builtin_memcpy(&value, key.bytes.data(), sizeof value);
    return value;
  }
};
