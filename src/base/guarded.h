// Guarded<T>: data that cannot be reached without its lock.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace slipway {

/// Holds a T behind a mutex. `lock()` gives access for as long as the returned handle lives; keep that short, and never
/// call out or wait for I/O while holding it.
template <typename T>
class Guarded {
 public:
  class Lock {
   public:
    T* operator->() { return value_; }
    T& operator*() { return *value_; }

    /// Waits until `ready()` holds. The lock is released while waiting and held again on return.
    template <typename Ready>
    void wait(std::condition_variable& changed, Ready ready) {
      changed.wait(lock_, std::move(ready));
    }

    /// As wait(), but at most until `deadline`; false when it passed first.
    template <typename Deadline, typename Ready>
    bool wait_until(std::condition_variable& changed, const Deadline& deadline, Ready ready) {
      return changed.wait_until(lock_, deadline, std::move(ready));
    }

   private:
    friend class Guarded;
    Lock(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}

    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  template <typename... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  Lock lock() { return Lock(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace slipway
