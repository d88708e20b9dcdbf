#include "api/native/dataset_import.h"

#include <filesystem>

#include "api/api.h"
#include "api/idempotency.h"
#include "base/text.h"
#include "domain/grammar.h"
#include "domain/project_file.h"
#include "domain/tree.h"

namespace slipway::api {
namespace {

constexpr std::string_view kFolder = "files";
constexpr std::uint64_t kImportBodyBytesMax = 4ull << 20;
constexpr size_t kMessageBytesMax = 4096;

/// The command line lies beside this program.
std::string command_line_program() {
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "slipway").string();
}

Result<void> check_names(const DatasetImport& request) {
  for (const auto& [what, name] : {std::pair("dataset", request.dataset), std::pair("branch", request.branch)}) {
    if (check_grammar_name(name).ok()) continue;
    return Error{ErrorCode::invalid_argument,
                 "'" + clean_utf8(name, 100) + "' cannot be the name of a " + what +
                     "; expected 1 to 128 letters, digits, '_', '-' and '.', beginning with a letter, digit or '_'"};
  }
  if (request.message.size() > kMessageBytesMax) return Error{ErrorCode::too_large, "the message is longer than 4 KiB"};
  return {};
}

/// What the command finds in its folder: the files below `files/`, and the declaration in a slipway.yaml of its own, so
/// that no other one further up is taken.
Result<Hash> write_folder(registry::Registry& registry, const DatasetImport& request) {
  ProjectFile file;
  if (request.declaration.is_object())
    file.datasets.emplace_back(request.dataset, TRY(parse_dataset_declaration(request.declaration)));
  Tree tree = TRY(registry.datasets().tree(request.tree));
  if (tree.entries.empty())
    return Error{ErrorCode::invalid_argument, "the tree " + render(request.tree) + " holds no files"};
  for (TreeEntry& entry : tree.entries) {
    if (entry.kind == TreeEntryKind::link)
      return Error{ErrorCode::invalid_argument,
                   "the tree holds the link " + entry.path + "; a dataset is made of files"};
    entry.path = std::string(kFolder) + "/" + entry.path;
    TRY(check_relative_path(entry.path));
  }
  const auto declared = TRY(registry.store().put(render(file)));
  tree.entries.push_back({std::string(kProjectFileName), declared.hash, declared.size, TreeEntryKind::file});
  return TRY(registry.store().put(render(std::move(tree)))).hash;
}

Result<DatasetImport> read(const http::Request& request) {
  const Json body = TRY(json_body(request));
  const Caller caller = caller_of(request);
  DatasetImport import;
  import.project = project_of(request);
  import.dataset = std::string(request.parameter("name"));
  import.tree = TRY(parse_hash(TRY(required_string(body, "tree"))));
  import.declaration = body["declaration"];
  if (!import.declaration.is_null() && !import.declaration.is_object()) {
    return Error{ErrorCode::invalid_argument, std::string("'declaration' is a ") +
                                                  std::string(import.declaration.type_name()) +
                                                  " in the request; expected an object"};
  }
  import.branch = TRY(optional_string(body, "branch", "main"));
  import.message = TRY(optional_string(body, "message"));
  const std::string mode = TRY(optional_string(body, "mode", "add"));
  if (mode != "add" && mode != "replace")
    return Error{ErrorCode::invalid_argument, "'mode' is '" + clean_utf8(mode, 100) + "'; expected add or replace"};
  import.replace = mode == "replace";
  import.member = caller.member;
  import.member_name = caller.name;
  import.request_key = Idempotency::request_key(request);
  return import;
}

}  // namespace

Result<RunId> import_dataset(runs::Runs& runs, registry::Registry& registry, const DatasetImport& request) {
  TRY(check_names(request));
  runs::NewExecution execution;
  execution.project = request.project;
  execution.member = request.member;
  execution.member_name = request.member_name;
  execution.request_key = request.request_key;
  execution.name = "import " + request.dataset;
  execution.experiment = "imports";
  execution.tags["slipway.dataset"] = request.dataset;
  execution.spec.step = "import";
  // Names and words from outside are values of holes: those are quoted.
  execution.spec.parameters = {{"dataset", Json(request.dataset)}, {"branch", Json(request.branch)}};
  execution.spec.command =
      shell_quote(command_line_program()) + " data add {dataset} " + std::string(kFolder) + " --branch {branch}";
  if (request.replace) execution.spec.command += " --replace";
  if (!request.message.empty()) {
    execution.spec.parameters.emplace_back("message", Json(request.message));
    execution.spec.command += " --message={message}";
  }
  execution.spec.variables.emplace_back("SLIPWAY_CONFIG",
                                        "/dev/null");  // what the machine's user configured is not meant for this
  execution.spec.snapshot = render(TRY(write_folder(registry, request)));
  return runs.submit(execution);
}

void add_dataset_import(http::Router& router, runs::Runs& runs, registry::Registry& registry,
                        std::function<Result<Json>(const ProjectId&, const RunId&)> show_run) {
  const auto handle = [&runs, &registry, show_run = std::move(show_run)](const http::Request& request) -> Result<Json> {
    const DatasetImport import = TRY(read(request));
    return show_run(import.project, TRY(import_dataset(runs, registry, import)));
  };
  router.add(http::Method::post, "/api/v1/datasets/{name}/import",
             [handle](http::Request& request, http::Responder responder) {
               answer(responder, handle(request),
                      [](const Json& json) { return http::Response::json(json.render(), 201); });
             },
             {.where = http::Where::on_pool, .body_bytes_max = kImportBodyBytesMax});
}

}  // namespace slipway::api
