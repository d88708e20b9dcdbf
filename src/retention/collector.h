// What was deleted long enough ago is removed for good: its rows in all rooms, and the names of its bytes, so that the
// store's next sweep frees them. A run that something else still needs stays, and says why.
//
// Nobody ever sees half of a run: the first transaction takes its row away and notes it, the following ones remove what
// is left, some kRowsAtOnce rows each, the last one the note. Whoever calls next after a kill goes on with what is
// noted.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/audit.h"
#include "domain/events.h"
#include "registry/registry.h"
#include "tracking/erasure.h"

namespace slipway::retention {

/// How long deleted things stay by default.
inline constexpr Duration kDeletedForDefault = std::chrono::hours(24 * 30);
/// Runs in one page, and so in the transaction that takes them away.
inline constexpr std::int64_t kPageMax = 100;
inline constexpr std::int64_t kRowsAtOnce = 4'000;
inline constexpr size_t kNamedMax = 1'000;  // ids in one request

/// Which deleted things are meant: those of a project (or of all) that were deleted at least so long ago; with ids only
/// these, and of an experiment all of its deleted runs.
struct Criteria {
  std::optional<ProjectId> project;
  Duration deleted_for = kDeletedForDefault;
  std::vector<RunId> runs;
  std::vector<ExperimentId> experiments;
};

/// Bytes in the database and in files. Files count by their size, also where others keep the same content.
struct Bytes {
  std::int64_t artifacts = 0, points = 0, logs = 0;
  std::int64_t total() const { return artifacts + points + logs; }
};

struct Candidate {
  std::string id, name;
  ProjectId project;
  std::string experiment_name;  // of a run
  Time deleted_at;
  Bytes bytes;               // of a run
  std::int64_t runs = 0;     // of an experiment: that are not gone
  std::string kept_because;  // empty: it goes
  std::string artifacts_at;  // where a client keeps its files itself; this server never had them
};

struct Page {
  std::vector<Candidate> runs;
  std::vector<Candidate> experiments;  // on the last page
  std::optional<std::int64_t> total;   // runs that are meant, on all pages; on the first one
  std::optional<std::string> next_page_token;
};

/// Why a run must stay, as a room says that this one does not know. Inside a transaction.
using Need = std::function<Result<std::optional<std::string>>(catalog::Connection&, const RunId&)>;

/// What a run takes, its logged models' files included. Inside a transaction.
Result<Bytes> bytes_of(catalog::Connection& connection, const tracking::DeletedRun& run);

/// Writes into the audit trail, inside of the transaction of what it tells.
using Audit = std::function<Result<void>(catalog::Connection&, const AuditLine& line)>;

/// Thread-safe; blocks for the database and the disk.
class Collector {
 public:
  Collector(catalog::Database& database, registry::References& references, const Clock& clock, EventSink* events,
            Audit audit)
      : database_(database), references_(references), clock_(clock), events_(events), audit_(std::move(audit)) {}

  /// Before the first call of anything else.
  void add_need(Need need) { needs_.push_back(std::move(need)); }

  /// A page of what would go, and what of it would stay, the longest deleted first. not_found and failed_precondition
  /// for something named that is not there or not deleted.
  Result<Page> list(const Criteria& criteria, std::string_view page_token, std::int64_t page_size = kPageMax);
  /// The same, and what goes is gone when this returns, and in the audit trail under `member_id`. Of pages that are
  /// asked for again nothing happens twice.
  Result<Page> remove(const Criteria& criteria, std::string_view page_token, const std::string& member_id,
                      std::int64_t page_size = kPageMax);
  /// Goes on with what a kill interrupted, and with projects that were removed with all they held; how many runs and
  /// experiments that were. Ends early after so long, between transactions.
  Result<std::int64_t> finish(std::optional<Duration> at_most = std::nullopt);
  /// What a sweep would remove if everything that list() says goes were gone.
  Result<store::SweepReport> would_free(const Criteria& criteria);

  /// Why a run must stay, deleted or not; nullopt: nothing needs it. Inside a transaction.
  Result<std::optional<std::string>> need(catalog::Connection& connection, const tracking::DeletedRun& run) const;

 private:
  Result<Candidate> candidate(catalog::Connection& connection, const tracking::DeletedRun& run) const;
  Result<Candidate> candidate(catalog::Connection& connection, const tracking::DeletedQuery& query,
                              const tracking::DeletedExperiment& experiment) const;
  Result<std::string> why_not_empty(catalog::Connection& connection, const tracking::DeletedQuery& query,
                                    const tracking::DeletedExperiment& experiment) const;
  Result<std::vector<std::string>> take_away(catalog::Connection& connection, const tracking::DeletedQuery& query,
                                             const std::vector<Candidate>& runs, const std::string& member_id) const;
  Result<std::vector<std::string>> take_away(catalog::Connection& connection,
                                             const std::vector<tracking::DeletedExperiment>& experiments,
                                             const std::string& member_id) const;

  catalog::Database& database_;
  registry::References& references_;
  const Clock& clock_;
  EventSink* const events_;
  const Audit audit_;
  std::vector<Need> needs_;
};

}  // namespace slipway::retention
