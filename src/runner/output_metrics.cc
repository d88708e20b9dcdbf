#include "runner/output_metrics.h"

#include "base/json.h"
#include "base/text.h"

namespace slipway::runner {
namespace {

constexpr std::string_view kStep = "step";

std::optional<double> value_of(const Json& json) {
  if (json.is_number()) return json.number();
  const std::string& text = json.string();
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return parse_double(text);
  return std::nullopt;
}

bool is_key(std::string_view key) { return !key.empty() && key.size() <= kMetricKeyBytesMax; }

}  // namespace

std::vector<MetricPoint> OutputMetrics::feed(std::string_view bytes, std::int64_t now_ms) {
  std::vector<MetricPoint> points;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    // Most output is text: it is not even copied.
    if (line_.empty() && !is_text_) is_text_ = !piece.empty() && !trim(piece.substr(0, 1)).empty() && piece[0] != '{';
    if (line_.size() + piece.size() > kMetricLineBytesMax) is_text_ = true;
    if (is_text_) {
      line_.clear();
    } else {
      line_ += piece;
    }
    if (end == std::string_view::npos) break;
    if (!is_text_) take_line(line_, now_ms, points);
    line_.clear();
    is_text_ = false;
    bytes.remove_prefix(end + 1);
  }
  return points;
}

std::vector<MetricPoint> OutputMetrics::finish(std::int64_t now_ms) { return feed("\n", now_ms); }

void OutputMetrics::take_line(std::string_view line, std::int64_t now_ms, std::vector<MetricPoint>& points) {
  line = trim(line);
  if (!line.starts_with('{') || !line.ends_with('}')) return;
  const auto json = Json::parse(line);
  if (!json.ok() || !json->is_object()) return;
  std::optional<std::int64_t> step;
  if (const Json* given = json->find(kStep)) {
    step = given->integer();
    if (!step || *step < 0) return;
  }
  std::vector<MetricPoint> found;
  for (const auto& [key, value] : json->object()) {
    if (key == kStep) continue;
    const auto number = value_of(value);
    if (!number || !is_key(key)) return;  // one member that is no metric, and the line is somebody's text
    found.push_back({key, *number, step.value_or(0), now_ms});
  }
  for (MetricPoint& point : found) {
    auto at = next_steps_.find(point.key);
    if (at == next_steps_.end()) {
      if (next_steps_.size() >= kOutputMetricKeysMax) continue;
      at = next_steps_.emplace(point.key, 0).first;
    }
    if (!step) point.step = at->second;
    at->second = point.step + 1;
    points.push_back(std::move(point));
  }
}

}  // namespace slipway::runner
