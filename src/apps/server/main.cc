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

void announce(const Parts& parts) {
  const bool tls = !parts.settings.tls_certificate.empty();
  const bool ipv6 = parts.settings.address.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + parts.settings.address + "]" : parts.settings.address;
  std::printf("Slipway %s answers on %s://%s:%d\n", kVersion, tls ? "https" : "http", host.c_str(), parts.http->port());
  std::fflush(stdout);
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
  parts->http->stop(std::chrono::seconds(settings.drain_s));
  return 0;
}

}  // namespace
}  // namespace slipway::server

int main(int argc, char** argv) { return slipway::server::main_of(argc, argv); }
