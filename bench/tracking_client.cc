// How fast a training loop may log with slipway/tracking.h, whether a call ever makes it wait, and what a kill loses.
//
//     bench_tracking_client rate [SECONDS] [URL]    offline without a URL
//     bench_tracking_client killed FOLDER CALLS     that many calls, one each millisecond; then it kills itself
//
// The first logs 2,000,000 calls a second (none may be dropped), then as many as one thread can make; it prints a JSON
// record of what became of them for each.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "slipway/tracking.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kWantedCallsPerSecond = 2e6;
constexpr int kCallsPerLook = 1000;

/// How many calls were dropped. As fast as possible when `calls_per_second` is 0.
std::uint64_t measure(const slipway::tracking::RunOptions& options, double calls_per_second, double seconds) {
  slipway::tracking::Run run(options);
  const slipway::tracking::Metric loss = run.metric("loss");
  const Clock::time_point started = Clock::now();
  double took = 0, busy = 0, slowest = 0;
  std::int64_t calls = 0;
  while (took < seconds) {
    const Clock::time_point before = Clock::now();
    for (int i = 0; i < kCallsPerLook; ++i, ++calls) run.log(loss, 0.5 * static_cast<double>(calls), calls);
    const double batch = std::chrono::duration<double>(Clock::now() - before).count();
    busy += batch;
    slowest = std::max(slowest, batch);
    do took = std::chrono::duration<double>(Clock::now() - started).count();
    while (calls_per_second > 0 && took * calls_per_second < static_cast<double>(calls));
  }
  run.flush(std::chrono::seconds(60));
  const slipway::tracking::Statistics figures = run.statistics();
  std::printf(
      "{\"calls_per_second\": %.0f, \"call_ns\": %.1f, \"slowest_thousand_ms\": %.2f, \"logged\": %llu, \"dropped\": %llu, \"sent\": %llu}\n",
      static_cast<double>(calls) / took, busy / static_cast<double>(calls) * 1e9, slowest * 1e3,
      static_cast<unsigned long long>(figures.logged), static_cast<unsigned long long>(figures.dropped),
      static_cast<unsigned long long>(figures.sent));
  std::fflush(stdout);
  run.finish();
  return figures.dropped;
}

int measure_rates(int argc, char** argv) {
  const double seconds = argc > 2 ? std::atof(argv[2]) : 3;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("slipway-bench-client-" + std::to_string(::getpid()));
  slipway::tracking::RunOptions options;
  options.folder = folder.string();
  options.offline = argc < 4;
  if (argc > 3) options.url = argv[3];
  const std::uint64_t dropped = measure(options, kWantedCallsPerSecond, seconds);
  measure(options, 0, seconds);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return dropped == 0 ? 0 : 1;
}

void log_and_die(const std::string& folder, int calls) {
  slipway::tracking::RunOptions options;
  options.folder = folder;
  options.offline = true;
  slipway::tracking::Run run(options);
  const auto started = Clock::now();
  for (int i = 0; i < calls; ++i) {
    std::this_thread::sleep_until(started + std::chrono::milliseconds(i));
    run.log("loss", 0.5, i);
  }
  ::kill(::getpid(), SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "rate") return measure_rates(argc, argv);
  if (mode == "killed" && argc == 4) log_and_die(argv[2], std::atoi(argv[3]));
  std::fprintf(stderr, "usage: bench_tracking_client rate [SECONDS] [URL] | killed FOLDER CALLS\n");
  return 2;
}
