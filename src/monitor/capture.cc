#include "monitor/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace slipway::monitor {
namespace {

constexpr std::array<std::pair<CaseReason, std::string_view>, 5> kReasons = {{
    {CaseReason::error, "error"},
    {CaseReason::low_confidence, "low_confidence"},
    {CaseReason::flagged, "flagged"},
    {CaseReason::sampled, "sampled"},
    {CaseReason::drift, "drift"},
}};

Error invalid(std::string message) { return {ErrorCode::invalid_argument, std::move(message)}; }

Result<void> check_keys(const Json& json, std::string_view where, const std::vector<std::string>& known) {
  if (!json.is_object()) return invalid(fmt::format("{} must be an object with {}", where, join(known, ", ")));
  for (const auto& [key, value] : json.object()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const auto near = nearest(key, known);
    return invalid(fmt::format("unknown key '{}' in {}; {}", clean_utf8(key, 60), where,
                               near ? "did you mean '" + *near + "'?" : "known are " + join(known, ", ")));
  }
  return {};
}

/// Sets `to` when the member is there.
Result<void> read_number(const Json& json, const char* key, double low, double high, double& to) {
  const Json& given = json[key];
  if (given.is_null()) return {};
  const auto value = given.number();
  if (!value || !(*value >= low && *value <= high))
    return invalid(fmt::format("capture's '{}' is {}; expected a number from {} to {}", key,
                               clean_utf8(given.render(), 40), low, high));
  to = *value;
  return {};
}

Result<void> read_always(const Json& always, CaptureRules& rules) {
  if (always.is_null()) return {};
  const std::array<std::pair<std::string, bool*>, 4> kinds = {{{"error", &rules.errors},
                                                               {"low_confidence", &rules.low_confidence},
                                                               {"flagged", &rules.flagged},
                                                               {"drift", &rules.drifted}}};
  for (const auto& [kind, rule] : kinds) *rule = false;
  const auto wrong = [](const std::string& found) {
    return invalid("capture's 'always' is a list of error, low_confidence, flagged and drift; found " +
                   clean_utf8(found, 60));
  };
  if (!always.is_array()) return wrong(always.render());
  for (const Json& item : always.array()) {
    const auto known =
        std::ranges::find_if(kinds, [&](const auto& kind) { return item.is_string() && kind.first == item.string(); });
    if (known == kinds.end()) return wrong(item.render());
    *known->second = true;
  }
  return {};
}

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

Result<CaptureRules> parse_capture(const Json& json) {
  CaptureRules rules;
  if (json.is_null()) return rules;
  TRY(check_keys(json, "'capture'", {"sample", "always", "low_confidence", "drift"}));
  TRY(read_number(json, "sample", 0, 1, rules.sample));
  TRY(read_number(json, "low_confidence", 0, 1, rules.confidence_min));
  TRY(read_always(json["always"], rules));
  const Json& drift = json["drift"];
  if (drift.is_null()) return rules;
  TRY(check_keys(drift, "capture's 'drift'", {"psi", "samples", "false_alarm"}));
  double samples = static_cast<double>(rules.drift.samples_min);
  TRY(read_number(drift, "psi", 0.01, 100, rules.drift.psi_min));
  TRY(read_number(drift, "samples", 20, static_cast<double>(kDriftSamplesMax), samples));
  TRY(read_number(drift, "false_alarm", 1e-9, 0.5, rules.drift.false_alarm));
  rules.drift.samples_min = static_cast<std::int64_t>(samples);
  return rules;
}

std::optional<CaseReason> decide_capture(const CaptureRules& rules, const PredictionServed& prediction,
                                         bool has_drifted, double dice) {
  if (!prediction.ok) return rules.errors ? std::optional(CaseReason::error) : std::nullopt;
  const double confidence = prediction.statistics.confidence;
  if (rules.low_confidence && !std::isnan(confidence) && confidence < rules.confidence_min)
    return CaseReason::low_confidence;
  if (rules.drifted && has_drifted) return CaseReason::drift;
  if (dice < rules.sample) return CaseReason::sampled;
  return std::nullopt;
}

}  // namespace slipway::monitor
