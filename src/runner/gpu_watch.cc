#include "runner/gpu_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>

#include "base/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDriver = "/proc/driver/nvidia/version";
constexpr size_t kUnreadBytesMax = 64 << 10;
constexpr size_t kDevicesBytesMax = 4'000;

std::optional<double> figure(std::string_view text) {
  const auto value = parse_double(trim(text));  // "[N/A]", "[Not Supported]"
  return value && std::isfinite(*value) ? value : std::nullopt;
}

bool is_device_list(const std::string& devices) {
  return devices.size() <= kDevicesBytesMax && std::all_of(devices.begin(), devices.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == ',' || c == '-' || c == '/';
         });
}

}  // namespace

std::optional<GpuLoad> parse_gpu_line(std::string_view line) {
  const auto cells = split(line, ',');
  if (cells.size() != 4) return std::nullopt;
  const auto index = parse_u64(trim(cells[0]));
  if (!index || *index > 1'000) return std::nullopt;
  GpuLoad load;
  load.index = static_cast<int>(*index);
  load.percent = figure(cells[1]);
  if (const auto mib = figure(cells[2])) load.memory_bytes = *mib * 1024 * 1024;
  load.power_w = figure(cells[3]);
  return load;
}

std::string GpuWatch::find_program() {
  std::error_code ignored;
  if (!fs::exists(kDriver, ignored)) return "";
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path ? path : "/usr/bin", ':')) {
    const fs::path program = fs::path(folder) / "nvidia-smi";
    if (::access(program.c_str(), X_OK) == 0) return program.string();
  }
  return "";
}

std::optional<GpuWatch> GpuWatch::start(const std::string& program, const std::optional<std::string>& devices,
                                        Duration interval) {
  const bool has_none = devices && (devices->empty() || *devices == "-1" || *devices == "NoDevFiles");
  if (program.empty() || has_none || (devices && !is_device_list(*devices))) return std::nullopt;
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return std::nullopt;
  UniqueFd output(pipe[0]);
  const UniqueFd write_end(pipe[1]), nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  ProcessSpec spec;
  spec.arguments = {program, "--query-gpu=index,utilization.gpu,memory.used,power.draw",
                    "--format=csv,noheader,nounits",
                    fmt::format("--loop-ms={}", std::max<std::int64_t>(100, interval.count() / 1000))};
  if (devices) spec.arguments.push_back("--id=" + *devices);
  spec.stdout_fd = write_end.get();
  spec.stderr_fd = nowhere.get();
  spec.die_with_parent = true;
  auto process = Process::start(spec);
  if (!process.ok()) return std::nullopt;
  return GpuWatch(std::move(*process), std::move(output));
}

std::vector<MetricPoint> GpuWatch::sample(std::int64_t step, std::int64_t at_ms) {
  char bytes[4096];
  while (unread_.size() < kUnreadBytesMax) {
    const ssize_t n = ::read(output_.get(), bytes, sizeof bytes);
    if (n <= 0) break;
    unread_.append(bytes, static_cast<size_t>(n));
  }
  std::map<int, GpuLoad> newest;
  const size_t end = unread_.rfind('\n');
  if (end == std::string::npos) {
    if (unread_.size() >= kUnreadBytesMax) unread_.clear();
    return {};
  }
  for (const std::string& line : split(std::string_view(unread_).substr(0, end), '\n')) {
    if (const auto load = parse_gpu_line(line)) newest[load->index] = *load;
  }
  unread_.erase(0, end + 1);
  std::vector<MetricPoint> points;
  for (const auto& [index, load] : newest) {
    const auto add = [&, i = index](const char* what, const std::optional<double>& value) {
      if (value) points.push_back({fmt::format("system/gpu_{}_{}", i, what), *value, step, at_ms});
    };
    add("percent", load.percent);
    add("memory_bytes", load.memory_bytes);
    add("power_w", load.power_w);
  }
  return points;
}

}  // namespace slipway::runner
