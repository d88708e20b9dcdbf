#include "serving/replica.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include "base/text.h"

namespace slipway::serving {
namespace {

constexpr int kSocketInChild = 3;
constexpr int kMemoryInChild = 4;

/// The worker runs models of strangers: it gets none of the server's secrets, only what finds libraries.
std::map<std::string, std::string> worker_environment() {
  std::map<std::string, std::string> out;
  for (const char* key : {"PATH", "LD_LIBRARY_PATH", "SLIPWAY_ONNXRUNTIME", "TMPDIR", "LANG", "CUDA_VISIBLE_DEVICES",
                          "ASAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(key)) out[key] = value;
  }
  return out;
}

}  // namespace

std::string_view name(ReplicaState state) {
  switch (state) {
    case ReplicaState::starting: return "starting";
    case ReplicaState::ready: return "ready";
    case ReplicaState::draining: return "draining";
    case ReplicaState::dead: return "dead";
  }
  return "";
}

Result<std::shared_ptr<Replica>> Replica::start(const ReplicaSpec& spec, const Clock& clock) {
  auto ends = TRY(inference::socket_pair());
  auto memory = TRY(inference::SharedMemory::create());
  ProcessSpec process;
  process.arguments = {spec.worker.string(),           "--model",  spec.model.file.string(),       "--socket",
                       std::to_string(kSocketInChild), "--memory", std::to_string(kMemoryInChild), "--threads",
                       std::to_string(spec.threads)};
  if (!spec.model.preprocess.is_null()) {
    process.arguments.push_back("--preprocess");
    process.arguments.push_back(spec.model.preprocess.render());
  }
  process.environment = worker_environment();
  process.directory = "/";
  process.inherit = {{ends.second.get(), kSocketInChild}, {memory.fd(), kMemoryInChild}};
  process.die_with_parent = true;
  auto started = TRY(Process::start(process));
  return std::make_shared<Replica>(clock, std::move(started), std::move(ends.first), std::move(memory));
}

Replica::Replica(const Clock& clock, Process worker, UniqueFd socket, inference::SharedMemory memory)
    : id(new_id<ReplicaId>(clock)),
      process(std::move(worker)),
      channel(std::move(socket), std::move(memory), inference::Channel::End::server),
      started(clock.steady()) {}

int Replica::flying() const {
  int count = 0;
  for (const auto& flight : flights) count += flight != nullptr;
  return count;
}

std::uint64_t memory_of(pid_t pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    if (!line.starts_with("Pss:")) continue;
    const std::string_view number = trim(std::string_view(line).substr(4));
    return parse_u64(number.substr(0, number.find(' '))).value_or(0) * 1024;
  }
  return 0;
}

std::filesystem::path default_worker() {
  if (const char* set = std::getenv("SLIPWAY_WORKER"); set && *set) return set;
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "slipway-worker";
}

}  // namespace slipway::serving
