// Fills a server with runs or with long series, by MLflow's own requests, as fast as it takes them.
//
//   bench_fill ADDRESS:PORT runs EXPERIMENT FIRST RUNS METRICS CONNECTIONS
//   bench_fill ADDRESS:PORT names EXPERIMENT FIRST RUNS METRICS CONNECTIONS
//   bench_fill ADDRESS:PORT series POINTS random|slow RUN...
//
// The first makes runs of METRICS metrics, three parameters and two tags, numbered from FIRST; the second the same, but
// no metric's name is that of another run's; the third logs POINTS points of the metric "loss" to each run.
//
// Values are the same in every fill: that of metric m of run n is value_of(n, m). Prints one JSON record: requests,
// points, seconds.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "client.h"

namespace {

using slipway::bench::Connection;
using slipway::bench::fail;
using slipway::bench::parse_target;
using slipway::bench::Target;

constexpr int kBatchPointsMax = 1000;  // MLflow's own limit
constexpr int kRunPointsMax = 900;     // it counts parameters and tags, too
constexpr std::int64_t kFirstMs = 1'700'000'000'000;

struct Totals {
  std::atomic<std::uint64_t> requests{0}, points{0};
};

/// 0 to 100, and nothing about one metric to be learnt from another (the last step of splitmix64).
double value_of(std::int64_t run, std::int64_t metric) {
  auto mixed = static_cast<std::uint64_t>(run) * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(metric);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed % 100'000'000) / 1'000'000;
}

std::string point_json(const std::string& key, double value, std::int64_t at_ms, std::int64_t step) {
  char number[32];
  std::snprintf(number, sizeof number, "%.17g", value);
  return "{\"key\":\"" + key + "\",\"value\":" + number + ",\"timestamp\":" + std::to_string(at_ms) +
         ",\"step\":" + std::to_string(step) + "}";
}

class Client {
 public:
  Client(const Target& target, Totals& totals) : target_(target), connection_(target), totals_(totals) {}

  /// The id of a new run.
  std::string create(const std::string& experiment, std::int64_t started_ms) {
    const std::string answer = post(
        "runs/create", "{\"experiment_id\":\"" + experiment + "\",\"start_time\":" + std::to_string(started_ms) + "}");
    const std::string mark = "\"run_id\":";
    size_t at = answer.find(mark);
    if (at != std::string::npos) at = answer.find('"', at + mark.size());
    if (at == std::string::npos) fail("runs/create answered no run_id: " + answer.substr(0, 200));
    return answer.substr(at + 1, answer.find('"', at + 1) - at - 1);
  }

  void log(const std::string& run, const std::vector<std::string>& points, const std::string& more = "") {
    std::string body = "{\"run_id\":\"" + run + "\"" + more + ",\"metrics\":[";
    for (size_t i = 0; i < points.size(); ++i) body.append(i ? "," : "").append(points[i]);
    post("runs/log-batch", body + "]}");
    totals_.points += points.size();
  }

 private:
  std::string post(const std::string& path, const std::string& body) {
    std::string answer;
    const int status = connection_.ask(
        "POST /api/2.0/mlflow/" + path + " HTTP/1.1\r\nHost: " + target_.host +
            "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
        &answer);
    if (status < 200 || status >= 300)
      fail(path + " answered " + std::to_string(status) + ": " + answer.substr(0, 300));
    ++totals_.requests;
    return answer;
  }

  const Target& target_;
  Connection connection_;
  Totals& totals_;
};

/// Makes the runs with these numbers, one after the other.
void fill_runs(Client& client, const std::string& experiment, std::int64_t from, std::int64_t to, std::int64_t metrics,
               bool has_own_names) {
  static constexpr const char* kOptimizers[] = {"adam", "sgd", "lamb"};
  for (std::int64_t run = from; run < to; ++run) {
    const std::string id = client.create(experiment, kFirstMs + run);
    std::string more = ",\"params\":[{\"key\":\"lr\",\"value\":\"" +
                       std::to_string(1e-4 * static_cast<double>(run % 997)) + "\"},{\"key\":\"seed\",\"value\":\"" +
                       std::to_string(run) + "\"},{\"key\":\"optimizer\",\"value\":\"" + kOptimizers[run % 3] +
                       "\"}],\"tags\":[{\"key\":\"team\",\"value\":\"vision\"},{\"key\":\"sweep\",\"value\":\"s" +
                       std::to_string(run / 100) + "\"}]";
    for (std::int64_t first = 0; first < metrics; first += kRunPointsMax) {
      std::vector<std::string> points;
      for (std::int64_t m = first; m < std::min<std::int64_t>(metrics, first + kRunPointsMax); ++m)
        points.push_back(point_json((has_own_names ? "run" + std::to_string(run) + "/m" : "m") + std::to_string(m),
                                    value_of(run, m), kFirstMs, 0));
      client.log(id, points, more);
      more.clear();
    }
  }
}

/// A random walk that moves every hundredth step, or values that nobody can foretell.
void fill_series(Client& client, const std::string& run, std::int64_t count, bool slow) {
  std::minstd_rand random(7);
  std::uniform_real_distribution<double> any(0, 1);
  double value = 0.5;
  std::vector<std::string> points;
  for (std::int64_t step = 0; step < count; ++step) {
    if (!slow) value = any(random);
    if (slow && step % 100 == 0) value = std::round((value + any(random) / 100) * 1000) / 1000;
    points.push_back(point_json("loss", value, kFirstMs + step * 1000, step));
    if (points.size() < kBatchPointsMax && step + 1 < count) continue;
    client.log(run, points);
    points.clear();
  }
}

void in_threads(size_t count, const std::function<void(size_t)>& work) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) fail("usage: bench_fill ADDRESS:PORT runs|names|series …; the head of bench/fill.cc says more");
  const Target target = parse_target(argv[1]);
  const std::vector<std::string> words(argv + 2, argv + argc);
  Totals totals;
  const auto started = std::chrono::steady_clock::now();
  if (words[0] == "runs" || words[0] == "names") {
    const std::int64_t first = std::atoll(words.at(2).c_str()), runs = std::atoll(words.at(3).c_str());
    const std::int64_t metrics = std::atoll(words.at(4).c_str());
    const std::int64_t connections = std::max(1, std::atoi(words.at(5).c_str()));
    in_threads(static_cast<size_t>(connections), [&](size_t n) {
      Client client(target, totals);
      const auto part = static_cast<std::int64_t>(n);
      fill_runs(client, words[1], first + runs * part / connections, first + runs * (part + 1) / connections, metrics,
                words[0] == "names");
    });
  } else if (words[0] == "series") {
    in_threads(words.size() - 3, [&](size_t n) {
      Client client(target, totals);
      fill_series(client, words[n + 3], std::atoll(words[1].c_str()), words[2] == "slow");
    });
  } else {
    fail("'" + words[0] + "' is none of runs, names, series");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  std::printf("{\"requests\": %" PRIu64 ", \"points\": %" PRIu64 ", \"seconds\": %.3f}\n", totals.requests.load(),
              totals.points.load(), took.count());
}
