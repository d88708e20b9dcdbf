#include "pipelines/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "pipelines/definition_rows.h"

namespace slipway::pipelines {
namespace {

using catalog::Connection;
using catalog::Durability;

/// Its text is another one whenever the definition is.
std::string key_of(const Definition& definition) {
  return fmt::format("{}/{}/{}", definition.project.text, definition.pipeline, definition.updated_at.micros);
}

const TriggerRow* find_trigger(const Definition& definition, const std::string& name) {
  const auto found = std::find_if(definition.triggers.begin(), definition.triggers.end(),
                                  [&](const TriggerRow& trigger) { return trigger.name == name; });
  return found == definition.triggers.end() ? nullptr : &*found;
}

}  // namespace

/// A trigger that was armed goes on from where it was.
Result<std::vector<TriggerRow>> Definitions::arm(const Definition& before, const Definition& definition,
                                                 const Plan& plan) {
  std::vector<TriggerRow> rows;
  std::set<std::string> names;
  for (const Trigger& trigger : plan.pipeline.triggers) {
    TriggerRow row;
    row.name = name_of(trigger);
    if (!names.insert(row.name).second)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the pipeline '{}' has the trigger '{}' twice", definition.pipeline, row.name)};
    if (const TriggerRow* armed = find_trigger(before, row.name)) row = *armed;
    row.kind = kind_of(trigger);
    row.position = static_cast<std::int64_t>(rows.size());
    row.state = TriggerState::armed;
    row.message.clear();
    row.failures = 0;
    row.armed_at = definition.updated_at;
    if (!find_trigger(before, row.name)) {
      auto position = watcher_.position(definition.project, trigger);
      if (!position.ok()) {
        return Error{position.error().code,
                     fmt::format("the trigger '{}' of the pipeline '{}' has nothing to watch: {}", row.name,
                                 definition.pipeline, position.error().message)};
      }
      row.seen = std::move(*position);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Definition> Definitions::store(Definition definition, const Plan& plan) {
  const auto before = TRY(database_.read_value(
      [&](Connection& c) { return rows::select_definition(c, definition.project, definition.pipeline); }));
  definition.created_at = before ? before->created_at : clock_.now();
  definition.updated_at = clock_.now();
  definition.triggers.clear();
  if (definition.enabled) {
    if (plan.pipeline.triggers.empty()) {
      return Error{
          ErrorCode::failed_precondition,
          fmt::format(
              "the pipeline '{}' has no triggers: in slipway.yaml, say what starts it, such as triggers: [{{dataset: scenes@main}}]",
              definition.pipeline)};
    }
    definition.triggers = TRY(arm(before ? *before : Definition(), definition, plan));
  }
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(rows::upsert_definition(c, definition));
    return rows::replace_triggers(c, definition.project, definition.pipeline, definition.triggers);
  }));
  events_.emit({EventKind::pipeline_run_changed, definition.project, definition.pipeline});
  return definition;
}

Result<Definition> Definitions::put(const NewDefinition& request) {
  const Plan plan = TRY(pipelines_.plan(request.file, request.pipeline, Json(Json::Object{})));
  TRY(pipelines_.keep_snapshot(request.snapshot, request.manifest));
  Definition definition;
  definition.project = request.project;
  definition.pipeline = request.pipeline;
  definition.member = request.member;
  definition.file = request.file;
  definition.snapshot = request.snapshot;
  definition.manifest = request.manifest;
  definition.enabled = request.enabled;
  return store(std::move(definition), plan);
}

Result<Definition> Definitions::set_enabled(const ProjectId& project, std::string_view pipeline, bool enabled) {
  Definition definition = TRY(get(project, pipeline));
  definition.enabled = enabled;
  const auto plan = TRY(this->plan(definition));
  return store(std::move(definition), *plan);
}

Result<Definition> Definitions::get(const ProjectId& project, std::string_view pipeline) {
  auto found = TRY(database_.read_value([&](Connection& c) { return rows::select_definition(c, project, pipeline); }));
  if (found) return std::move(*found);
  const std::string name = clean_utf8(pipeline, 100);
  return Error{
      ErrorCode::not_found,
      fmt::format(
          "the server has no stored pipeline '{}' in the project {}; `slipway pipelines enable {}` in a working copy stores it",
          name, project.text, name)};
}

Result<std::vector<Definition>> Definitions::list(const ProjectId& project) {
  return database_.read_value([&](Connection& c) { return rows::select_definitions(c, project); });
}

Result<std::vector<Definition>> Definitions::enabled() { return database_.read_value(rows::select_enabled); }

Result<std::shared_ptr<const Plan>> Definitions::plan(const Definition& definition) {
  return plans_.get(key_of(definition), [&]() -> Result<Plan> {
    const std::string file =
        definition.file.empty() ? TRY(get(definition.project, definition.pipeline)).file : definition.file;
    return make_plan(file, definition.pipeline, Json(Json::Object{}));
  });
}

Result<PipelineRun> Definitions::start(const ProjectId& project, std::string_view pipeline, const std::string& member,
                                       const std::string& reason, const Json& parameters) {
  const Definition definition = TRY(get(project, pipeline));
  NewPipelineRun request;
  request.project = project;
  request.pipeline = definition.pipeline;
  request.member = member;
  request.reason = reason;
  request.file = definition.file;
  request.snapshot = definition.snapshot;
  request.manifest = definition.manifest;
  request.parameters = parameters;
  return pipelines_.start(request);
}

}  // namespace slipway::pipelines
