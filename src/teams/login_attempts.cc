#include "teams/login_attempts.h"

#include <algorithm>

namespace slipway::teams {

Duration LoginAttempts::wait(std::string_view name, Time now) const {
  const auto found = wrong_.find(std::string(name));
  if (found == wrong_.end() || found->second.count < kWrongPasswordsFree) return Duration::zero();
  if (now - found->second.last >= kWrongPasswordsForgottenAfter) return Duration::zero();
  const int doublings = std::min(found->second.count - kWrongPasswordsFree, 6);
  const Duration whole = std::min<Duration>(std::chrono::seconds(1 << doublings), kWrongPasswordWaitMax);
  return std::max<Duration>(found->second.last + whole - now, Duration::zero());
}

void LoginAttempts::failed(std::string_view name, Time now) {
  if (wrong_.size() >= kWrongNamesMax) {
    std::erase_if(wrong_, [&](const auto& entry) { return now - entry.second.last >= kWrongPasswordsForgottenAfter; });
    if (wrong_.size() >= kWrongNamesMax) wrong_.clear();
  }
  Wrong& wrong = wrong_[std::string(name)];
  if (now - wrong.last >= kWrongPasswordsForgottenAfter) wrong.count = 0;
  ++wrong.count;
  wrong.last = now;
}

void LoginAttempts::succeeded(std::string_view name) { wrong_.erase(std::string(name)); }

}  // namespace slipway::teams
