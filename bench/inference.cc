// What HTTP, the router and the worker's process add to a small model: a 784-128-10 network, asked with binary tensors over
// keep-alive connections, beside the same network in ONNX Runtime in this process.
//
//   bench_inference [SECONDS] [BATCH_MAX] [CAPTURED]
//
// Serves with the server's own parts (http, api, serving) and a real slipway-worker beside this program; only the registry
// is left out, and the monitor, unless CAPTURED says which share of the requests it captures. Prints one JSON record; times in
// microseconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "api/gate.h"
#include "api/inference/inference.h"
#include "base/check.h"
#include "base/file.h"
#include "inference/inference.h"
#include "inference/onnx_writer.h"
#include "monitor/monitor.h"
#include "serving/serving.h"
#include "teams/teams.h"

namespace slipway {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kIn = 784, kHidden = 128, kOut = 10;
constexpr size_t kInputs = 512;  // different ones, so that nothing can be remembered
constexpr int kSaturatedClients = 8;

class OneModel : public serving::ModelSource {
 public:
  explicit OneModel(std::filesystem::path file) : file_(std::move(file)) {}
  Result<std::int64_t> version(const ProjectId&, const Reference&) override { return std::int64_t{1}; }
  Result<serving::ServedModel> fetch(const ProjectId&, const std::string&, std::int64_t) override { return serving::ServedModel{file_, {}, {}}; }

 private:
  const std::filesystem::path file_;
};

std::vector<std::string> make_inputs() {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<std::string> inputs(kInputs);
  for (std::string& input : inputs) {
    for (std::int64_t i = 0; i < kIn; ++i) {
      const float value = uniform(random);
      input.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
  return inputs;
}

struct Figures {
  double p50_us = 0, p99_us = 0, per_s = 0;
  std::uint64_t count = 0, errors = 0;
};

/// Calls `once(i)` from `threads` threads for `seconds`, after a tenth of that as warm-up.
template <typename MakeCaller>
Figures measure(int threads, double seconds, MakeCaller make_caller) {
  std::vector<std::vector<double>> latencies(static_cast<size_t>(threads));
  std::atomic<std::uint64_t> errors{0};
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      auto once = make_caller(t);
      const auto start = SteadyClock::now();
      const auto warm = start + std::chrono::duration<double>(seconds / 10), end = start + std::chrono::duration<double>(seconds * 1.1);
      for (size_t i = static_cast<size_t>(t) * 37;; ++i) {
        const auto before = SteadyClock::now();
        if (before > end) return;
        if (!once(i % kInputs)) ++errors;
        if (before > warm) latencies[static_cast<size_t>(t)].push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - before).count());
      }
    });
  }
  for (auto& thread : running) thread.join();
  std::vector<double> all;
  for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
  std::ranges::sort(all);
  Figures figures;
  figures.count = all.size();
  figures.errors = errors;
  figures.per_s = static_cast<double>(all.size()) / seconds;
  if (!all.empty()) {
    figures.p50_us = all[all.size() / 2];
    figures.p99_us = all[all.size() * 99 / 100];
  }
  return figures;
}

/// One keep-alive connection that sends prepared requests and reads whole answers.
class HttpClient {
 public:
  explicit HttpClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CHECK(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "the bench's own server listens");
  }

  bool ask(const std::string& request) {
    size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t n = ::send(socket_.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<size_t>(n);
    }
    size_t have = 0, whole = 0;
    while (whole == 0 || have < whole) {
      const ssize_t n = ::recv(socket_.get(), buffer_ + have, sizeof buffer_ - have, 0);
      if (n <= 0) return false;
      have += static_cast<size_t>(n);
      if (whole > 0) continue;
      const std::string_view text(buffer_, have);
      const size_t end = text.find("\r\n\r\n");
      if (end == std::string_view::npos) continue;
      const size_t length = text.find("ontent-Length: ");
      size_t at = length;
      // The server's own header, not the protocol's Inference-Header-Content-Length.
      while (at != std::string_view::npos && at >= 18 && text.substr(at - 18, 18) == "Inference-Header-C") at = text.find("ontent-Length: ", at + 1);
      if (at == std::string_view::npos) return false;
      whole = end + 4 + std::strtoull(buffer_ + at + 15, nullptr, 10);
    }
    const bool ok = std::string_view(buffer_, have).starts_with("HTTP/1.1 200");
    if (!ok && !told_.test_and_set()) std::fprintf(stderr, "bench_inference: the server answered %.*s\n", static_cast<int>(have), buffer_);
    return ok;
  }

 private:
  static inline std::atomic_flag told_;  // one wrong answer is enough to see what is wrong
  UniqueFd socket_;
  char buffer_[16384];
};

std::string http_request(const std::string& input, int port) {
  inference::InferRequest request;
  request.binary_outputs = true;
  request.inputs.push_back(inference::Tensor::owning("x", inference::DataType::fp32, {1, kIn}, input));
  const auto body = inference::encode_request(request, true).value();
  return "POST /v2/models/perceptron/infer HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\nContent-Type: application/octet-stream\r\nInference-Header-Content-Length: " +
         std::to_string(*body.json_bytes) + "\r\nContent-Length: " + std::to_string(body.bytes.size()) + "\r\n\r\n" + body.bytes;
}

void print(const char* name, const Figures& figures, bool last = false) {
  std::printf("\"%s\":{\"p50_us\":%.1f,\"p99_us\":%.1f,\"per_s\":%.0f,\"count\":%llu,\"errors\":%llu}%s", name, figures.p50_us, figures.p99_us, figures.per_s,
              static_cast<unsigned long long>(figures.count), static_cast<unsigned long long>(figures.errors), last ? "}\n" : ",");
}

Figures in_process(const std::filesystem::path& file, const std::vector<std::string>& inputs, int threads, double seconds) {
  return measure(threads, seconds, [&](int) {
    std::shared_ptr<inference::Model> model = inference::Model::load(file).value();
    return [&, model](size_t i) {
      const inference::Tensor input{"x", inference::DataType::fp32, {1, kIn}, inputs[i], {}};
      return model->run({&input, 1}).ok();
    };
  });
}

/// Through router and worker, without HTTP.
Figures through_serving(serving::Serving& serving, const std::vector<std::string>& inputs, double seconds) {
  return measure(1, seconds, [&](int) {
    return [&](size_t i) {
      inference::InferRequest request;
      request.inputs.push_back({"x", inference::DataType::fp32, {1, kIn}, inputs[i], {}});
      std::atomic<int> state{0};
      serving.infer(serving.target(kDefaultProject, "perceptron").value(), std::move(request), {}, [&](const inference::InferRequest&, Result<inference::InferResponse> response) {
        state = response.ok() ? 1 : 2;
        state.notify_one();
      });
      state.wait(0);
      return state == 1;
    };
  });
}

Figures through_http(int port, const std::vector<std::string>& inputs, int clients, double seconds) {
  std::vector<std::string> requests;
  for (const std::string& input : inputs) requests.push_back(http_request(input, port));
  return measure(clients, seconds, [&](int) {
    auto client = std::make_shared<HttpClient>(port);
    return [&requests, client](size_t i) { return client->ask(requests[i]); };
  });
}

void wait_ready(serving::Serving& serving) {
  for (int i = 0; i < 1000 && serving.get(kDefaultProject, "perceptron")->state != serving::DeploymentState::ready; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(serving.target(kDefaultProject, "perceptron").ok(), "the bench's deployment becomes ready; is slipway-worker beside this program?");
}

struct NobodyListens : EventSink {
  void emit(const Event&) override {}
};

/// `captured` as on the command line; null when it is not there.
std::unique_ptr<monitor::Monitor> make_monitor(double captured, catalog::Database& database, store::Store& store, EventSink& events, Counters& counters, const std::filesystem::path& folder) {
  if (captured < 0) return nullptr;
  auto monitor = std::move(monitor::Monitor::open(database, store, system_clock(), events, counters, {.folder = folder / "requests"}).value());
  monitor->set_capture(kDefaultProject, "perceptron", {.sample = captured, .low_confidence = false});
  return monitor;
}

int main_of(double seconds, int batch_max, double captured) {
  TemporaryDirectory folder;
  const auto file = folder.path() / "model.onnx";
  CHECK(write_file_atomic(file, inference::onnx::perceptron(kIn, kHidden, kOut)).ok(), "the temporary folder can be written");
  const auto inputs = make_inputs();
  std::printf("{");
  print("in_process", in_process(file, inputs, 1, seconds));

  Counters counters;
  auto database = catalog::Database::open({.url = "sqlite:" + (folder.path() / "bench.db").string()}, catalog::schema(), counters).value();
  OneModel models(file);
  NobodyListens events;
  auto store = store::Store::open({.folder = folder.path() / "store"}, system_clock(), counters).value();
  const auto monitor = make_monitor(captured, *database, *store, events, counters, folder.path());
  auto serving = serving::Serving::open(*database, models, system_clock(), counters, nullptr, monitor.get()).value();
  serving::DeploymentSpec spec;
  spec.name = "perceptron";
  spec.model = parse_reference("model:perceptron/1").value();
  spec.batch_max = batch_max;
  CHECK(serving->create(kDefaultProject, spec, "bench").ok(), "a fresh database takes a deployment");
  wait_ready(*serving);
  print("through_serving", through_serving(*serving, inputs, seconds));

  ThreadPool pool("blocking", 2, 64, counters);
  http::Router router;
  auto teams = teams::Teams::open(*database, system_clock(), "bench").value();
  router.add_gate(api::make_gate(*teams, {.owner_uid = ::getuid()}));
  api::add_inference(router, *serving, pool);
  auto server = http::Server::start({}, router, pool, counters).value();
  print("through_http", through_http(server->port(), inputs, 1, seconds));
  print("saturated_http", through_http(server->port(), inputs, kSaturatedClients, seconds));
  print("saturated_in_process", in_process(file, inputs, static_cast<int>(std::thread::hardware_concurrency()), seconds), true);
  server->stop(std::chrono::seconds(1));
  return 0;
}

}  // namespace
}  // namespace slipway

int main(int argc, char** argv) { return slipway::main_of(argc > 1 ? std::atof(argv[1]) : 3, argc > 2 ? std::atoi(argv[2]) : 1, argc > 3 ? std::atof(argv[3]) : -1); }
