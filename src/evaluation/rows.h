// All SQL of evaluation.
#pragma once

#include "evaluation/evaluation.h"

namespace slipway::evaluation::rows {

Result<void> insert(catalog::Connection& c, const Evaluation& evaluation);
/// Writes state, run, message, results, samples, scores and the end.
Result<void> update(catalog::Connection& c, const Evaluation& evaluation);
Result<std::optional<Evaluation>> select(catalog::Connection& c, const ProjectId& project, const EvaluationId& id);
/// Newest first; empty texts: any; ids below `before` when it is set.
Result<std::vector<Evaluation>> select_many(catalog::Connection& c, const ProjectId& project, std::string_view model,
                                            std::string_view dataset, size_t most, std::string_view before);
Result<std::vector<Evaluation>> select_running(catalog::Connection& c);
Result<std::optional<Evaluation>> select_finished(catalog::Connection& c, const ProjectId& project,
                                                  const std::string& model, std::int64_t version,
                                                  const std::string& commit);
Result<void> visit_results(catalog::Connection& c, const std::function<void(const Hash&)>& visit);

Json to_json(const std::vector<SliceQuery>& slices);
Json to_json(const std::vector<SliceScore>& scores);

}  // namespace slipway::evaluation::rows
