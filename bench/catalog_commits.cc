// How many acknowledged writes a second the catalog takes, from 1, 8 and 64 writers that each wait for their answer,
// beside what the disk itself needs for one small synchronous write. Prints one line per case.
//
//   bench_catalog_commits [SECONDS_PER_CASE]                                   SQLite, in a folder under $TMPDIR
//   tests/support/postgres run build/release/bin/bench_catalog_commits         and PostgreSQL
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "catalog/catalog.h"

namespace slipway::catalog {
namespace {

Duration quantile(std::vector<Duration>& times, double q) {
  if (times.empty()) return Duration(0);
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

/// One 4 KiB page appended and forced to disk, again and again: the floor under every `record` write.
void measure_disk(const std::filesystem::path& folder) {
  const auto path = folder / "disk";
  const UniqueFd file = open_file(path, O_CREAT | O_WRONLY | O_APPEND).value();
  const std::string page(4096, 'x');
  std::vector<Duration> times;
  for (int i = 0; i < 500; ++i) {
    const Time start = system_clock().steady();
    write_all(file.get(), page, path).value();
    sync_file(file.get(), path).value();
    times.push_back(system_clock().steady() - start);
  }
  const auto p50 = quantile(times, 0.5), p99 = quantile(times, 0.99);
  fmt::print("disk       write and fdatasync of 4 KiB   {:>9} /s                              p50 {:>6} us  p99 {:>6} us\n",
             1'000'000 / std::max<std::int64_t>(p50.count(), 1), p50.count(), p99.count());
}

struct Case {
  Durability durability;
  bool sync_streams;
  const char* name;
};

void measure(const std::string& url, const Case& one, int writers, Duration length) {
  Counters counters;
  const std::vector<Migration> tables = {{1, "0001_points", "CREATE TABLE points (id {serial}, run TEXT NOT NULL, value DOUBLE PRECISION, bytes {blob});"}};
  auto database = Database::open({.url = url, .sync_streams = one.sync_streams}, tables, counters).value();
  std::vector<std::vector<Duration>> times(static_cast<size_t>(writers));
  const Time start = system_clock().steady();
  std::vector<std::thread> threads;
  for (auto& mine : times) {
    threads.emplace_back([&] {
      const std::string run(32, 'a'), bytes(100, 'b');
      for (Time now = start; now - start < length;) {
        database->write(one.durability, Write([&](Connection& c) -> Result<void> {
          TRY(c.run("INSERT INTO points(run, value, bytes) VALUES (?, ?, ?)", {run, 0.5, Blob{bytes}}));
          return {};
        })).value();
        const Time end = system_clock().steady();
        mine.push_back(end - now);
        now = end;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = static_cast<double>((system_clock().steady() - start).count()) / 1e6;
  std::vector<Duration> all;
  for (const auto& mine : times) all.insert(all.end(), mine.begin(), mine.end());
  const auto groups = counters.counter("catalog_commits_total", "").value();
  const auto p50 = quantile(all, 0.5), p99 = quantile(all, 0.99);
  fmt::print("{:10} {:16} {:>3} writers   {:>9.0f} /s  {:>6.1f} a group  {:>6.0f} syncs/s  p50 {:>6} us  p99 {:>6} us\n",
             database->is_postgres() ? "postgresql" : "sqlite", one.name, writers, static_cast<double>(all.size()) / seconds,
             static_cast<double>(all.size()) / static_cast<double>(std::max<std::uint64_t>(groups, 1)),
             static_cast<double>(counters.counter("catalog_syncs_total", "").value()) / seconds, p50.count(), p99.count());
}

}  // namespace
}  // namespace slipway::catalog

int main(int argc, char** argv) {
  using namespace slipway;
  using namespace slipway::catalog;
  const auto length = Duration(static_cast<std::int64_t>((argc > 1 ? std::atof(argv[1]) : 2.0) * 1e6));
  const TemporaryDirectory folder;
  measure_disk(folder.path());
  std::vector<std::string> urls = {"sqlite:" + (folder.path() / "bench.db").string()};
  if (const char* postgres = std::getenv("SLIPWAY_TEST_POSTGRES")) urls.emplace_back(postgres);
  for (const std::string& url : urls) {
    for (const Case& one : {Case{Durability::stream, false, "streams"}, Case{Durability::stream, true, "streams, full"}, Case{Durability::record, false, "records"}}) {
      for (int writers : {1, 8, 64}) measure(url, one, writers, length);
    }
  }
  return 0;
}
