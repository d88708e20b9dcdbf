// The latest values that metric_latest does not have yet: they lie in the log of batches, or are staged by the sorter.
// A search reads them from there, in its own snapshot, and so sees every point that was acknowledged before it without
// waiting for the sorter.
// Private to the room.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "tracking/point.h"

namespace slipway::tracking {

/// Past these a search has the log sorted instead: about 40 ms of reading.
inline constexpr std::int64_t kFreshPointsMax = 2'000'000;
inline constexpr size_t kFreshRunsMax = 50'000;

struct FreshValue {
  std::int64_t run = 0;
  double value = 0;
};

/// By metric; each list sorted by run. They count instead of what metric_latest says of their runs. Runs of other
/// experiments of the project may be among them.
using FreshValues = std::map<MetricNumber, std::vector<FreshValue>>;

/// What the log and the staged summaries of these experiments' runs (all runs when none is named) says of these
/// metrics. nullopt when more waits there than the limits above.
Result<std::optional<FreshValues>> read_fresh_values(catalog::Connection& connection,
                                                     std::span<const std::int64_t> experiments,
                                                     std::span<const MetricNumber> metrics);

/// Which metrics they speak of. nullopt as above.
Result<std::optional<std::vector<std::int64_t>>> read_fresh_metrics(catalog::Connection& connection,
                                                                    std::span<const std::int64_t> experiments);

}  // namespace slipway::tracking
