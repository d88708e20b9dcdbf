// slipway-server: opens the data folder, answers until it is told to end, drains, closes.
#include <pthread.h>
#include <signal.h>

#include <cstdio>

#include "base/log.h"
#include "parts.h"
#include "version.h"

namespace slipway::server {
namespace {

constexpr size_t kLogFileBytesMax = 64 << 20;
constexpr size_t kLogFilesMax = 5;

/// SIGTERM and SIGINT are waited for by the main thread alone; every thread started later inherits the mask.
sigset_t block_signals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return ends;
}

std::string rendered(const std::string& address, int port) {
  return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + std::to_string(port);
}

void announce(const Parts& parts) {
  const bool tls = !parts.settings.tls_certificate.empty();
  std::string text = "Slipway " + std::string(kVersion) + " answers on " + (tls ? "https" : "http") + "://" +
                     rendered(parts.settings.address, parts.http->port()) + "\n";
  if (parts.grpc)
    text += std::string("Inference over gRPC is answered on ") + (tls ? "grpcs" : "grpc") + "://" +
            rendered(parts.settings.grpc->address, parts.grpc->port()) + "\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

/// Both ports close at once; what is in flight on either has the same time to end.
void drain(Parts& parts) {
  const Duration grace = std::chrono::seconds(parts.settings.drain_s);
  Thread grpc;
  if (parts.grpc) grpc = Thread("grpc-drain", [&parts, grace] { parts.grpc->stop(grace); });
  parts.http->stop(grace);
}

int exit_code(const Result<void>& ended) {
  if (ended.ok()) return 0;
  std::fprintf(stderr, "slipway-server: %s\n", ended.error().message.c_str());
  return 1;
}

int main_of(int argc, char** argv) {
  const auto read = read_settings(argc, argv);
  if (const auto* end = std::get_if<EndNow>(&read)) {
    std::fputs(end->text.c_str(), end->exit_code == 0 ? stdout : stderr);
    return end->exit_code;
  }
  const Settings& settings = std::get<Settings>(read);
  if (!settings.log_file.empty()) set_log_file(settings.log_file, kLogFileBytesMax, kLogFilesMax);
  if (!settings.restore_database.empty()) return exit_code(restore_database(settings));
  const sigset_t ends = block_signals();

  auto parts = assemble(settings);
  if (!parts.ok()) return exit_code(parts.error());
  announce(*parts);

  int received = 0;
  sigwait(&ends, &received);
  log_info("server", "told to end; draining", {{"signal", std::to_string(received)}});
  parts->runs_loop->stop();
  parts->events->close();
  parts->log_followers->close();
  drain(*parts);
  return 0;
}

}  // namespace
}  // namespace slipway::server

int main(int argc, char** argv) { return slipway::server::main_of(argc, argv); }
