// All SQL of monitor: cases, findings, references and traffic as rows.
#pragma once

#include "monitor/monitor.h"
#include "monitor/traffic.h"

namespace slipway::monitor::rows {

Json render(const TensorStatistics& figures);
TensorStatistics parse_statistics(const Json& json);

/// False when the answer has a case already; nothing is changed then.
Result<bool> insert_case(catalog::Connection& c, const Case& kept);
/// Newest first. One more than `query.most` says that there are more.
Result<std::vector<Case>> select_cases(catalog::Connection& c, const CaseQuery& query, FilterPlace* place);
/// How many there are in all, on every page.
Result<std::int64_t> count_cases(catalog::Connection& c, const CaseQuery& query, FilterPlace* place);
Result<std::optional<Case>> select_case(catalog::Connection& c, const ProjectId& project, const CaseId& id);
Result<std::optional<Case>> select_case_of_answer(catalog::Connection& c, const AnswerId& answer);
/// Writes state, correct, label, target, comment, slice and commit.
Result<void> update_case(catalog::Connection& c, const Case& changed);
/// Of one deployment, or of the whole project when it is empty.
Result<std::int64_t> count_open_cases(catalog::Connection& c, const ProjectId& project, std::string_view deployment);
Result<void> select_bodies(catalog::Connection& c, const std::function<void(const Hash&)>& visit);

/// The open finding of that statistic is given new figures, or one is made; returns its id and whether it is new.
struct Noticed {
  FindingId id;
  bool is_new = false;
};
Result<Noticed> notice(catalog::Connection& c, const Finding& finding);
/// Closes the open finding of that statistic; false when there was none.
Result<bool> settle_finding(catalog::Connection& c, const Finding& finding);
Result<std::vector<Finding>> select_findings(catalog::Connection& c, const ProjectId& project,
                                             std::string_view deployment, std::optional<bool> open, size_t most);
Result<std::optional<Finding>> select_finding(catalog::Connection& c, const ProjectId& project, const FindingId& id);
Result<void> close_finding(catalog::Connection& c, const FindingId& id, Time at);

Result<void> upsert_reference(catalog::Connection& c, const ProjectId& project, const std::string& model,
                              std::int64_t version, const Reference& reference, Time at);
Result<std::optional<Reference>> select_reference(catalog::Connection& c, const ProjectId& project,
                                                  const std::string& model, std::int64_t version);

/// Adds to what the minute's row holds.
Result<void> add_minute(catalog::Connection& c, const std::string& project, const std::string& deployment, Time minute,
                        const TrafficCounts& counts);
Result<std::map<Time, TrafficCounts>> select_minutes(catalog::Connection& c, const std::string& project,
                                                     const std::string& deployment, Time since);
/// Requests and errors of all minutes.
Result<TrafficSum> sum_minutes(catalog::Connection& c, const std::string& project, const std::string& deployment);

}  // namespace slipway::monitor::rows
