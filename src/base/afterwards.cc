#include "base/afterwards.h"

#include <utility>

namespace slipway {
namespace {

thread_local std::vector<std::function<void()>>* waiting = nullptr;

}  // namespace

Afterwards::Afterwards() {
  if (!waiting) waiting = &actions_;
}

Afterwards::~Afterwards() {
  if (waiting != &actions_) return;
  waiting = nullptr;  // what the actions bring about themselves runs at once
  for (const auto& action : actions_) action();
}

void Afterwards::run(std::function<void()> action) {
  if (!waiting) return action();
  waiting->push_back(std::move(action));
}

}  // namespace slipway
