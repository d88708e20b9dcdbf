#include "journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

namespace slipway::tracking {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB88320;  // of CRC-32, reversed

/// Table n says what a byte does n bytes before the end, so that eight bytes are done at once.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ kPolynomial : value >> 1;
    tables[0][i] = value;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::size_t i = 0; i < 256; ++i) tables[n][i] = tables[n - 1][i] >> 8 ^ tables[0][tables[n - 1][i] & 255];
  }
  return tables;
}

/// The journal is little-endian, and so is every machine this is built for.
template <typename T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

bool write_whole(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_whole(int descriptor, std::uint64_t offset, char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t n = ::pread(descriptor, to, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  static const Tables t = make_tables();
  std::uint32_t crc = 0xFFFFFFFF;
  while (bytes.size() >= 8) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, bytes.data(), 4);
    std::memcpy(&high, bytes.data() + 4, 4);
    low ^= crc;
    crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^ t[3][high & 255] ^
          t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) crc = crc >> 8 ^ t[0][(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

void append_u32(std::string& out, std::uint32_t value) { append_raw(out, value); }

void append_frame(std::string& out, std::string_view payload) {
  append_u32(out, static_cast<std::uint32_t>(payload.size()));
  append_u32(out, crc32(payload));
  out.append(payload);
}

std::string pair_payload(char type, std::string_view key, std::string_view value) {
  std::string payload(1, type);
  append_u32(payload, static_cast<std::uint32_t>(key.size()));
  return payload.append(key).append(value);
}

std::string metric_payload(std::uint32_t number, std::string_view name) {
  std::string payload("K");
  append_u32(payload, number);
  return payload.append(name);
}

std::string end_payload(std::int64_t at_ms, std::string_view status) {
  std::string payload("E");
  append_raw(payload, at_ms);
  return payload.append(status);
}

void append_points(std::string& out, const std::vector<Point>& points) {
  std::string payload;
  for (std::size_t from = 0; from < points.size(); from += kPointsPerFrame) {
    const std::size_t to = std::min(points.size(), from + kPointsPerFrame);
    payload.resize(1 + (to - from) * kPointBytes);
    payload[0] = 'P';
    char* at = &payload[1];
    for (std::size_t i = from; i < to; ++i, at += kPointBytes) {
      std::memcpy(at, &points[i].metric, 4);
      std::memcpy(at + 4, &points[i].step, 8);
      std::memcpy(at + 12, &points[i].at_ms, 8);
      std::memcpy(at + 20, &points[i].value, 8);
    }
    append_frame(out, payload);
  }
}

JournalFile::JournalFile(const std::string& path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw std::runtime_error("slipway: cannot make " + path + ": " + std::strerror(errno));
  ::flock(descriptor_, LOCK_EX | LOCK_NB);  // tells `slipway sync` that somebody still writes
  append(kMagic);
}

JournalFile::~JournalFile() { ::close(descriptor_); }

bool JournalFile::append(std::string_view frames, std::uint64_t bytes_max) {
  if (size_ + frames.size() > bytes_max) return false;
  if (!write_whole(descriptor_, frames)) {
    // Half a frame would hide what comes behind it.
    (void)!::ftruncate(descriptor_, static_cast<off_t>(size_));
    ::lseek(descriptor_, static_cast<off_t>(size_), SEEK_SET);
    return false;
  }
  size_ += frames.size();
  return true;
}

void JournalFile::sync() { ::fdatasync(descriptor_); }

bool read_frame(int descriptor, std::uint64_t& offset, std::uint64_t end, std::string& payload) {
  char head[kFrameHeadBytes];
  if (offset + sizeof head > end || !read_whole(descriptor, offset, head, sizeof head)) return false;
  std::uint32_t bytes = 0, crc = 0;
  std::memcpy(&bytes, head, 4);
  std::memcpy(&crc, head + 4, 4);
  if (offset + sizeof head + bytes > end) return false;
  payload.resize(bytes);
  if (!read_whole(descriptor, offset + sizeof head, payload.data(), bytes) || crc32(payload) != crc) return false;
  offset += sizeof head + bytes;
  return true;
}

}  // namespace slipway::tracking
