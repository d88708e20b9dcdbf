// Wake-ups that wait until a thread has finished what it is at.
//
// Waking a thread is dear, and the one that wakes is often interrupted at once by the one that was woken. A thread that
// has many to tell, all whose writes were in one transaction, would so be interrupted after each of them. It tells them
// all first, and the wake-ups come together at the end.
#pragma once

#include <functional>
#include <vector>

namespace slipway {

/// While one lives, what its thread gives to run() waits; the end of the outermost one runs it all, in its order.
///
/// The thread-local state behind this is deliberate: the rooms between who tells and who wakes have no word for it.
class Afterwards {
 public:
  Afterwards();
  ~Afterwards();
  Afterwards(const Afterwards&) = delete;
  Afterwards& operator=(const Afterwards&) = delete;

  /// `action` runs at the end of this thread's Afterwards, or at once when there is none. It must neither block nor
  /// throw.
  static void run(std::function<void()> action);

 private:
  std::vector<std::function<void()>> actions_;
};

}  // namespace slipway
