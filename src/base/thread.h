// Threads with a name and an owner that joins them, and the bounded pool for work that blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/counters.h"
#include "base/queue.h"

namespace slipway {

/// Names the calling thread (15 characters count) for debuggers and /proc.
void set_thread_name(std::string_view name);

/// A named thread that runs `body` and is joined by its owner's destruction. `body` must have its own way to be told to
/// end before that.
class Thread {
 public:
  Thread() = default;
  Thread(std::string name, std::function<void()> body);
  Thread(Thread&&) = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }
  void join();

 private:
  std::thread thread_;
};

/// A fixed number of threads and a bounded queue of tasks. Tasks may block.
class ThreadPool {
 public:
  /// Counts waiting tasks and refusals in `counters` under `name`.
  ThreadPool(std::string name, size_t threads, size_t waiting_max, Counters& counters);
  /// Runs what is queued, then joins.
  ~ThreadPool();

  /// False when the queue is full; the task was not taken.
  bool submit(std::function<void()> task);

 private:
  Counter& refused_;
  Gauge& waiting_;
  BoundedQueue<std::function<void()>> tasks_;
  std::vector<Thread> threads_;
};

}  // namespace slipway
