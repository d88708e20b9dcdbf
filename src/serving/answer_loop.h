// Thread `serving-io`: reads the workers' answers as they come, and wakes queues whose first request has waited long
// enough for others.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/thread.h"

namespace slipway::serving {

class Generation;
struct Replica;

class AnswerLoop {
 public:
  explicit AnswerLoop(const Clock& clock);
  ~AnswerLoop();

  /// From now on the generation is told what the replica sends, until it is forgotten. Keeps both alive.
  void watch(std::shared_ptr<Generation> generation, std::shared_ptr<Replica> replica);
  void forget(const Replica& replica);
  /// Sends a lone request and reads its answer in the caller's own thread for up to `patience`, so that neither
  /// serving-io nor the caller has to be woken for it: on an idle machine two wake-ups cost more than a small model
  /// does. What comes later, or while another thread reads, is left to serving-io.
  void ask_here(const std::shared_ptr<Generation>& generation, const std::shared_ptr<Replica>& replica,
                Duration patience, const std::function<void()>& send);
  /// Has the generation look at its queue at `time` (steady).
  void wake_at(Time time, std::weak_ptr<Generation> generation);

 private:
  struct Watched {
    std::shared_ptr<Generation> generation;
    std::shared_ptr<Replica> replica;
  };
  struct State {
    std::unordered_map<int, Watched> watched;  // by the socket's descriptor
    std::multimap<Time, std::weak_ptr<Generation>> alarms;
    bool stop = false;
  };

  void run();
  /// Wakes what is due; how long to sleep until the next, in milliseconds for epoll (-1: nothing is due).
  int ring_alarms();
  void on_readable(int socket);
  /// Hands the frames that are there to the generation; how many they were, or -1 when the worker is gone.
  int read_frames(const Watched& watched);

  const Clock& clock_;
  UniqueFd epoll_, wakeup_;
  Guarded<State> state_;
  Thread thread_;
};

}  // namespace slipway::serving
