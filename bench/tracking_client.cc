// How fast a training loop may log with slipway/tracking.h, and whether a call ever makes it wait.
//
//     bench_tracking_client [SECONDS] [URL]      offline without a URL
//
// First 2,000,000 calls a second (none may be dropped), then as many as one thread can make, with what becomes of them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "slipway/tracking.h"

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "slipway-bench-tracking";
  slipway::tracking::RunOptions options;
  options.folder = folder.string();
  options.offline = argc < 3;
  if (argc > 2) options.url = argv[2];
  std::uint64_t dropped = 0;
  for (const double calls_per_second : {2e6, 0.0}) {
    slipway::tracking::Run run(options);
    const slipway::tracking::Metric loss = run.metric("loss");
    constexpr int kCallsPerLook = 1000;
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
    std::printf("%.2f million calls/s, %.0f ns each, slowest %d calls %.2f ms; taken %llu, dropped %llu, sent %llu\n",
                static_cast<double>(calls) / took / 1e6, busy / static_cast<double>(calls) * 1e9, kCallsPerLook,
                slowest * 1e3, static_cast<unsigned long long>(figures.logged),
                static_cast<unsigned long long>(figures.dropped), static_cast<unsigned long long>(figures.sent));
    if (calls_per_second > 0) dropped = figures.dropped;
    run.finish();
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return dropped == 0 ? 0 : 1;
}
