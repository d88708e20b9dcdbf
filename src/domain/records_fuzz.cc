#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "domain/attempt.h"
#include "domain/run_spec.h"
#include "domain/sample.h"

namespace {

/// A record that was read is written, and what was written is read to the same.
template <typename Parse>
void round_trip(const slipway::Json& json, Parse parse) {
  const auto record = parse(json);
  if (!record.ok()) return;
  const auto again = parse(to_json(*record));
  if (!again.ok() || !(*again == *record)) __builtin_trap();
}

}  // namespace

// The records that clients and runners send.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway;
  const auto json = Json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!json.ok()) return 0;
  round_trip(*json, parse_run_spec);
  round_trip(*json, parse_attempt_plan);
  round_trip(*json, parse_resolved_inputs);
  round_trip(*json, parse_sample);
  (void)parse_heartbeat(*json).ok();
  (void)parse_attempt_result(*json).ok();
  (void)parse_output_report(*json).ok();
  return 0;
}
