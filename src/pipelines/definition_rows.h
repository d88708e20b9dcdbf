// All SQL of definitions and triggers.
#pragma once

#include "catalog/catalog.h"
#include "pipelines/definitions.h"

namespace slipway::pipelines::rows {

Result<void> upsert_definition(catalog::Connection& c, const Definition& definition);
Result<std::optional<Definition>> select_definition(catalog::Connection& c, const ProjectId& project,
                                                    std::string_view pipeline);
/// By name, with their triggers, without their files.
Result<std::vector<Definition>> select_definitions(catalog::Connection& c, const ProjectId& project);
/// Of all projects.
Result<std::vector<Definition>> select_enabled(catalog::Connection& c);

/// Replaces all triggers of the pipeline.
Result<void> replace_triggers(catalog::Connection& c, const ProjectId& project, std::string_view pipeline,
                              const std::vector<TriggerRow>& triggers);
/// Writes what the trigger is now, if it still has seen what it had when it was read; else cancelled.
Result<void> update_trigger(catalog::Connection& c, const ProjectId& project, std::string_view pipeline,
                            const TriggerRow& trigger, const std::string& seen_before);

/// How the runs that a trigger started since it was armed ended, newest first: how many in a row failed, and the newest
/// one's reason.
struct Failures {
  std::int64_t in_a_row = 0;
  std::string last;
};
Result<Failures> select_failures(catalog::Connection& c, const ProjectId& project, std::string_view pipeline,
                                 const TriggerRow& trigger, size_t most);
/// How many runs the trigger started since then.
Result<std::int64_t> count_started(catalog::Connection& c, const ProjectId& project, std::string_view pipeline,
                                   const TriggerRow& trigger, Time since);

}  // namespace slipway::pipelines::rows
