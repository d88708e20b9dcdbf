#include "runner/machine_load.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace slipway::runner {
namespace {

constexpr size_t kProcFileBytesMax = 1 << 20;
constexpr double kSecondsMin = 0.01;  // below that a rate says nothing

/// The words of a line, whatever the space between them.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (std::string& word : split(line, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

std::uint64_t number_at(const std::vector<std::string>& words, size_t at) {
  return at < words.size() ? parse_u64(words[at]).value_or(0) : 0;
}

/// Counters of processes that ended are gone, so a sum may fall.
double grown(double before, double now) { return std::max(0.0, now - before); }

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view stat) {
  const auto words = words_of(stat.substr(0, stat.find('\n')));
  if (words.size() < 6 || words[0] != "cpu") return std::nullopt;
  CpuTimes times;
  // user, nice, system, idle, iowait, irq, softirq, steal; what guests take is in user already
  for (size_t i = 1; i <= 8; ++i) times.total += number_at(words, i);
  times.busy = times.total - number_at(words, 4) - number_at(words, 5);
  return times;
}

std::optional<std::uint64_t> parse_memory_used(std::string_view meminfo) {
  std::optional<std::uint64_t> total, available;
  for (const std::string& line : split(meminfo, '\n')) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    if (words[0] == "MemTotal:") total = parse_u64(words[1]);
    if (words[0] == "MemAvailable:") available = parse_u64(words[1]);
  }
  if (!total || !available || *available > *total) return std::nullopt;
  return (*total - *available) * 1024;
}

std::optional<Traffic> parse_traffic(std::string_view net_dev) {
  Traffic traffic;
  bool has_any = false;
  for (const std::string& line : split(net_dev, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;  // the two lines of the head
    const auto name = trim(std::string_view(line).substr(0, colon));
    const auto words = words_of(std::string_view(line).substr(colon + 1));
    if (name == "lo" || words.size() < 9) continue;
    traffic.received += number_at(words, 0);
    traffic.sent += number_at(words, 8);
    has_any = true;
  }
  return has_any ? std::optional(traffic) : std::nullopt;
}

std::vector<MetricPoint> MachineLoad::sample(const Usage& usage, Time now, std::int64_t step, std::int64_t at_ms) {
  std::vector<MetricPoint> points;
  const auto add = [&](const char* key, double value) { points.push_back({key, value, step, at_ms}); };
  const auto read = [&](const char* file) { return read_file(proc_ / file, kProcFileBytesMax).value_or(""); };
  Counted counted{now, usage, parse_cpu_times(read("stat")), parse_traffic(read("net/dev"))};
  const double seconds = before_ ? static_cast<double>((now - before_->at).count()) / 1e6 : 0;
  const bool has_rates = seconds > kSecondsMin;
  const double cpu_s_before = before_ ? before_->usage.cpu_s : 0;
  add("system/cpu_percent", has_rates ? 100 * grown(cpu_s_before, usage.cpu_s) / seconds : 0);
  add("system/memory_bytes", static_cast<double>(usage.memory_bytes));
  add("system/processes", usage.processes);
  if (const auto used = parse_memory_used(read("meminfo")))
    add("system/machine_memory_bytes", static_cast<double>(*used));
  if (has_rates) {
    const auto rate = [&](const char* key, std::uint64_t before, std::uint64_t after) {
      add(key, grown(static_cast<double>(before), static_cast<double>(after)) / seconds);
    };
    rate("system/disk_read_bytes_per_s", before_->usage.read_bytes, usage.read_bytes);
    rate("system/disk_written_bytes_per_s", before_->usage.written_bytes, usage.written_bytes);
    if (counted.cpu && before_->cpu && counted.cpu->total > before_->cpu->total)
      add("system/machine_cpu_percent",
          100 * grown(static_cast<double>(before_->cpu->busy), static_cast<double>(counted.cpu->busy)) /
              static_cast<double>(counted.cpu->total - before_->cpu->total));
    if (counted.traffic && before_->traffic) {
      rate("system/network_received_bytes_per_s", before_->traffic->received, counted.traffic->received);
      rate("system/network_sent_bytes_per_s", before_->traffic->sent, counted.traffic->sent);
    }
  }
  // Without rates the next sample counts from the one before, so that nothing is lost between two that were too near.
  if (!before_ || has_rates) before_ = counted;
  return points;
}

}  // namespace slipway::runner
