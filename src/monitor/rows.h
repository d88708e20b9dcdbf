// All SQL of monitor: cases, findings, references and traffic as rows.
#pragma once

#include "monitor/monitor.h"

namespace slipway::monitor::rows {

Json render(const TensorStatistics& figures);
TensorStatistics parse_statistics(const Json& json);

Result<void> insert_case(catalog::Connection& c, const Case& kept);
Result<std::vector<Case>> select_cases(catalog::Connection& c, const CaseQuery& query);
Result<std::optional<Case>> select_case(catalog::Connection& c, const ProjectId& project, const CaseId& id);
Result<std::optional<Case>> select_case_of_answer(catalog::Connection& c, const AnswerId& answer);
/// Writes state, correct, label, comment, slice and commit.
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
Result<std::vector<Finding>> select_findings(catalog::Connection& c, const ProjectId& project, std::string_view deployment,
                                             std::optional<bool> open, size_t most);
Result<std::optional<Finding>> select_finding(catalog::Connection& c, const ProjectId& project, const FindingId& id);
Result<void> close_finding(catalog::Connection& c, const FindingId& id, Time at);

Result<void> upsert_reference(catalog::Connection& c, const ProjectId& project, const std::string& model, std::int64_t version,
                              const Reference& reference, Time at);
Result<std::optional<Reference>> select_reference(catalog::Connection& c, const ProjectId& project, const std::string& model, std::int64_t version);

/// Counts of one minute, as kept and as added.
struct MinuteCounts {
  ProjectId project;
  std::string deployment;
  Time minute;
  std::int64_t requests = 0, errors = 0, latency_sum_us = 0, confidence_count = 0;
  double confidence_sum = 0;
  std::array<std::uint64_t, LatencyHistogram::kBuckets> latency{};
};
Result<void> add_minute(catalog::Connection& c, const MinuteCounts& counts);
Result<std::vector<MinuteCounts>> select_minutes(catalog::Connection& c, const ProjectId& project, std::string_view deployment, Time since);

}  // namespace slipway::monitor::rows
