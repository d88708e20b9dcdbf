#include "base/thread.h"

#include <pthread.h>

namespace slipway {

void set_thread_name(std::string_view name) {
  pthread_setname_np(pthread_self(), std::string(name.substr(0, 15)).c_str());
}

Thread::Thread(std::string name, std::function<void()> body)
    : thread_([name = std::move(name), body = std::move(body)] {
        set_thread_name(name);
        body();
      }) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::join() {
  if (thread_.joinable()) thread_.join();
}

ThreadPool::ThreadPool(std::string name, size_t threads, size_t waiting_max, Counters& counters)
    : refused_(
          counters.counter("pool_refused_total", "Tasks refused because a pool's queue was full", {{"pool", name}})),
      waiting_(counters.gauge("pool_waiting", "Tasks in a pool's queue", {{"pool", name}})),
      tasks_(waiting_max) {
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back(name + "-" + std::to_string(i), [this] {
      while (auto task = tasks_.pop()) {
        waiting_.add(-1);
        (*task)();
      }
    });
  }
}

ThreadPool::~ThreadPool() { tasks_.close(); }

bool ThreadPool::submit(std::function<void()> task) {
  waiting_.add(1);  // before the push, or the thread that takes it would count below zero
  if (tasks_.try_push(std::move(task))) return true;
  waiting_.add(-1);
  refused_.add();
  return false;
}

}  // namespace slipway
