// The front door of serving: deployments, and the way of a request to a worker and back.
//
// A deployment's rows say what should run. Thread `serving-loop` makes it so: it starts workers, restarts dead ones,
// warms a new version before it takes over, and drains the old one. Requests come from any thread, wait in a bounded
// queue, and go to a replica from whichever thread finds one free; thread `serving-io` reads the answers and completes
// them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/ids.h"
#include "domain/prediction.h"
#include "domain/reference.h"
#include "inference/inference.h"
#include "serving/model_source.h"
#include "serving/statistics.h"

namespace slipway::serving {

inline constexpr size_t kDeploymentNameBytesMax = 128;
inline constexpr int kReplicasMax = 64;  // of one deployment
inline constexpr size_t kDeploymentsMax = 1'000;
inline constexpr size_t kQueueRequestsMax = 1'024;  // that wait for one deployment; beyond, busy
inline constexpr Duration kBatchDelayMax = std::chrono::seconds(1);
inline constexpr Duration kQueueWaitMax = std::chrono::seconds(30);  // then timed_out
inline constexpr Duration kAnswerWaitMax =
    std::chrono::seconds(120);                                      // then the replica counts as hung and is replaced
inline constexpr Duration kLoadWaitMax = std::chrono::minutes(10);  // for a worker to load its model
inline constexpr Duration kAliasInterval =
    std::chrono::seconds(10);  // how often aliases are looked at without being told (poke)
inline constexpr size_t kRevisionsShownMax = 50;

/// What somebody asked for.
struct DeploymentSpec {
  std::string name;
  Reference model;  // kind model; by alias it follows the alias
  int replicas_min = 1, replicas_max = 1;
  int batch_max = 1;             // requests that may become one run
  Duration batch_delay{0};       // how long the first may wait for others
  Json capture{Json::Object{}};  // the monitor's rules; serving only keeps them
};

/// What an update changes; nullopt stays.
struct DeploymentChange {
  std::optional<Reference> model;
  std::optional<int> replicas_min, replicas_max, batch_max;
  std::optional<Duration> batch_delay;
  std::optional<Json> capture;
  std::optional<bool> running;  // false stops the workers and keeps the deployment
};

enum class DeploymentState {
  starting,  // nothing answers yet
  ready,
  updating,  // answers, while a new revision warms up
  degraded,  // answers with fewer replicas than wanted, or its newest revision failed
  failed,    // nothing answers, and trying again will not help
  stopped,
};
std::string_view name(DeploymentState state);

enum class RevisionState { starting, active, retired, failed };
std::string_view name(RevisionState state);
std::optional<RevisionState> parse_revision_state(std::string_view text);

/// One version that a deployment ran or runs. Never removed: answers name it.
struct Revision {
  RevisionId id;
  std::int64_t number = 0;
  std::string model;
  std::int64_t version = 0;
  RevisionState state = RevisionState::starting;
  std::string message;  // why it failed
  std::string member;   // who caused it; empty: the alias moved
  std::string reason;
  Time created_at;
};

/// Where an answer came from.
struct RevisionOrigin {
  Revision revision;
  DeploymentId deployment;
  ProjectId project;
  std::string deployment_name;
};

struct ReplicaView {
  ReplicaId id;
  std::int64_t version = 0;
  std::string state;  // "starting", "ready", "draining"
  int pid = 0;
  std::uint64_t memory_bytes = 0;  // proportional set size
  Time started_at;
};

/// A deployment as people see it.
struct Deployment {
  DeploymentId id;
  ProjectId project;
  DeploymentSpec spec;
  DeploymentState state = DeploymentState::starting;
  std::string message;       // why it is not ready, or empty
  std::int64_t version = 0;  // that answers; 0: none
  int replicas_ready = 0;
  int waiting = 0;  // requests in the queue
  std::uint64_t memory_bytes = 0;
  std::vector<Revision> revisions;  // newest first, at most kRevisionsShownMax
  std::vector<ReplicaView> replicas;
  std::string created_by;
  Time created_at;
};

class Endpoint;
class Generation;

/// A deployment's revision that can be asked now. Cheap to copy; stays valid after a switch, when requests for it go to
/// the new one.
class Target {
 public:
  const std::string& deployment() const;
  const std::string& model() const;
  std::int64_t version() const;
  const inference::Signature& signature() const;
  int batch_max() const;
  Duration batch_delay() const;

 private:
  friend class Serving;
  std::shared_ptr<Endpoint> endpoint_;
  std::shared_ptr<Generation> generation_;
  bool version_named_ = false;
};

/// The request's body as it came, for whoever keeps cases.
struct RequestSource {
  std::shared_ptr<const std::string> body;
  std::string media_type;
  std::uint64_t json_bytes = 0;
};

/// Called exactly once, from any thread (also before infer() returns); must not block. The request is still whole.
using Completion = std::function<void(const inference::InferRequest&, Result<inference::InferResponse>)>;

struct ServingOptions {
  std::filesystem::path worker;               // empty: $SLIPWAY_WORKER, else slipway-worker beside this program
  Duration drain = std::chrono::seconds(30);  // for requests of a replaced revision
  size_t queue_requests_max = kQueueRequestsMax;
  int cores = 0;  // 0: the machine's
  /// Told of a deployment's capture rules at start, on create and on change. May block.
  std::function<void(const ProjectId&, const std::string& deployment, const Json& capture)> on_capture;
};

/// Thread-safe. target(), infer() and is_ready() never block; everything else waits for the database.
class Serving {
 public:
  /// Brings back what the rows want; returns before it is ready. All references outlive it; `predictions` and `events`
  /// may be null.
  static Result<std::unique_ptr<Serving>> open(catalog::Database& database, ModelSource& models, const Clock& clock,
                                               Counters& counters, EventSink* events, PredictionSink* predictions,
                                               ServingOptions options = {});
  /// Requests that wait are answered unavailable; workers end.
  ~Serving();

  /// invalid_argument, already_exists, not_found (the model), busy (kDeploymentsMax).
  Result<Deployment> create(const ProjectId& project, const DeploymentSpec& spec, std::string_view member);
  Result<Deployment> update(const ProjectId& project, std::string_view name, const DeploymentChange& change,
                            std::string_view member);
  /// Its name is free at once; requests in flight are still answered.
  Result<void> remove(const ProjectId& project, std::string_view name);
  /// Fresh workers for the same version, one after the other being ready; also tries a failed version again.
  Result<Deployment> restart(const ProjectId& project, std::string_view name, std::string_view member);
  Result<Deployment> get(const ProjectId& project, std::string_view name);
  /// By name.
  Result<std::vector<Deployment>> list(const ProjectId& project);

  /// Which revision gave an answer; also of deleted deployments.
  Result<RevisionOrigin> origin(const AnswerId& answer);
  Result<RevisionOrigin> origin(const RevisionId& revision);

  /// not_found in the words Triton's clients look for; unavailable while nothing is ready. A version that is not the
  /// one that answers is not_found too.
  Result<Target> target(const ProjectId& project, std::string_view name,
                        std::optional<std::int64_t> version = std::nullopt);
  void infer(const Target& target, inference::InferRequest request, RequestSource source, Completion done);

  /// Names of the deployments of a project, sorted, with the version that answers (0: none).
  std::vector<std::pair<std::string, std::int64_t>> endpoints(const ProjectId& project);
  /// Figures of one deployment by version; not_found.
  Result<std::vector<VersionFigures>> figures(const ProjectId& project, std::string_view name);

  /// Something about models changed: look at aliases now. Never blocks.
  void poke();

 private:
  struct Impl;
  explicit Serving(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::serving
