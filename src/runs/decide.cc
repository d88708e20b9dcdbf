#include "runs/decide.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::runs {
namespace {

constexpr double kCpuSlack = 1e-9;
constexpr Duration kRetryWaitFirst = std::chrono::seconds(1);
constexpr Duration kRetryWaitMax = std::chrono::minutes(5);

bool fits(const Capacity& wanted, const Capacity& free) {
  return wanted.cpus <= free.cpus + kCpuSlack && wanted.memory_bytes <= free.memory_bytes && wanted.gpus <= free.gpus;
}

void take(Capacity& free, const Capacity& share) {
  free.cpus -= share.cpus;
  free.memory_bytes -= std::min(free.memory_bytes, share.memory_bytes);
  free.gpus -= share.gpus;
}

}  // namespace

Capacity share_of(const Resources& resources, const Capacity& node) {
  return {std::min(resources.cpus, node.cpus), resources.memory_bytes, resources.gpus};
}

std::string never_fits(const Resources& resources, const Capacity& node) {
  if (resources.memory_bytes > node.memory_bytes) {
    return fmt::format("it asks for {} of memory and the local node has {}", render_bytes(resources.memory_bytes),
                       render_bytes(node.memory_bytes));
  }
  if (resources.gpus > node.gpus)
    return fmt::format("it asks for {} accelerators and the local node has {}", resources.gpus, node.gpus);
  if (resources.nodes > 1) return fmt::format("it asks for {} nodes and there is only the local one", resources.nodes);
  if (resources.pool != "any" && resources.pool != "local") {
    return fmt::format("it asks for the pool '{}' and there is only the pool 'local'", resources.pool);
  }
  return "";
}

std::vector<RunId> place(const Capacity& node, const std::vector<Resources>& running,
                         const std::vector<QueuedRun>& queued, Time now) {
  Capacity free = node;
  for (const Resources& resources : running) take(free, share_of(resources, node));
  std::vector<RunId> starting;
  for (const QueuedRun& run : queued) {
    if (run.not_before > now) continue;
    const Capacity share = share_of(run.resources, node);
    if (fits(share, free)) {
      take(free, share);
      starting.push_back(run.run);
    } else if (now - run.queued_at >= kPassOverMax) {
      break;  // it has been passed over long enough
    }
  }
  return starting;
}

std::optional<std::string> why_lost(const AttemptSigns& signs, Time now) {
  const Time last = std::max(signs.heartbeat_at.value_or(signs.started_at), signs.watched_since);
  const Duration silent = now - last;
  if (signs.process_known && !signs.process_alive) {
    if (silent < kGoneGrace) return std::nullopt;  // its end may still be on the way
    return "its process is gone and reported no end";
  }
  if (!signs.process_known && silent >= kFirstSignMax) return "its process never reported";
  if (silent >= kSilentMax) return fmt::format("nothing was heard of it for {} minutes", silent.count() / 60'000'000);
  return std::nullopt;
}

Next after_end(const AttemptResult& result, const Retry& retry, std::int64_t attempts_made, bool stop_asked) {
  if (result.ok()) return Finish{RunState::finished};
  if (stop_asked || result.end == AttemptEnd::stopped) return Finish{RunState::killed};
  const std::string_view reason = result.end == AttemptEnd::lost ? "node_lost" : "failed";
  const std::vector<std::string> on = retry.on.empty() ? std::vector<std::string>{"preempted", "node_lost"} : retry.on;
  if (attempts_made < retry.attempts && std::find(on.begin(), on.end(), reason) != on.end()) {
    Duration wait = kRetryWaitFirst;
    for (std::int64_t i = 1; i < attempts_made && wait < kRetryWaitMax; ++i) wait *= 2;
    return TryAgain{std::min(wait, kRetryWaitMax)};
  }
  const bool by_limit = result.end == AttemptEnd::time_limit || result.end == AttemptEnd::silence_limit;
  return Finish{by_limit ? RunState::killed : RunState::failed};
}

}  // namespace slipway::runs
