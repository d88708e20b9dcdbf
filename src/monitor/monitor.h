// The front door of monitor: it is told of every answered request, keeps the ones worth keeping, counts traffic, notices
// drift, and takes feedback. It never slows an answer: a full queue drops and counts.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/queue.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/prediction.h"
#include "monitor/capture.h"
#include "monitor/recent.h"
#include "monitor/watch.h"
#include "store/store.h"

namespace slipway::monitor {

enum class CaseState { open, labelled, sent, held_out, dismissed };
std::string_view name(CaseState state);
std::optional<CaseState> parse_case_state(std::string_view text);

/// A captured request with its answer and whatever is known of its correctness.
struct Case {
  CaseId id;
  ProjectId project;
  std::string deployment;
  AnswerId answer;
  RevisionId revision;
  std::string model;
  std::int64_t version = 0;
  Time at;
  CaseReason reason = CaseReason::sampled;
  CaseState state = CaseState::open;
  std::string prediction;
  std::optional<double> confidence;
  std::optional<bool> correct;
  std::string label, comment, error;
  TensorStatistics statistics;
  std::optional<Hash> body;          // none when the request was too large to keep
  std::uint64_t body_bytes = 0, json_bytes = 0;
  std::string media_type;
  std::string slice, commit;
};

struct CaseQuery {
  ProjectId project;
  std::string deployment, state, slice;  // empty: any
  size_t most = 100;
  std::string before;                // ids below this one: the next page, newest first
};

struct Feedback {
  AnswerId answer;
  std::optional<bool> correct;
  std::string label;    // the right answer
  std::string comment;
};

struct Finding {
  FindingId id;
  ProjectId project;
  std::string deployment, model;
  std::int64_t version = 0;
  std::string kind, statistic;
  bool open = true;
  double value = 0, threshold = 0;
  std::string message;
  Time created_at, updated_at;
  std::optional<Time> closed_at;
};

struct TrafficMinute {
  Time at;
  std::int64_t requests = 0, errors = 0;
  double p50_ms = 0, p99_ms = 0;
  std::optional<double> confidence_mean;
};

/// How a deployment's current traffic stands against its version's reference.
struct DriftReport {
  std::string model, source;
  std::int64_t version = 0;
  size_t answers = 0;
  std::vector<StatisticState> statistics;
};

inline constexpr size_t kMonitorWaitingMax = 8192;
inline constexpr size_t kMonitorBatchMax = 512;
inline constexpr std::int64_t kCasesOpenMax = 100'000;     // per deployment; above it only flagged ones are kept
inline constexpr size_t kFeedbackTextBytesMax = 4096;
inline constexpr size_t kCasesPerCallMax = 10'000;
inline constexpr Duration kJudgeInterval = std::chrono::seconds(2);

/// Thread `monitor`. Everything but served() blocks for the database.
class Monitor : public PredictionSink {
 public:
  /// All outlive the monitor.
  Monitor(catalog::Database& database, store::Store& store, const Clock& clock, EventSink& events, Counters& counters);
  /// Writes what is queued.
  ~Monitor() override;

  void served(PredictionServed&& prediction) override;
  /// Blocks until everything served before this call has been written.
  void settle();

  /// The rules of a deployment from now on; without a call the defaults of CaptureRules hold.
  void set_capture(const ProjectId& project, const std::string& deployment, const CaptureRules& rules);
  /// The figures of an evaluation become the reference of a version's traffic.
  Result<void> set_reference(const ProjectId& project, const std::string& model, std::int64_t version, std::string source,
                             const std::vector<TensorStatistics>& answers);

  Result<std::vector<Case>> cases(const CaseQuery& query);
  Result<Case> find_case(const ProjectId& project, const CaseId& id);
  /// Says which answer was right, or what else is known. An answer that is no case yet becomes one (`flagged`) while its
  /// request is still remembered; not_found after that.
  Result<CaseId> feedback(const ProjectId& project, const Feedback& feedback);
  /// Sets label or state of one case; nullopt leaves it.
  Result<Case> update_case(const ProjectId& project, const CaseId& id, std::optional<std::string> label, std::optional<CaseState> state);
  /// Marks cases as part of a dataset commit (`sent`) or as kept back under a slice (`held_out`). All or none.
  Result<void> mark_cases(const ProjectId& project, const std::vector<CaseId>& ids, CaseState state, std::string_view slice, std::string_view commit);
  Result<std::int64_t> open_cases(const ProjectId& project);
  /// Every blob that a case refers to; for the sweep.
  Result<void> visit_bodies(const std::function<void(const Hash&)>& visit);

  Result<std::vector<Finding>> findings(const ProjectId& project, std::string_view deployment, std::optional<bool> open, size_t most);
  Result<Finding> find_finding(const ProjectId& project, const FindingId& id);
  Result<Finding> close_finding(const ProjectId& project, const FindingId& id);
  Result<std::vector<TrafficMinute>> traffic(const ProjectId& project, std::string_view deployment, int minutes);
  /// nullopt when this deployment has answered nothing since the server started.
  std::optional<DriftReport> drift(const ProjectId& project, const std::string& deployment);

 private:
  struct Minute;   // counts of one deployment and minute, not written yet
  struct Watched;  // a deployment's watch and what it is about
  struct Shared;   // what callers and the thread share
  using Item = std::variant<PredictionServed, std::function<void()>>;

  void loop();
  void take(std::vector<Item> items);
  void count(std::map<std::string, Minute>& minutes, const PredictionServed& prediction) const;
  void watch(const PredictionServed& prediction);
  Result<void> keep(const PredictionServed& prediction, CaseReason reason, const Feedback* feedback, CaseId* id);
  Result<CaseId> try_feedback(const ProjectId& project, const Feedback& feedback);
  void write_minutes(const std::map<std::string, Minute>& minutes);
  void judge();
  void judge_statistic(const Watched& watched, const StatisticState& state);
  std::optional<Reference> load_reference(const ProjectId& project, const std::string& model, std::int64_t version);
  Result<void> save_reference(const ProjectId& project, const std::string& model, std::int64_t version, const Reference& reference);

  catalog::Database& database_;
  store::Store& store_;
  const Clock& clock_;
  EventSink& events_;
  Counter& dropped_;
  Counter& captured_;
  BoundedQueue<Item> queue_{kMonitorWaitingMax};
  std::unique_ptr<Guarded<Shared>> shared_;
  // The thread's own:
  Time judged_at_;
  std::map<std::string, double> told_;  // per deployment, version and statistic: the value last written; 0 is "steady"
  Thread thread_;
};

}  // namespace slipway::monitor
