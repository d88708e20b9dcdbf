#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "domain/attempt.h"
#include "domain/cron.h"
#include "domain/reference.h"
#include "domain/units.h"

namespace {

/// What was parsed is printed, and what was printed is parsed to the same.
template <typename Parse, typename Render>
void round_trip(std::string_view text, Parse parse, Render render) {
  const auto value = parse(text);
  if (!value.ok()) return;
  const auto again = parse(render(*value));
  if (!again.ok() || !(*again == *value)) __builtin_trap();
}

}  // namespace

// The short texts that stand in files, queries and command lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip(text, parse_time, [](Time time) { return render(time); });
  round_trip(text, parse_duration, render_duration);
  round_trip(text, parse_reference, [](const Reference& reference) { return render(reference); });
  round_trip(text, parse_ticket, [](const Ticket& ticket) { return render(ticket); });
  (void)parse_cron(text).ok();
  (void)parse_hash(text).ok();
  (void)parse_bytes(text).ok();
  (void)parse_fraction(text).ok();
  return 0;
}
