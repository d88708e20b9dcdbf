// Reports (domain/report.h): Markdown that people of a project write together, with its revisions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/report.h"

namespace slipway::tracking {

/// What a report becomes; absent members stay.
struct ReportChange {
  std::optional<std::string> title, text;
  std::int64_t based_on = 0;  // the revision that the change was made to
  std::string member;         // who changes it
};

/// Every call blocks for the database and waits until what it wrote is durable. Thread-safe. Every write ends with
/// Event report_changed; null: nobody listens.
class Reports {
 public:
  Reports(catalog::Database& database, const Clock& clock, EventSink* events = nullptr)
      : database_(database), clock_(clock), events_(events) {}

  /// `made` with project, title, text and author; its first revision. failed_precondition when the project has
  /// kReportsMax of them, invalid_argument and too_large as domain/report.h says.
  Result<Report> create(Report made);
  /// Without their texts, the one changed last first; or, with `deleted`, those put aside.
  Result<std::vector<Report>> list(const ProjectId& project, bool deleted = false);
  /// Also one that was put aside.
  Result<Report> get(const ProjectId& project, const ReportId& id);
  /// Makes a revision, unless nothing differs. already_exists when somebody has changed `based_on` meanwhile: nothing
  /// of either change is lost. failed_precondition for a report that was put aside.
  Result<Report> change(const ProjectId& project, const ReportId& id, const ReportChange& change);
  /// Puts it aside; it can be restored for kReportsKeptDeleted.
  Result<void> remove(const ProjectId& project, const ReportId& id);
  Result<Report> restore(const ProjectId& project, const ReportId& id);

  /// Without their texts, the newest first.
  Result<std::vector<ReportRevision>> revisions(const ProjectId& project, const ReportId& id);
  Result<ReportRevision> revision(const ProjectId& project, const ReportId& id, std::int64_t number);

 private:
  void tell(const ProjectId& project, const ReportId& id);

  catalog::Database& database_;
  const Clock& clock_;
  EventSink* const events_;
};

/// In a project, those put aside included.
inline constexpr std::int64_t kReportsMax = 1'000;
/// Of a report; beyond them the oldest go.
inline constexpr std::int64_t kReportRevisionsMax = 100;
inline constexpr std::chrono::hours kReportsKeptDeleted{30 * 24};

}  // namespace slipway::tracking
