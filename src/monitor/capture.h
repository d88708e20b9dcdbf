// Which answered requests are kept as cases. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "domain/prediction.h"

namespace slipway::monitor {

enum class CaseReason { error, low_confidence, flagged, sampled };
std::string_view name(CaseReason reason);
std::optional<CaseReason> parse_case_reason(std::string_view text);

/// `capture:` of a deployment.
struct CaptureRules {
  double sample = 0.01;          // share of all requests, 0 to 1
  bool errors = true;
  bool low_confidence = true;
  bool flagged = true;           // requests that feedback calls wrong
  double confidence_min = 0.6;   // below this an answer is unsure
};

/// Why this request is kept, or nullopt. `dice` is uniform in [0, 1): the caller rolls, so a test can, too.
std::optional<CaseReason> decide_capture(const CaptureRules& rules, const PredictionServed& prediction, double dice);

}  // namespace slipway::monitor
