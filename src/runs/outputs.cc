// Outputs of a run become what they were declared to be: artifacts always, a model's version or a dataset's commit when
// so said.
#include <fmt/format.h>

#include "base/text.h"
#include "runs/rows.h"
#include "runs/runs.h"

namespace slipway::runs {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Write;

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

registry::Artifact artifact(std::string path, const Hash& hash, std::uint64_t size, Time now) {
  return {std::move(path), hash, size, "", now};
}

}  // namespace

Result<void> Runs::report_output(const AttemptId& id, const OutputReport& report) {
  const Attempt attempt = TRY(this->attempt(id));
  if (attempt.state == AttemptState::over) return Error{ErrorCode::failed_precondition, "the attempt is over"};
  const auto execution =
      TRY(database_.read_value([&](Connection& connection) { return rows::execution(connection, attempt.run); }));
  if (!execution) return Error{ErrorCode::not_found, "there is no run " + attempt.run.text};
  const StepOutput* declared = find(execution->spec.outputs, report.name);
  if (!declared) {
    return Error{ErrorCode::invalid_argument, fmt::format("the run declares no output '{}'", report.name)};
  }
  RunOutput output{report.name, report.path, report.hash, report.is_tree, report.bytes, "", 0, "", ""};
  for (const RunOutput& before : TRY(outputs(execution->project, attempt.run))) {
    // Told twice, because our answer got lost: the version or commit is there already.
    if (before.name == report.name && before.hash == report.hash) return {};
  }
  TRY(register_output(*execution, output, *declared));
  TRY(database_.write(Durability::record, Write([&](Connection& connection) {
                        return rows::put_output(connection, attempt.run, output);
                      })));
  changed(*execution, EventKind::run_changed);
  return {};
}

Result<void> Runs::register_output(const Execution& execution, RunOutput& output, const StepOutput& declared) {
  const Time now = clock_.now();
  std::vector<registry::Artifact> kept, files;  // by their path in the run; by their path in the output
  if (output.is_tree) {
    const Tree tree = TRY(registry_.datasets().tree(output.hash));
    for (const TreeEntry& entry : tree.entries) {
      if (entry.kind == TreeEntryKind::link) continue;  // a link means nothing outside its folder
      kept.push_back(artifact(output.path + "/" + entry.path, entry.hash, entry.size, now));
      files.push_back(artifact(entry.path, entry.hash, entry.size, now));
    }
  } else {
    if (!TRY(store_.contains(output.hash))) {
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the bytes of the output '{}' are not on the server", output.name)};
    }
    kept.push_back(artifact(output.path, output.hash, output.bytes, now));
    files.push_back(artifact(file_name(output.path), output.hash, output.bytes, now));
  }
  const registry::Owner owner{execution.project, registry::OwnerKind::run, execution.run.text};
  TRY(registry_.artifacts().put(owner, kept));

  const registry::Node run{"run", execution.run.text};
  if (!declared.model.empty()) {
    const auto created = registry_.models().create(execution.project, declared.model, "", {});
    if (!created.ok() && created.error().code != ErrorCode::already_exists) return created.error();
    registry::NewVersion version;
    version.source = fmt::format("runs:/{}/{}", execution.run.text, output.path);
    version.run = execution.run;
    version.created_by = execution.member_name;
    version.files = files;
    const registry::Version made = TRY(registry_.models().create_version(execution.project, declared.model, version));
    output.model = declared.model;
    output.version = made.version;
    TRY(registry_.lineage().add(execution.project, run,
                                {"model_version", fmt::format("{}/{}", made.model, made.version)}, "output"));
  }
  if (!declared.dataset.empty()) {
    if (!output.is_tree) {
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("the output '{}' should become a commit of the dataset '{}', but is a file; expected a folder",
                      output.name, declared.dataset)};
    }
    registry::NewCommit commit;
    commit.branch = declared.branch.empty() ? "main" : declared.branch;
    const auto head = registry_.datasets().get_commit(execution.project, declared.dataset, commit.branch);
    if (head.ok()) {
      commit.parent = head->id;
      commit.declaration = head->declaration;
    } else if (head.error().code != ErrorCode::not_found) {
      return head.error();
    }
    commit.tree = output.hash;
    commit.message = fmt::format("Output '{}' of run {}", output.name, execution.run.text);
    commit.author = execution.member_name;
    const registry::Commit made = TRY(registry_.datasets().commit(execution.project, declared.dataset, commit));
    output.dataset = declared.dataset;
    output.commit = made.id.text;
    TRY(registry_.lineage().add(execution.project, run, {"dataset_commit", made.id.text}, "output"));
  }
  return {};
}

Result<void> Runs::visit_references(const registry::ReferenceVisitor& visit, const registry::Gone& gone) {
  return database_.read([&](Connection& connection) -> Result<void> {
    TRY(connection.run("SELECT spec, inputs, manifest, run_id FROM executions", {}, [&](const catalog::Row& row) {
      if (gone.has_run(row.text(3))) return true;
      const auto spec = Json::parse(row.text(0));
      if (spec.ok()) {
        if (const auto snapshot = parse_hash((*spec)["snapshot"].string()); snapshot.ok()) visit(*snapshot, true);
      }
      if (const auto manifest = parse_hash(row.text(2)); manifest.ok()) visit(*manifest, false);
      const auto inputs = Json::parse(row.text(1));
      const auto resolved =
          inputs.ok() ? parse_resolved_inputs(*inputs) : Result<Named<ResolvedInput>>(Named<ResolvedInput>{});
      if (!resolved.ok()) return true;
      for (const auto& [name, input] : *resolved) visit(input.hash, input.is_tree);
      return true;
    }));
    TRY(connection.run("SELECT hash, is_tree, run_id FROM run_outputs", {}, [&](const catalog::Row& row) {
      if (gone.has_run(row.text(2))) return true;
      if (const auto hash = parse_hash(row.text(0)); hash.ok()) visit(*hash, row.integer(1) != 0);
      return true;
    }));
    return {};
  });
}

}  // namespace slipway::runs
