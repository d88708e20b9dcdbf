// One revision of a deployment in memory: its queue, its replicas, and what flies between them. A new version is a new
// generation; the old one is closed, answers what it has, and goes.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "serving/answer_loop.h"
#include "serving/decide.h"
#include "serving/pending.h"
#include "serving/replica.h"
#include "serving/serving.h"

namespace slipway::serving {

/// What all generations of one deployment share. Lives as long as the deployment's endpoint.
struct EndpointFacts {
  DeploymentId id;
  ProjectId project;
  std::string name;
  const Clock& clock;
  PredictionSink* predictions = nullptr;
  AnswerLoop& answers;
  Counter& requests;
  Counter& errors;
  Counter& rejected;
  LatencyHistogram& latency;
  std::function<void()> changed;  // a replica became ready or died; never blocks
};

class Generation : public std::enable_shared_from_this<Generation> {
 public:
  Generation(std::shared_ptr<const EndpointFacts> facts, Revision revision, std::vector<std::string> labels,
             std::shared_ptr<VersionStatistics> statistics, BatchLimits limits, size_t queue_max);

  const Revision& revision() const { return revision_; }
  /// Known once a replica was ready; constant from then on.
  const inference::Signature& signature() const { return signature_; }

  enum class Submitted { accepted, closed, full };
  /// Takes the request only when it accepts it.
  Submitted submit(std::unique_ptr<Pending>& pending);
  /// Sends what can be sent now.
  void dispatch();
  void set_limits(const BatchLimits& limits);
  BatchLimits limits() const;

  // From serving-io.
  void on_frame(const std::shared_ptr<Replica>& replica, const inference::Frame& frame);
  /// The worker is gone: the request it ran fails, those that waited in its socket go back to the queue.
  void on_gone(const std::shared_ptr<Replica>& replica, const Error& why);

  // From serving-loop.
  void add(std::shared_ptr<Replica> replica);
  std::vector<std::shared_ptr<Replica>> replicas() const;
  std::vector<ReplicaView> views() const;
  /// Removes and returns the dead.
  std::vector<std::shared_ptr<Replica>> bury();
  /// Asks one replica to end after what it has; the one with the least to do.
  void retire_one();
  bool is_idle_and_draining(const Replica& replica) const;
  /// The loop has ended this worker: what it owed fails.
  void on_ended(const std::shared_ptr<Replica>& replica);
  /// No request is accepted any more; what waits is still answered.
  void close();
  bool is_drained() const;
  /// Answers what waits and flies with `why`.
  void fail_all(const Error& why);
  /// Answers what has waited past its deadline.
  void expire();
  /// Workers that have owed an answer, or taken to load their model, for too long.
  std::vector<std::shared_ptr<Replica>> hung() const;
  Load load() const;
  int ready() const;
  /// Gives shared memory back that large tensors have touched, where nothing flies.
  void release_idle_memory();

 private:
  struct State {
    std::deque<std::unique_ptr<Pending>> queue;
    std::vector<std::shared_ptr<Replica>> replicas;
    BatchLimits limits;
    Time last_request;
    bool closed = false;
    bool described = false;
    bool quick = false;  // its runs are short enough to wait for
    std::uint64_t next_batch = 1;
    Time alarm;  // the wake-up that is set already
  };
  struct Outgoing {
    std::shared_ptr<Replica> replica;
    std::shared_ptr<Batch> batch;
    int slot;
  };

  /// Moves what can run now from the queue to replicas. Called with the lock held; send() without.
  std::vector<Outgoing> plan(State& state);
  std::shared_ptr<Batch> take(State& state, int count);
  /// Is this the only request there is, and its answer near?
  static bool is_lone(const State& state, const std::vector<Outgoing>& outgoing);
  void send(const std::vector<Outgoing>& outgoing);
  Result<void> send_one(const Outgoing& outgoing);
  /// Takes the batches off a dead replica: the oldest is returned to be failed, others go back to the queue.
  std::shared_ptr<Batch> abandon(State& state, Replica& replica);
  /// After a batch was sent, or was not: returns it when it has failed. Called with the lock held, like put_back().
  std::shared_ptr<Batch> settle(State& state, const Outgoing& outgoing, const Result<void>& sent);
  /// To the head of the queue, for another replica.
  static void put_back(State& state, Batch& batch);
  void on_ready(const std::shared_ptr<Replica>& replica, const inference::Frame& frame);
  void on_answer(const std::shared_ptr<Replica>& replica, const inference::Frame& frame);

  void complete(Batch& batch, const inference::Frame& frame, std::shared_ptr<const std::string> payload);
  void succeed(Pending& pending, std::vector<inference::Tensor> outputs, const TensorStatistics& statistics);
  void fail(Pending& pending, const Error& error);
  /// Before the answer is given: what the sink keeps of the request, it has kept when the client knows.
  void tell(Pending& pending, const AnswerId& answer, const TensorStatistics* statistics, const std::string& error);

  const std::shared_ptr<const EndpointFacts> facts_;
  const Revision revision_;
  const std::shared_ptr<const std::vector<std::string>> labels_;
  const std::string version_text_;
  const size_t queue_max_;
  const std::shared_ptr<VersionStatistics> statistics_;  // locks itself
  inference::Signature signature_;                       // written once, before the generation can be asked
  bool batchable_ = false;                               // as signature_
  mutable Guarded<State> state_;
};

}  // namespace slipway::serving
