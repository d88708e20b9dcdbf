// What NVIDIA's accelerators do while a run runs: `nvidia-smi`, which comes with the driver and asks NVML, is started
// once and prints a line for each of them again and again. The runner does not load NVML itself, because the command
// line is one static program, and such a one cannot load a library that wants the machine's own libc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "runner/link.h"

namespace slipway::runner {

struct GpuLoad {
  int index = 0;
  std::optional<double> percent, memory_bytes, power_w;  // nullopt: this one does not say
};
/// "index, percent, MiB, W" as nvidia-smi prints it with nounits; nullopt for any other line.
std::optional<GpuLoad> parse_gpu_line(std::string_view line);

class GpuWatch {
 public:
  /// Where nvidia-smi is, in PATH; empty on a machine without NVIDIA's driver, and then nothing more is done.
  static std::string find_program();
  /// `devices` as CUDA_VISIBLE_DEVICES has them; nullopt for all. Nothing is watched when there are none of them, or
  /// when the program cannot be started.
  static std::optional<GpuWatch> start(const std::string& program, const std::optional<std::string>& devices,
                                       Duration interval);

  /// What was printed since the last call, the newest line of each, as metrics `system/gpu_N_…`. Never waits.
  std::vector<MetricPoint> sample(std::int64_t step, std::int64_t at_ms);

 private:
  GpuWatch(Process process, UniqueFd output) : process_(std::move(process)), output_(std::move(output)) {}

  Process process_;  // killed with its owner
  UniqueFd output_;
  std::string unread_;
};

}  // namespace slipway::runner
