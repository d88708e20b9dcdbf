// One answered request as bytes, for the logs that keep requests over the end of the process.
//
// Integers are little-endian, texts are a 32-bit length and their bytes, doubles are their bits (NaN is kept as it
// was). One record has one rendering. The segment's header (request_log.h) carries the version of this form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/prediction.h"
#include "monitor/capture.h"

namespace slipway::monitor {

struct RequestRecord {
  PredictionServed prediction;
  std::optional<CaseReason> reason;  // why it is kept as a case; none: only remembered
};

/// Appends the record's bytes.
void append_record(std::string& bytes, const PredictionServed& prediction, std::optional<CaseReason> reason);
/// The inverse; data_loss for bytes that append_record() never wrote.
Result<RequestRecord> parse_record(std::string_view bytes);

}  // namespace slipway::monitor
