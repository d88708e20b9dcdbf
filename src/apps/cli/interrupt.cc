#include "interrupt.h"

#include <csignal>

namespace slipway::cli {
namespace {

std::atomic<bool> g_came{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

void note(int signal) {
  g_came = true;
  std::signal(signal, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt() {
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

Interrupt::~Interrupt() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>& Interrupt::came() { return g_came; }

}  // namespace slipway::cli
