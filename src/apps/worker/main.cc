// slipway-worker: holds one replica of one model. Started by the server with a socket and shared memory; ends when the
// server closes the socket, and dies with it.
//
//   slipway-worker --model FILE --socket FD --memory FD [--threads N] [--preprocess JSON]
//   slipway-worker evaluate --model FILE --samples FILE --data FOLDER --out FILE …      (evaluate.h; started by a run)
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "evaluate.h"
#include "inference/worker.h"

namespace slipway::worker {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailed = 3;
constexpr std::int64_t kThreadsMax = 256;

using Flags = std::map<std::string, std::string>;

Result<Flags> read_flags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (name != "--model" && name != "--socket" && name != "--memory" && name != "--threads" && name != "--preprocess")
      return Error{ErrorCode::invalid_argument, "unknown argument '" + name + "'"};
    if (i + 1 == argc) return Error{ErrorCode::invalid_argument, name + " needs a value"};
    flags[name] = argv[i + 1];
  }
  return flags;
}

Result<int> number(const Flags& flags, const std::string& name, std::int64_t otherwise, std::int64_t most) {
  const auto at = flags.find(name);
  if (at == flags.end() && otherwise >= 0) return static_cast<int>(otherwise);
  const auto value = at == flags.end() ? std::nullopt : parse_i64(at->second);
  if (!value || *value < 0 || *value > most)
    return Error{ErrorCode::invalid_argument, name + " needs a number from 0 to " + std::to_string(most)};
  return static_cast<int>(*value);
}

/// A model of strangers gets no way to more rights, and its crash leaves no core file full of other people's inputs.
void shed_rights() {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // Ctrl-C in the server's terminal is the server's to handle; it drains first.
  ::signal(SIGINT, SIG_IGN);
}

Result<void> run(const Flags& flags) {
  inference::WorkerOptions options;
  options.threads = std::max(1, TRY(number(flags, "--threads", 1, kThreadsMax)));
  if (const auto at = flags.find("--preprocess"); at != flags.end()) options.preprocess = TRY(Json::parse(at->second));
  if (const auto at = flags.find("--model"); at != flags.end()) options.model = at->second;
  UniqueFd socket(TRY(number(flags, "--socket", -1, 1 << 20)));
  auto memory = TRY(inference::SharedMemory::open(UniqueFd(TRY(number(flags, "--memory", -1, 1 << 20)))));
  inference::Channel channel(std::move(socket), std::move(memory), inference::Channel::End::worker);
  shed_rights();
  return inference::serve(options, channel);
}

int main_of(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "evaluate") return evaluate_main(argc - 2, argv + 2);
  const auto flags = read_flags(argc, argv);
  if (!flags.ok()) {
    std::fprintf(stderr,
                 "slipway-worker: %s; it is started by slipway-server, which holds the other end of its socket\n",
                 flags.error().message.c_str());
    return kExitUsage;
  }
  const auto ended = run(*flags);
  if (ended.ok()) return 0;
  std::fprintf(stderr, "slipway-worker: %s\n", ended.error().message.c_str());
  return ended.error().code == ErrorCode::invalid_argument ? kExitUsage : kExitFailed;
}

}  // namespace
}  // namespace slipway::worker

int main(int argc, char** argv) { return slipway::worker::main_of(argc, argv); }
