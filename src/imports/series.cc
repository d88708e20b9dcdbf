#include "imports/series.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr size_t kIdDigits = 32;
constexpr size_t kKeyBytesMax = 250;

bool is_key_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 128 || c == '_' ||
         c == '/' || c == '.' || c == '-' || c == ' ' || c == ':';
}

}  // namespace

std::string id_of_origin(std::string_view text) { return render(hash_of(text)).substr(0, kIdDigits); }

std::string clean_key(std::string_view key) {
  std::string text = clean_utf8(key, kKeyBytesMax);
  for (char& c : text) {
    if (!is_key_character(static_cast<unsigned char>(c))) c = '_';
  }
  // As a path it must be its own normal form: no empty, "." or ".." part.
  std::vector<std::string> parts;
  for (std::string& part : split(text, '/')) {
    if (!part.empty()) parts.push_back(part == "." || part == ".." ? std::string(part.size(), '_') : std::move(part));
  }
  text = join(parts, "/");
  return text.empty() ? "_" : text;
}

Result<void> SeriesRun::add(Destination& destination, const std::string& experiment, Point point) {
  point.key = clean_key(point.key);
  first_ms_ = points_ == 0 ? point.at_ms : std::min(first_ms_, point.at_ms);
  last_ms_ = std::max(last_ms_, point.at_ms);
  ++points_;
  waiting_.push_back(std::move(point));
  if (waiting_.size() < kPointsPerRequest) return {};
  return flush(destination, experiment);
}

Result<void> SeriesRun::flush(Destination& destination, const std::string& experiment) {
  if (waiting_.empty()) return {};
  if (!is_made_) TRY(put(destination, experiment, "RUNNING"));
  is_made_ = true;
  TRY(destination.log_points(id_, waiting_));
  waiting_.clear();
  return {};
}

Result<void> SeriesRun::finish(Destination& destination, const std::string& experiment) {
  TRY(flush(destination, experiment));
  if (!is_made_) return {};
  return put(destination, experiment, "FINISHED");
}

Result<void> SeriesRun::put(Destination& destination, const std::string& experiment, const char* status) {
  SourceRun run;
  run.id = id_;
  run.name = name_;
  run.status = status;
  run.started_ms = first_ms_;
  if (run.is_over()) run.ended_ms = last_ms_;
  TRY(destination.put_run(run, experiment, {{kOriginTag, origin_}}));
  return {};
}

}  // namespace slipway::imports
