// A client that is never the limit: writes prepared requests over keep-alive connections, one thread each, every
// request different from the one before, and measures each answer.
//
//   bench_load ADDRESS:PORT SECONDS log-metric RUN...          one point a request; one connection per run id
//   bench_load ADDRESS:PORT SECONDS log-metric-paced RUN...    the same once a second, spread over the second; late
//                                                              requests count from when they should have been sent
//   bench_load ADDRESS:PORT SECONDS log-batch POINTS RUN...    a batch of POINTS points of ten metrics
//   bench_load ADDRESS:PORT SECONDS get CONNECTIONS PATH
//   bench_load ADDRESS:PORT SECONDS post CONNECTIONS PATH FILE     the same JSON body each time
//
// Prints one JSON record: requests, points, seconds, errors, latencies in microseconds.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "client.h"

namespace {

using slipway::bench::Connection;
using slipway::bench::Target;
using slipway::bench::fail;
using slipway::bench::parse_target;

using Clock = std::chrono::steady_clock;

constexpr int kKeysPerRun = 10;
constexpr std::uint64_t kFirstStep = 1'000'000;  // seven digits from the first request to the last

/// A prepared request and the places in it that change: numbers of fixed width.
class Request {
 public:
  /// A batch of points (or, for log-metric, a single one) of one run.
  static Request log(const Target& target, const std::string& run, int points, bool batch) {
    Request request;
    std::string body = "{\"run_id\":\"" + run + "\",";
    if (batch) body += "\"metrics\":[";
    for (int n = 0; n < points; ++n) {
      if (n > 0) body += ',';
      if (batch) body += '{';
      body += "\"key\":\"metric_" + std::to_string(n % kKeysPerRun) + "\",\"value\":0.";
      request.values_.push_back(body.size());
      body += "000000,\"timestamp\":";
      request.times_.push_back(body.size());
      body += "1700000000000,\"step\":";
      request.steps_.push_back(body.size());
      body += "1000000";
      if (batch) body += '}';
    }
    body += batch ? "]}" : "}";
    const char* path = batch ? "log-batch" : "log-metric";
    request.set("POST /api/2.0/mlflow/runs/" + std::string(path), target, body);
    return request;
  }

  static Request fixed(const std::string& line, const Target& target, const std::string& body) {
    Request request;
    request.set(line, target, body);
    return request;
  }

  /// Makes it the n-th request: each metric goes on by its own steps.
  void renew(std::uint64_t n, std::minstd_rand& random) {
    const std::uint64_t steps_each = (steps_.size() + kKeysPerRun - 1) / kKeysPerRun;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const std::uint64_t step = kFirstStep + n * steps_each + i / kKeysPerRun;
      put(values_[i], 1 + random() % 999'999, 6);
      put(times_[i], 1'700'000'000'000 + step, 13);
      put(steps_[i], step, 7);
    }
  }

  std::string_view text() const { return text_; }

 private:
  void set(const std::string& line, const Target& target, const std::string& body) {
    text_ = line + " HTTP/1.1\r\nHost: " + target.host + "\r\n";
    if (!body.empty()) text_ += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    text_ += "\r\n";
    for (auto* places : {&values_, &times_, &steps_}) {
      for (size_t& place : *places) place += text_.size();
    }
    text_ += body;
  }

  void put(size_t place, std::uint64_t number, int width) {
    for (int digit = width - 1; digit >= 0; --digit, number /= 10) {
      text_[place + static_cast<size_t>(digit)] = static_cast<char>('0' + number % 10);
    }
  }

  std::string text_;
  std::vector<size_t> values_, times_, steps_;
};

struct Outcome {
  std::uint64_t requests = 0, errors = 0;
  int error_status = 0;
  std::vector<std::uint32_t> latencies_us;
};

/// When requests are sent: one after the other, or at their times.
struct Pace {
  std::chrono::nanoseconds phase{0}, interval{0};  // no interval: as fast as answers come
};

Outcome play(const Target& target, Request request, double seconds, unsigned seed, Pace pace) {
  Connection connection(target);
  Outcome outcome;
  std::minstd_rand random(seed);
  const auto start = Clock::now() + pace.phase;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (std::uint64_t n = 0; Clock::now() < end; ++n) {
    request.renew(n, random);
    auto sent = Clock::now();
    if (pace.interval.count() > 0) {
      sent = start + pace.interval * n;
      if (sent > end) break;
      std::this_thread::sleep_until(sent);
    }
    const int status = connection.ask(request.text());
    outcome.latencies_us.push_back(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent).count()));
    if (status >= 200 && status < 300) {
      ++outcome.requests;
    } else {
      ++outcome.errors;
      outcome.error_status = status;
    }
  }
  return outcome;
}

void print(std::vector<Outcome>& outcomes, double seconds, int points) {
  Outcome total;
  for (Outcome& outcome : outcomes) {
    total.requests += outcome.requests;
    total.errors += outcome.errors;
    if (outcome.error_status != 0) total.error_status = outcome.error_status;
    total.latencies_us.insert(total.latencies_us.end(), outcome.latencies_us.begin(), outcome.latencies_us.end());
  }
  std::sort(total.latencies_us.begin(), total.latencies_us.end());
  auto percentile = [&](double p) {
    if (total.latencies_us.empty()) return 0u;
    return total.latencies_us[static_cast<size_t>(p * static_cast<double>(total.latencies_us.size() - 1))];
  };
  std::printf("{\"requests\": %" PRIu64 ", \"points\": %" PRIu64 ", \"seconds\": %.3f, \"errors\": %" PRIu64 ", \"error_status\": %d, "
              "\"p50_us\": %u, \"p90_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
              total.requests, total.requests * static_cast<std::uint64_t>(points), seconds, total.errors, total.error_status,
              percentile(0.5), percentile(0.9), percentile(0.99), percentile(1));
}

std::vector<Request> requests_of(const Target& target, const std::vector<std::string>& words, int& points) {
  std::vector<Request> requests;
  const std::string& kind = words[0];
  if (kind == "log-metric" || kind == "log-metric-paced" || kind == "log-batch") {
    const bool batch = kind == "log-batch";
    points = batch ? std::atoi(words.at(1).c_str()) : 1;
    for (size_t i = batch ? 2 : 1; i < words.size(); ++i) requests.push_back(Request::log(target, words[i], points, batch));
  } else if (kind == "get" || kind == "post") {
    std::string body;
    if (kind == "post") {
      std::ifstream file(words.at(3), std::ios::binary);
      body.assign(std::istreambuf_iterator<char>(file), {});
    }
    const std::string line = (kind == "get" ? "GET " : "POST ") + words.at(2);
    for (int i = std::atoi(words.at(1).c_str()); i > 0; --i) requests.push_back(Request::fixed(line, target, body));
  } else {
    fail("'" + kind + "' is none of log-metric, log-metric-paced, log-batch, get, post");
  }
  return requests;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) fail("usage: bench_load ADDRESS:PORT SECONDS log-metric|log-metric-paced|log-batch|get|post ...");
  const Target target = parse_target(argv[1]);
  const double seconds = std::atof(argv[2]);
  int points = 0;
  std::vector<Request> requests = requests_of(target, std::vector<std::string>(argv + 3, argv + argc), points);
  std::vector<Outcome> outcomes(requests.size());
  std::vector<std::thread> threads;
  const auto started = Clock::now();
  const bool is_paced = std::string_view(argv[3]) == "log-metric-paced";
  for (size_t i = 0; i < requests.size(); ++i) {
    Pace pace;
    if (is_paced) pace = {std::chrono::nanoseconds(1'000'000'000 * i / requests.size()), std::chrono::seconds(1)};
    threads.emplace_back(
        [&, i, pace] { outcomes[i] = play(target, std::move(requests[i]), seconds, static_cast<unsigned>(i + 1), pace); });
  }
  for (std::thread& thread : threads) thread.join();
  print(outcomes, std::chrono::duration<double>(Clock::now() - started).count(), points);
}
