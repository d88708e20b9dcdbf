// The journal of a run: what was logged, in frames that a torn end does not hurt. Written here and by python/slipway,
// read here and by `slipway sync` (src/imports/journal.h, which describes the format). Private to the library.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::tracking {

inline constexpr std::string_view kMagic = "SLIPWAY-JOURNAL-1\n";
inline constexpr std::size_t kFrameHeadBytes = 8;
inline constexpr std::size_t kPointBytes = 28;
inline constexpr std::size_t kPointsPerFrame = 32'768;

struct Point {
  std::uint32_t metric;
  std::int64_t step, at_ms;
  double value;
};

std::uint32_t crc32(std::string_view bytes);

/// Appends one frame with this payload.
void append_frame(std::string& out, std::string_view payload);
void append_u32(std::string& out, std::uint32_t value);
/// 'A' (parameter), 'T' (tag) and 'F' (file): u32 length of the key, key, value.
std::string pair_payload(char type, std::string_view key, std::string_view value);
std::string metric_payload(std::uint32_t number, std::string_view name);
std::string end_payload(std::int64_t at_ms, std::string_view status);
/// Frames of points, kPointsPerFrame in each.
void append_points(std::string& out, const std::vector<Point>& points);

/// A file that takes frames. Not thread-safe.
class JournalFile {
 public:
  /// Throws std::runtime_error.
  explicit JournalFile(const std::string& path);
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  /// False when the file would be longer than `bytes_max`, or the disk refuses; nothing of it counts then.
  bool append(std::string_view frames, std::uint64_t bytes_max = UINT64_MAX);
  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  void sync();

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// The payload of the frame at `offset`, and the offset behind it. False when there is no whole frame yet.
bool read_frame(int descriptor, std::uint64_t& offset, std::uint64_t end, std::string& payload);

}  // namespace slipway::tracking
