#include "monitor/capture.h"

#include <array>
#include <cmath>

namespace slipway::monitor {
namespace {

constexpr std::array<std::pair<CaseReason, std::string_view>, 4> kReasons = {{
    {CaseReason::error, "error"},
    {CaseReason::low_confidence, "low_confidence"},
    {CaseReason::flagged, "flagged"},
    {CaseReason::sampled, "sampled"},
}};

}  // namespace

std::string_view name(CaseReason reason) {
  for (const auto& [known, text] : kReasons) {
    if (known == reason) return text;
  }
  return "";
}

std::optional<CaseReason> parse_case_reason(std::string_view text) {
  for (const auto& [known, known_text] : kReasons) {
    if (known_text == text) return known;
  }
  return std::nullopt;
}

std::optional<CaseReason> decide_capture(const CaptureRules& rules, const PredictionServed& prediction, double dice) {
  if (!prediction.ok) return rules.errors ? std::optional(CaseReason::error) : std::nullopt;
  const double confidence = prediction.statistics.confidence;
  if (rules.low_confidence && !std::isnan(confidence) && confidence < rules.confidence_min) return CaseReason::low_confidence;
  if (dice < rules.sample) return CaseReason::sampled;
  return std::nullopt;
}

}  // namespace slipway::monitor
