// What the machine does while a run runs, from /proc. Reading is pure and apart from the files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "runner/link.h"
#include "runner/processes.h"

namespace slipway::runner {

/// Ticks of all cores since the machine started, of /proc/stat.
struct CpuTimes {
  std::uint64_t busy = 0, total = 0;
};
std::optional<CpuTimes> parse_cpu_times(std::string_view stat);

/// Bytes that are not available to new programs, of /proc/meminfo.
std::optional<std::uint64_t> parse_memory_used(std::string_view meminfo);

/// Bytes since the interfaces came up, the loopback one aside, of /proc/net/dev.
struct Traffic {
  std::uint64_t received = 0, sent = 0;
};
std::optional<Traffic> parse_traffic(std::string_view net_dev);

/// Turns what is counted into metrics `system/…`. The first sample has no rates. One thread.
///
/// Of the run's processes: cpu_percent (100 is one core), memory_bytes, processes, disk_read_bytes_per_s,
/// disk_written_bytes_per_s (what reached the disk, not the page cache). Of the machine: machine_cpu_percent (100 is
/// all cores), machine_memory_bytes, network_received_bytes_per_s, network_sent_bytes_per_s (of the network the runner
/// sees).
class MachineLoad {
 public:
  explicit MachineLoad(std::filesystem::path proc = "/proc") : proc_(std::move(proc)) {}

  /// `now` is a steady time; `at_ms` and `step` are the points'.
  std::vector<MetricPoint> sample(const Usage& usage, Time now, std::int64_t step, std::int64_t at_ms);

 private:
  struct Counted {
    Time at;
    Usage usage;
    std::optional<CpuTimes> cpu;
    std::optional<Traffic> traffic;
  };

  const std::filesystem::path proc_;
  std::optional<Counted> before_;
};

}  // namespace slipway::runner
