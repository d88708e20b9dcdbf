// The folder that a program leaves which logs with slipway/tracking.h or python/slipway: `run.json` (what the run is),
// `journal` (what was logged), `files/` (artifacts).
//
// The journal begins with "SLIPWAY-JOURNAL-1\n". Frames follow: u32 length of the payload, u32 CRC-32 (as zlib's) of
// the payload, payload; all integers little-endian. The payload's first byte is its kind:
//   K  u32 number, name                                a metric's name
//   P  (u32 number, i64 step, i64 time_ms, f64 value)… points
//   A  u32 length, key, value                          a parameter
//   T  u32 length, key, value                          a tag
//   F  u32 length, name, file                          an artifact; `file` lies in files/
//   E  i64 time_ms, status                             the run ended
// A frame that is cut off or does not match its checksum is where the journal ends: the program was killed there, or is
// writing it now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "imports/source.h"

namespace slipway::imports {

inline constexpr std::string_view kJournalMagic = "SLIPWAY-JOURNAL-1\n";
inline constexpr size_t kJournalFrameBytesMax = 64 << 20;
inline constexpr size_t kJournalMetricsMax = 1'000'000;

struct JournalPoints {
  std::vector<Point> points;
};
struct JournalText {
  char kind = 'T';  // A, T or F
  std::string key, value;
};
struct JournalEnd {
  std::int64_t at_ms = 0;
  std::string status;
};
using JournalEntry = std::variant<JournalPoints, JournalText, JournalEnd>;

/// Reads a journal's bytes, in pieces that begin where the last one's frames ended.
class JournalReader {
 public:
  /// The entries of all whole frames at the beginning of `bytes`; `used` is how many bytes they take. invalid_argument
  /// for frames that are whole and make no sense.
  Result<std::vector<JournalEntry>> read(std::string_view bytes, size_t& used);

 private:
  Result<std::optional<JournalEntry>> entry_of(std::string_view payload);

  bool has_begun_ = false;
  std::vector<std::string> names_;
};

/// run.json.
struct JournalFacts {
  SourceRun run;
  std::string experiment, project;
  bool is_new = true;  // false: the run was there before the program, which says nothing of its state
};
Result<JournalFacts> read_journal_facts(const std::filesystem::path& folder);

}  // namespace slipway::imports
