// How a run comes to be: what it names is checked and pinned, then it is written, then it waits.
//
// Two rooms write: the execution here, the run in tracking. So the execution is written first as a draft, then the run,
// then the draft becomes queued. A crash leaves a draft, and finish_drafts() looks whether the run is there.
#include <fmt/format.h>

#include "base/text.h"
#include "domain/command_template.h"
#include "runs/rows.h"
#include "runs/runs.h"

namespace slipway::runs {
namespace {

using catalog::Durability;

std::string text_of(const Json& value) { return value.is_string() ? value.string() : value.render(); }

tracking::KeyValues parameters_of(const RunSpec& spec) {
  tracking::KeyValues out;
  for (const auto& [name, value] : spec.parameters) out.emplace_back(name, text_of(value));
  return out;
}

Parameter parameter_like(const Json& value) {
  Parameter parameter;
  parameter.type = value.is_bool()      ? ParameterType::boolean
                   : value.is_integer() ? ParameterType::integer
                   : value.is_number()  ? ParameterType::real
                                        : ParameterType::text;
  return parameter;
}

}  // namespace

Runs::Runs(catalog::Database& database, store::Store& store, tracking::Tracking& tracking, registry::Registry& registry,
           const Clock& clock, EventSink* events)
    : database_(database),
      store_(store),
      tracking_(tracking),
      registry_(registry),
      clock_(clock),
      events_(events),
      log_(database) {}

/// Model versions and artifacts are lists of files; a run's inputs are trees. The tree is a blob like any other.
Result<Hash> Runs::keep_files_as_tree(const std::vector<registry::Artifact>& files, std::string_view below) {
  Tree tree;
  for (const registry::Artifact& file : files) {
    std::string path = file.path;
    if (!below.empty() && path.starts_with(std::string(below) + "/")) path = path.substr(below.size() + 1);
    tree.entries.push_back({path, file.hash, file.size, TreeEntryKind::file});
  }
  return TRY(store_.put(render(tree))).hash;
}

Result<ResolvedInput> Runs::resolve(const ProjectId& project, const Reference& reference) {
  ResolvedInput input;
  input.label = render(reference);
  switch (reference.kind) {
    case Reference::Kind::dataset: {
      const registry::Commit commit = TRY(registry_.datasets().get_commit(project, reference.name, reference.at));
      input.kind = "dataset";
      input.hash = commit.tree;
      input.label += ", commit " + commit.id.text;
      input.cause_kind = "dataset_commit";
      input.cause_id = commit.id.text;
      return input;
    }
    case Reference::Kind::model: {
      const registry::Version version = TRY(registry_.models().resolve(project, reference));
      const auto files = TRY(registry_.models().files(project, version.model, version.version));
      input.kind = "model";
      input.hash = TRY(keep_files_as_tree(files, ""));
      input.label += fmt::format(", version {}", version.version);
      input.cause_kind = "model_version";
      input.cause_id = fmt::format("{}/{}", version.model, version.version);
      return input;
    }
    case Reference::Kind::run: {
      const registry::Owner owner{project, registry::OwnerKind::run, reference.name};
      const auto files = TRY(registry_.artifacts().all(owner, reference.path));
      if (files.empty()) {
        return Error{ErrorCode::not_found, fmt::format("run {} has no artifact '{}'", reference.name, reference.path)};
      }
      input.kind = "run";
      input.cause_kind = "run";
      input.cause_id = reference.name;
      input.is_tree = !(files.size() == 1 && files[0].path == reference.path);
      input.hash = input.is_tree ? TRY(keep_files_as_tree(files, reference.path)) : files[0].hash;
      return input;
    }
  }
  return input;
}

Result<Named<ResolvedInput>> Runs::resolve(const ProjectId& project, const Named<Reference>& inputs) {
  Named<ResolvedInput> resolved;
  for (const auto& [name, reference] : inputs) {
    auto input = resolve(project, reference);
    if (!input.ok())
      return context(input.error(), fmt::format("needed as the input '{}' ({})", name, render(reference)));
    resolved.emplace_back(name, *std::move(input));
  }
  return resolved;
}

Result<void> Runs::tell_manifest(const Hash& tree, const Hash& manifest) {
  for (const Hash& hash : {tree, manifest}) {
    if (!TRY(store_.contains(hash))) {
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the snapshot's blob {} is not on the server; upload it first", render(hash))};
    }
  }
  return database_.write(Durability::record, catalog::Write([&](catalog::Connection& connection) {
                           return rows::put_manifest(connection, tree, manifest, clock_.now());
                         }));
}

Result<std::string> Runs::manifest_of(const NewExecution& request) {
  if (!request.manifest.empty() || request.spec.snapshot.empty()) return request.manifest;
  const auto told = TRY(database_.read_value(
      [&](catalog::Connection& connection) { return rows::manifest(connection, request.spec.snapshot); }));
  if (!told || !TRY(store_.contains(TRY(parse_hash(*told))))) return std::string();
  return *told;
}

/// The snapshot must be here, whole in name; the lease keeps it until the execution names it.
Result<void> Runs::require_blobs(const NewExecution& request) {
  for (const std::string& text : {request.spec.snapshot, request.manifest}) {
    if (text.empty()) continue;
    const Hash hash = TRY(parse_hash(text));
    if (!TRY(store_.contains(hash))) {
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the snapshot {} is not on the server; upload it first", text)};
    }
    TRY(store_.lease(hash));
  }
  return {};
}

/// What tracking keeps as the run's source, and the tags that MLflow's tools look for.
Result<Json> Runs::source_of(const NewExecution& request, std::map<std::string, std::string>& tags) {
  Json source = request.source.is_object() ? request.source : Json(Json::Object{});
  source.set("step", request.spec.step).set("command", request.spec.command).set("snapshot", request.spec.snapshot);
  if (!request.spec.step.empty()) tags.emplace("mlflow.source.name", request.spec.step);
  tags.emplace("mlflow.source.type", "PROJECT");
  if (!request.member_name.empty()) tags.emplace("mlflow.user", request.member_name);
  if (request.manifest.empty()) return source;
  const Json manifest = TRY(Json::parse(TRY(store_.get(TRY(parse_hash(request.manifest))))));
  for (const char* key : {"commit", "branch", "remote", "dirty"}) source.set(key, manifest[key]);
  if (const std::string& commit = manifest["commit"].string(); !commit.empty())
    tags.emplace("mlflow.source.git.commit", commit);
  if (const std::string& branch = manifest["branch"].string(); !branch.empty())
    tags.emplace("mlflow.source.git.branch", branch);
  if (const std::string& remote = manifest["remote"].string(); !remote.empty())
    tags.emplace("mlflow.source.git.repoURL", remote);
  return source;
}

Result<RunId> Runs::write_submit(const NewExecution& request, const Named<ResolvedInput>& inputs) {
  Execution execution;
  execution.run = new_run_id(clock_);
  execution.project = request.project;
  execution.member = request.member;
  execution.member_name = request.member_name;
  execution.spec = request.spec;
  execution.inputs = inputs;
  execution.manifest = request.manifest;
  execution.request_key = request.request_key;
  execution.created_at = execution.queued_at = clock_.now();

  std::map<std::string, std::string> tags = request.tags;
  const Json source = TRY(source_of(request, tags));
  const std::string experiment_name = !request.experiment.empty() ? request.experiment
                                      : request.spec.step.empty() ? "Default"
                                                                  : request.spec.step;
  const auto experiment = TRY(tracking_.experiments().find_or_create(request.project, experiment_name));

  TRY(database_.write(Durability::record, catalog::Write([&](catalog::Connection& connection) -> Result<void> {
                        if (TRY(rows::count_queued(connection)) >= static_cast<std::int64_t>(kQueuedRunsMax)) {
                          return Error{
                              ErrorCode::busy,
                              fmt::format("the run queue is full ({} waiting); try again later", kQueuedRunsMax)};
                        }
                        return rows::insert_draft(connection, execution);
                      })));
  tracking::NewRun run;
  run.project = request.project;
  run.experiment = experiment.id;
  run.id = execution.run;
  run.name = request.name;
  run.state = RunState::queued;
  if (!request.member.empty()) run.member = request.member;
  run.user_name = request.member_name;
  run.source_kind = tracking::SourceKind::step;
  run.source = source.render();
  run.started_at = execution.created_at;
  run.params = parameters_of(request.spec);
  run.tags.assign(tags.begin(), tags.end());
  const auto created = tracking_.runs().create(run);
  if (!created.ok()) {
    TRY(database_.write(Durability::record, catalog::Write([&](catalog::Connection& connection) {
                          return rows::delete_draft(connection, execution.run);
                        })));
    return created.error();
  }
  std::vector<registry::Edge> edges;
  for (const auto& [name, input] : inputs) {
    edges.push_back({{input.cause_kind, input.cause_id}, {"run", execution.run.text}, "input", clock_.now()});
  }
  TRY(registry_.lineage().add(request.project, edges));
  TRY(database_.write(Durability::record, catalog::Write([&](catalog::Connection& connection) {
                        return rows::draft_to_queued(connection, execution.run);
                      })));
  changed(execution, EventKind::run_changed);
  return execution.run;
}

Result<RunId> Runs::submit(const NewExecution& wanted) {
  NewExecution request = wanted;
  const auto earlier = [&]() -> Result<std::optional<RunId>> {
    if (request.request_key.empty()) return std::optional<RunId>();
    return database_.read_value([&](catalog::Connection& connection) {
      return rows::run_of_key(connection, request.project, request.request_key);
    });
  };
  if (const auto run = TRY(earlier())) return *run;
  request.manifest = TRY(manifest_of(request));
  TRY(require_blobs(request));
  const Named<ResolvedInput> inputs = TRY(resolve(request.project, request.spec.inputs));
  auto run = write_submit(request, inputs);
  if (!run.ok() && run.error().code == ErrorCode::already_exists) {
    if (const auto first = TRY(earlier())) return *first;  // two at once: the unique key let one through
  }
  return run;
}

Result<RunId> Runs::rerun(const ProjectId& project, const RunId& run, const Named<Json>& parameters,
                          const MemberId& member, const std::string& member_name) {
  const Execution before = TRY(get(project, run));
  const tracking::Run row = TRY(tracking_.runs().get(project, run));
  NewExecution request;
  request.project = project;
  request.member = member;
  request.member_name = member_name;
  request.spec = before.spec;
  request.manifest = before.manifest;
  request.experiment = row.experiment_name;
  request.source = Json(Json::Object{{"rerun_of", run.text}});
  for (const auto& [name, value] : parameters) {
    const auto at = std::find_if(request.spec.parameters.begin(), request.spec.parameters.end(),
                                 [&, &key = name](const auto& p) { return p.first == key; });
    if (at == request.spec.parameters.end()) {
      std::vector<std::string> known;
      for (const auto& [key, old] : request.spec.parameters) known.push_back(key);
      const auto likely = nearest(name, known);
      return Error{ErrorCode::invalid_argument, fmt::format("the run has no parameter '{}'{}", name,
                                                            likely ? "; did you mean '" + *likely + "'?" : "")};
    }
    at->second = TRY(parameter_value(name, parameter_like(at->second), value));
  }
  TRY(require_blobs(request));
  return write_submit(request, before.inputs);
}

Result<void> Runs::finish_drafts() {
  // Younger ones may be in the middle of their submit.
  const Time before = clock_.now() - std::chrono::minutes(1);
  const auto drafts =
      TRY(database_.read_value([&](catalog::Connection& connection) { return rows::drafts(connection, before); }));
  for (const auto& [run, project] : drafts) {
    const auto found = tracking_.runs().get(project, run);
    if (!found.ok() && found.error().code != ErrorCode::not_found) return found.error();
    TRY(database_.write(Durability::record, catalog::Write([&, &id = run](catalog::Connection& connection) {
                          return found.ok() ? rows::draft_to_queued(connection, id)
                                            : rows::delete_draft(connection, id);
                        })));
  }
  return {};
}

}  // namespace slipway::runs
