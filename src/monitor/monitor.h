// The front door of monitor: it is told of every request before its answer is given, keeps the ones worth keeping,
// counts traffic, notices drift, and takes feedback.
//
// What a client may rely on once it has its answer:
// - A request that its deployment's rules choose (an error, an unsure answer, one of the sample, one during drift) is
// in the log of
//   captured requests: it becomes a case even when the server is killed at once, and is on disk within
//   kCapturedSyncInterval; with `sync_first` it is on disk already. Not so when the log, the queue or the list of the
//   deployment's open cases is full, or the disk refuses: then it is not captured, and slipway_monitor_dropped_total or
//   slipway_monitor_refused_total counts it.
// - Any other request is remembered for late feedback, within kRecentBytesMax. It is written kMonitorGatherTime after
// its answer,
//   or later when the thread is busy; from then on a stopped or killed server still remembers it. It is not synced.
// - Feedback and labels are synced before they are acknowledged.
// - Counts of traffic of the last kTrafficWriteInterval are lost with a killed server.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/filter.h"
#include "domain/prediction.h"
#include "monitor/captured.h"
#include "monitor/drift_watch.h"
#include "monitor/inbox.h"
#include "monitor/recent.h"
#include "monitor/traffic.h"
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
  std::optional<Hash> body;  // none when the request was too large to keep
  std::uint64_t body_bytes = 0, json_bytes = 0;
  std::string media_type;
  std::optional<Hash> target;  // the right answer as a PNG, such as a mask
  std::uint64_t target_bytes = 0;
  std::string slice, commit;
};

struct CaseQuery {
  ProjectId project;
  std::string deployment, state, slice;  // empty: any
  size_t most = 100;
  std::string before;  // ids below this one: the next page, newest first
  Filter filter = {};  // case_filter.h says which names there are
};

struct CasePage {
  std::vector<Case> cases;
  std::optional<std::int64_t> total;  // of the first page only: counting takes as long as the list is
  std::string next;                   // `before` of the next page; empty: this is the last
};

struct Feedback {
  AnswerId answer;
  std::optional<bool> correct;
  std::string label;               // the right answer
  std::optional<Hash> target;      // the right answer as a PNG, whose bytes are in the store
  std::uint64_t target_bytes = 0;  // set by the monitor
  std::string comment;
};

/// What shall change of a case; what is not set stays.
struct CaseChange {
  std::optional<std::string> label;  // empty takes the label away, and what it said of the prediction
  std::optional<Hash> target;
  std::optional<CaseState> state;
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

inline constexpr std::int64_t kCasesOpenMax = 100'000;  // per deployment; above it only flagged ones are kept
inline constexpr size_t kFeedbackTextBytesMax = 4096;
inline constexpr size_t kCasesPerCallMax = 10'000;
inline constexpr size_t kCasesPerWriteMax = 256;  // captured requests that become cases together
inline constexpr Duration kJudgeInterval = std::chrono::seconds(2);
inline constexpr Duration kMonitorPause =
    std::chrono::seconds(1);  // how long the thread waits at most; also before it tries again

struct MonitorOptions {
  std::filesystem::path folder;  // of requests that are kept over the end of the process
  bool sync_first = false;       // --durability full
  std::uint64_t captured_bytes_max = kCapturedBytesMax;
  std::int64_t cases_open_max = kCasesOpenMax;
};

/// Threads `monitor` and `captured-sync`. Everything but served() blocks for the database.
class Monitor : public PredictionSink {
 public:
  /// Reads what a former process captured. All references outlive the monitor.
  static Result<std::unique_ptr<Monitor>> open(catalog::Database& database, store::Store& store, const Clock& clock,
                                               EventSink& events, Counters& counters, const MonitorOptions& options);
  /// Writes what is queued.
  ~Monitor() override;

  /// Before the answer is given. Takes microseconds; a captured request takes a write into the page cache.
  void served(PredictionServed&& prediction) override;
  /// Blocks until everything served before this call has been written.
  void settle();

  /// The rules of a deployment from now on; without a call the defaults of CaptureRules hold.
  void set_capture(const ProjectId& project, const std::string& deployment, const CaptureRules& rules);
  /// The figures of an evaluation become the reference of a version's traffic.
  Result<void> set_reference(const ProjectId& project, const std::string& model, std::int64_t version,
                             std::string source, const std::vector<TensorStatistics>& answers);

  /// invalid_argument for a filter that asks for what cases do not have; `place` (may be null) says where in it.
  Result<CasePage> cases(const CaseQuery& query, FilterPlace* place = nullptr);
  Result<Case> find_case(const ProjectId& project, const CaseId& id);
  /// Says which answer was right, or what else is known. An answer that is no case yet becomes one (`flagged`) while
  /// its request is still remembered; not_found after that. A target that is not in the store is failed_precondition,
  /// one that is no PNG invalid_argument.
  Result<CaseId> feedback(const ProjectId& project, const Feedback& feedback);
  Result<Case> update_case(const ProjectId& project, const CaseId& id, const CaseChange& change);
  /// Marks cases as part of a dataset commit (`sent`) or as kept back under a slice (`held_out`). All or none.
  Result<void> mark_cases(const ProjectId& project, const std::vector<CaseId>& ids, CaseState state,
                          std::string_view slice, std::string_view commit);
  Result<std::int64_t> open_cases(const ProjectId& project);
  /// Every blob that a case refers to; for the sweep.
  Result<void> visit_bodies(const std::function<void(const Hash&)>& visit);

  Result<std::vector<Finding>> findings(const ProjectId& project, std::string_view deployment, std::optional<bool> open,
                                        size_t most);
  Result<Finding> find_finding(const ProjectId& project, const FindingId& id);
  Result<Finding> close_finding(const ProjectId& project, const FindingId& id);
  Traffic& traffic() { return traffic_; }
  /// nullopt when nothing is remembered of this deployment's answers.
  std::optional<DriftReport> drift(const ProjectId& project, const std::string& deployment);

 private:
  /// What served() has to know of a deployment.
  struct Choosing {
    CaptureRules rules;
    bool has_drifted = false;
    bool is_full = false;  // of open cases
  };
  using Choosers = std::map<DeploymentKey, Choosing>;

  Monitor(catalog::Database& database, store::Store& store, const Clock& clock, EventSink& events, Counters& counters,
          const MonitorOptions& options, std::unique_ptr<CapturedRequests> captured, RecentRequests recent);

  std::optional<CaseReason> choose(const PredictionServed& prediction);
  void loop();
  void look_at(std::vector<Served> served);
  void judge();

  // cases.cc: requests become cases.
  /// The oldest that wait; false when that has to be tried again later.
  bool make_cases();
  /// In one transaction.
  Result<void> write_cases(std::span<Served> captured);
  void give_up(const Served& captured, const Error& why);
  void look_for_full_lists();
  Result<CaseId> keep(const PredictionServed& prediction, const Feedback& feedback);
  Result<CaseId> try_feedback(const ProjectId& project, const Feedback& feedback);
  Result<Feedback> checked(Feedback feedback);

  catalog::Database& database_;
  store::Store& store_;
  const Clock& clock_;
  EventSink& events_;
  const MonitorOptions options_;
  Counter& dropped_;
  Counter& refused_;
  Counter& cases_made_;
  Gauge& cases_waiting_;
  std::unique_ptr<CapturedRequests> captured_;  // locks itself, as do inbox, traffic and drift
  Inbox inbox_;
  Traffic traffic_;
  DriftWatch drift_;
  Guarded<RecentRequests> recent_;  // held over its writes: who gives feedback can wait for one
  Guarded<Choosers> choosers_;
  // The thread's own:
  std::deque<Served> waiting_;              // captured, and no cases yet
  Time retry_at_, judged_at_, counted_at_;  // steady
  std::set<DeploymentKey> capturing_;       // of which something became a case since counted_at_
  Thread thread_;
};

}  // namespace slipway::monitor
