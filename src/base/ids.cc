#include "base/ids.h"

#include <array>
#include <mutex>

#include "base/random.h"

namespace slipway {
namespace {

/// 128 bits: milliseconds in the first six bytes, randomness in the rest. Within one millisecond the random part of the
/// last id is incremented, so ids of one process never go backwards.
std::array<unsigned char, 16> next_bits(const Clock& clock) {
  static std::mutex mutex;
  static std::int64_t last_millis = 0;
  static std::array<unsigned char, 16> last{};
  const std::lock_guard lock(mutex);
  const std::int64_t millis = clock.now().millis();
  if (millis > last_millis) {
    last_millis = millis;
    random_bytes(last);
    last[6] &= 0x7f;  // room to count up
    for (int i = 0; i < 6; ++i) last[i] = static_cast<unsigned char>(millis >> (40 - 8 * i));
  } else {
    for (int i = 15; i >= 6 && ++last[i] == 0; --i) {
    }
  }
  return last;
}

}  // namespace

std::string new_id_text(const Clock& clock) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const auto bits = next_bits(clock);
  std::string text(26, '0');
  // 26 digits of 5 bits are 130: the first digit carries the top 3 bits.
  unsigned buffer = 0, held = 2;
  size_t out = 0;
  for (unsigned char byte : bits) {
    buffer = (buffer << 8) | byte;
    held += 8;
    while (held >= 5) {
      held -= 5;
      text[out++] = kDigits[(buffer >> held) & 31];
    }
  }
  return text;
}

std::string new_hex_id_text(const Clock& clock) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : next_bits(clock)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool looks_like_id(std::string_view text) {
  if (text.empty() || text.size() > 256 || text[0] == '-') return false;
  for (char c : text) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) return false;
  }
  return true;
}

}  // namespace slipway
