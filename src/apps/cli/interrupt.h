// Ctrl-C while something long is done: the first asks it to end at a good place, the second ends the program.
#pragma once

#include <atomic>

namespace slipway::cli {

/// While one exists, signals that end programs (SIGINT, SIGTERM) are noted once and then act as always. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Whether one came, also after the Interrupt is gone.
  static const std::atomic<bool>& came();
};

}  // namespace slipway::cli
