// Finding text in a run's log as a person sees it: without colours, and of a progress bar only what its line shows
// last.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runs/log_store.h"

namespace slipway::runs {

inline constexpr size_t kLogPatternBytesMax = 1'000;
inline constexpr size_t kLogHitsMax = 1'000;                         // in one answer
inline constexpr std::uint64_t kLogSearchedBytesMax = 256ull << 20;  // for one answer
inline constexpr size_t kLogLineBytesMax = 1 << 20;                  // longer lines are looked at in pieces
inline constexpr size_t kLogHitTextBytesMax = 500;

/// What of a line (without its end) stands on a terminal: behind its last carriage return, without control sequences.
std::string shown_line(std::string_view line);

struct LogPlace {
  std::uint64_t offset = 0;  // where a line begins
  std::int64_t line = 1;     // its number, from 1
};

struct LogHit {
  LogPlace place;
  std::string text;  // the line as shown, of a long one the part around the first match
};

/// Cuts bytes into lines and looks at each. Pure.
class LogScanner {
 public:
  /// Plain text, no pattern language; ASCII letters match in either case unless `match_case`.
  LogScanner(std::string pattern, bool match_case, LogPlace from);

  /// The next bytes of the log. `visit` gets each line that matches, once.
  void feed(std::string_view bytes, const std::function<void(LogHit)>& visit);
  /// No more will come: a last line without an end counts, too.
  void finish(const std::function<void(LogHit)>& visit);

  /// The beginning of the line that has not ended yet.
  LogPlace place() const { return place_; }

 private:
  void look(std::string_view part, const std::function<void(LogHit)>& visit);

  const std::string pattern_;
  const bool match_case_;
  LogPlace place_;
  std::string partial_;
  bool is_hit_ = false;                // the line that has not ended yet
  std::uint64_t partial_dropped_ = 0;  // bytes of it that were looked at already
};

struct LogQuery {
  std::string pattern;  // 1 to kLogPatternBytesMax bytes of one line
  bool match_case = false;
  LogPlace from;  // the beginning, or `next` of the answer before
  size_t hits_max = kLogHitsMax;
  std::optional<std::uint64_t> line_at;  // which line has this byte?
};

struct LogHits {
  std::vector<LogHit> hits;
  LogPlace next;                        // to go on from; of a log that grows, the line that has not ended yet
  bool is_end = false;                  // all that there was is searched
  std::optional<std::int64_t> line_at;  // when that byte is in what was searched
};

/// Blocks for the database. Stops after hits_max hits or kLogSearchedBytesMax.
Result<LogHits> search_log(LogStore& log, const RunId& run, const LogQuery& query);

}  // namespace slipway::runs
