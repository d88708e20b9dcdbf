// What the monitor noticed, for rooms that act on it without knowing the monitor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

struct FindingNotice {
  FindingId id;
  std::string deployment, kind, message;
  Time created_at;
};

/// The newest findings of a kind about a deployment (empty: about any), open or closed, newest first, at most
/// kFindingNoticesMax. Implemented by monitor, wired in apps/server. Thread-safe; blocks for a database read.
using FindingLookup = std::function<Result<std::vector<FindingNotice>>(
    const ProjectId& project, const std::string& kind, const std::string& deployment)>;

inline constexpr size_t kFindingNoticesMax = 100;

}  // namespace slipway
