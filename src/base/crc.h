// Cyclic redundancy checks of 32 bits, with a table (Sarwate, 1988).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace slipway {

/// The polynomial is given with its bits reversed. `before` is the check of what came before these bytes.
template <std::uint32_t Polynomial>
std::uint32_t crc_of(std::string_view bytes, std::uint32_t before = 0) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ Polynomial : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = ~before;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

inline std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0) {
  return crc_of<0xEDB88320>(bytes, before);
}
inline std::uint32_t crc32c(std::string_view bytes) { return crc_of<0x82F63B78>(bytes); }

}  // namespace slipway
