// Which answered requests are kept as cases. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "domain/prediction.h"
#include "monitor/drift.h"

namespace slipway::monitor {

enum class CaseReason { error, low_confidence, flagged, sampled, drift };
std::string_view name(CaseReason reason);
std::optional<CaseReason> parse_case_reason(std::string_view text);

/// `capture:` of a deployment.
struct CaptureRules {
  double sample = 0.01;  // share of all requests, 0 to 1
  bool errors = true;
  bool low_confidence = true;
  bool flagged = true;          // requests that feedback calls wrong; they come by another way, so this is only kept
  bool drifted = false;         // every request while a statistic of the deployment has drifted
  double confidence_min = 0.6;  // below this an answer is unsure
  DriftLimits drift;            // what counts as drifted
  bool operator==(const CaptureRules&) const = default;
};

/// {"sample": 0.01, "always": ["error", "low_confidence", "flagged", "drift"], "low_confidence": 0.6,
///  "drift": {"psi": 0.2, "samples": 100, "false_alarm": 0.001}}
/// What is absent keeps its default; invalid_argument names what is wrong or not known.
Result<CaptureRules> parse_capture(const Json& json);

/// Why this request is kept, or nullopt. `has_drifted`: a statistic of the deployment is out of its limits now. `dice`
/// is uniform in [0, 1): the caller rolls, so a test can, too.
std::optional<CaseReason> decide_capture(const CaptureRules& rules, const PredictionServed& prediction,
                                         bool has_drifted, double dice);

}  // namespace slipway::monitor
