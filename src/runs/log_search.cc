#include "runs/log_search.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace slipway::runs {
namespace {

constexpr char kEscape = '\x1b';
constexpr size_t kTextBefore = 100;  // of a long line, in front of the first match

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

void lower_all(std::string& text) {
  for (char& c : text) c = lowered(c);
}

/// How many bytes of a control sequence begin here, behind the escape.
size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  size_t at = 2;
  if (text[1] == '[') {
    while (at < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == ';' || text[at] == '?'))
      ++at;
    return std::min(at + 1, text.size());
  }
  if (text[1] == ']') {  // a title: up to BEL or ESC backslash
    while (at < text.size() && text[at] != '\a' && text[at] != kEscape) ++at;
    return std::min(at + (at < text.size() && text[at] == kEscape ? 2 : 1), text.size());
  }
  return 2;
}

bool is_plain(std::string_view line) {
  return std::none_of(line.begin(), line.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 ? c != '\t' : c == '\x7f'; });
}

/// What a lone carriage return overwrites is gone.
std::string_view folded(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const size_t last = line.rfind('\r');
  return last == std::string_view::npos ? line : line.substr(last + 1);
}

/// The part of a shown line that fits into an answer.
std::string excerpt(const std::string& line, size_t match) {
  size_t from = line.size() <= kLogHitTextBytesMax || match <= kTextBefore ? 0 : match - kTextBefore;
  while (from > 0 && from < match && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80) ++from;
  return clean_utf8(std::string_view(line).substr(from), kLogHitTextBytesMax);
}

}  // namespace

std::string shown_line(std::string_view line) {
  line = folded(line);
  if (is_plain(line)) return std::string(line);
  std::string out;
  for (size_t at = 0; at < line.size();) {
    const char c = line[at];
    if (c == kEscape) {
      at += sequence_length(line.substr(at));
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x20 ? c != '\x7f' : c == '\t') out += c;
    ++at;
  }
  return out;
}

LogScanner::LogScanner(std::string pattern, bool match_case, LogPlace from)
    : pattern_([&] {
        if (!match_case) lower_all(pattern);
        return std::move(pattern);
      }()),
      match_case_(match_case),
      place_(from) {}

void LogScanner::look(std::string_view part, const std::function<void(LogHit)>& visit) {
  if (is_hit_) return;
  const std::string shown = shown_line(part);
  size_t at = std::string::npos;
  if (match_case_) {
    at = shown.find(pattern_);
  } else {
    std::string small = shown;
    lower_all(small);
    at = small.find(pattern_);
  }
  if (at == std::string::npos) return;
  is_hit_ = true;
  visit({place_, excerpt(shown, at)});
}

void LogScanner::feed(std::string_view bytes, const std::function<void(LogHit)>& visit) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (end != std::string_view::npos && partial_.empty()) {
      look(piece, visit);  // most lines: no copy
    } else {
      partial_ += piece;
      if (end != std::string_view::npos || partial_.size() >= kLogLineBytesMax) look(partial_, visit);
    }
    if (end == std::string_view::npos) {
      if (partial_.size() < kLogLineBytesMax) return;
      partial_dropped_ += partial_.size();
      partial_.clear();
      return;
    }
    place_.offset += partial_dropped_ + (partial_.empty() ? piece.size() : partial_.size()) + 1;
    ++place_.line;
    partial_.clear();
    partial_dropped_ = 0;
    is_hit_ = false;
    bytes.remove_prefix(end + 1);
  }
}

void LogScanner::finish(const std::function<void(LogHit)>& visit) {
  if (!partial_.empty()) look(partial_, visit);
}

Result<LogHits> search_log(LogStore& log, const RunId& run, const LogQuery& query) {
  LogHits found;
  LogScanner scanner(query.pattern, query.match_case, query.from);
  std::uint64_t offset = query.from.offset;
  LogPlace full_at;  // the line behind the last hit that fits
  bool is_full = false;
  const auto visit = [&](LogHit hit) {
    if (found.hits.size() >= query.hits_max) {
      if (!is_full) full_at = hit.place;
      is_full = true;
      return;
    }
    found.hits.push_back(std::move(hit));
  };
  // A line longer than the limit is searched to its end, or the next answer would begin where this one did.
  const auto goes_on = [&] {
    return offset - query.from.offset < kLogSearchedBytesMax || scanner.place().offset == query.from.offset;
  };
  while (!is_full && goes_on()) {
    const LogPiece piece = TRY(log.read(run, static_cast<std::int64_t>(offset), kLogReadBytesMax));
    if (query.line_at && *query.line_at >= offset && *query.line_at < piece.next_offset) {
      const auto before = static_cast<std::ptrdiff_t>(*query.line_at - offset);
      found.line_at = scanner.place().line + std::count(piece.bytes.begin(), piece.bytes.begin() + before, '\n');
    }
    scanner.feed(piece.bytes, visit);
    offset = piece.next_offset;
    if (piece.bytes.empty() || offset >= piece.size) {
      scanner.finish(visit);
      if (query.line_at && *query.line_at == offset && !found.line_at) found.line_at = scanner.place().line;
      found.is_end = !is_full;
      break;
    }
  }
  found.next = is_full ? full_at : scanner.place();
  return found;
}

}  // namespace slipway::runs
