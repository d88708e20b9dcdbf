// A bounded queue between threads: full is an ordinary answer.
#pragma once

#include <condition_variable>
#include <deque>
#include <optional>
#include <vector>

#include "base/guarded.h"

namespace slipway {

/// Any number of producers and consumers. After close(), push is refused and pop drains what is left.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t size_max) : size_max_(size_max) {}

  /// False when full or closed; the item is left untouched then.
  bool try_push(T&& item) {
    {
      auto state = state_.lock();
      if (state->closed || state->items.size() >= size_max_) return false;
      state->items.push_back(std::move(item));
    }
    changed_.notify_one();
    return true;
  }

  /// Waits for an item; nullopt once closed and empty.
  std::optional<T> pop() {
    auto state = state_.lock();
    state.wait(changed_, [&] { return state->closed || !state->items.empty(); });
    if (state->items.empty()) return std::nullopt;
    T item = std::move(state->items.front());
    state->items.pop_front();
    return item;
  }

  /// Waits for at least one item, then takes up to `most`; empty once closed and empty. The figure of group commit:
  /// whoever is first works for those behind.
  std::vector<T> pop_all(size_t most) {
    std::vector<T> taken;
    auto state = state_.lock();
    state.wait(changed_, [&] { return state->closed || !state->items.empty(); });
    while (!state->items.empty() && taken.size() < most) {
      taken.push_back(std::move(state->items.front()));
      state->items.pop_front();
    }
    return taken;
  }

  void close() {
    state_.lock()->closed = true;
    changed_.notify_all();
  }

  size_t size() { return state_.lock()->items.size(); }

 private:
  struct State {
    std::deque<T> items;
    bool closed = false;
  };

  const size_t size_max_;
  std::condition_variable changed_;
  Guarded<State> state_;
};

}  // namespace slipway
