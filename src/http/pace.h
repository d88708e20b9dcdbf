// Whether a body arrives fast enough. Pure: time comes from outside.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace slipway::http {

/// Counts only the time spent waiting for the client: a handler that is slow to take the body is not the client's
/// fault.
class Pace {
 public:
  Pace(std::uint64_t bytes_per_second_min, Duration grace)
      : bytes_per_second_min_(bytes_per_second_min), grace_(grace) {}

  void add(std::uint64_t bytes, Duration waited) {
    bytes_ += bytes;
    waited_ += waited;
  }
  std::uint64_t bytes() const { return bytes_; }
  bool is_too_slow() const {
    if (waited_ < grace_) return false;
    return static_cast<double>(bytes_) <
           static_cast<double>(waited_.count()) / 1e6 * static_cast<double>(bytes_per_second_min_);
  }

 private:
  const std::uint64_t bytes_per_second_min_;
  const Duration grace_;
  std::uint64_t bytes_ = 0;
  Duration waited_{0};
};

}  // namespace slipway::http
