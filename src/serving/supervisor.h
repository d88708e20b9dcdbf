// Thread `serving-loop`: makes what runs equal to what the rows want, at its own pace.
#pragma once

#include <condition_variable>
#include <memory>
#include <vector>

#include "base/thread.h"
#include "serving/endpoint.h"

namespace slipway::serving {

struct SupervisorParts {
  catalog::Database& database;
  ModelSource& models;
  const Clock& clock;
  Counters& counters;
  EventSink* events;
  AnswerLoop& answers;
  std::filesystem::path worker;
  Duration drain;
  size_t queue_max;
  int cores;
};

class Supervisor {
 public:
  explicit Supervisor(SupervisorParts parts);
  ~Supervisor() { stop(); }

  /// Ends every worker; requests that wait are answered unavailable. Idempotent.
  void stop();
  void add(std::shared_ptr<Endpoint> endpoint);
  /// Have a look now. Never blocks.
  void notify();
  /// As notify(), and look at aliases too.
  void poke();

 private:
  struct Signals {
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    bool changed = false;
    bool poked = false;
    bool stop = false;
  };

  void run();
  /// Brings one deployment a step closer; false when it was removed and nothing of it is left.
  bool tend(Endpoint& endpoint, bool poked);
  void stop_all(Endpoint& endpoint);

  // supervisor_revisions.cc: which version should answer.
  struct Look;
  void follow(Endpoint& endpoint, bool poked);
  Look look(Endpoint& endpoint, bool poked);
  void follow_reference(Endpoint& endpoint, const Look& seen);
  void begin_new(Endpoint& endpoint, const Look& look, std::int64_t version);
  void begin(Endpoint& endpoint, const Revision& revision);
  void refuse(Endpoint& endpoint, const Revision& revision, const std::string& why);
  void give_up(Endpoint& endpoint, const std::shared_ptr<Running>& running);
  void promote(Endpoint& endpoint);
  /// Its requests are still answered; drain() ends it.
  void retire(Endpoint::State& state, std::shared_ptr<Running> running);

  // supervisor_workers.cc: which processes should run.
  void keep(Endpoint& endpoint, Running& running, bool is_next);
  void bury(Endpoint& endpoint, Running& running);
  void start_one(Endpoint& endpoint, Running& running);
  void end_worker(Running& running, const std::shared_ptr<Replica>& replica);
  void drain(Endpoint& endpoint);
  void announce(Endpoint& endpoint);
  void measure(Endpoint& endpoint);
  /// Writes a row; a failure is logged and answered false.
  bool write(const char* what, const std::function<Result<void>(catalog::Connection&)>& body);

  const SupervisorParts parts_;
  Counter& restarts_;
  Time measured_;  // the loop's own
  std::condition_variable changed_;
  Guarded<Signals> signals_;
  Thread thread_;
};

}  // namespace slipway::serving
