// slipway models …: versions, aliases and their history.
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "data/data.h"
#include "transfer.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

std::string path_of(const std::string& model) { return "/api/v1/models/" + http::url_encode(model); }
std::string whole(const Json& number) { return number.is_null() ? "" : std::to_string(number.integer().value_or(0)); }

/// The version that "digits/2", "digits@production" or "digits" (the newest) names.
Result<Json> find_version(Context& context, std::string_view text) {
  if (text.starts_with("model:")) text.remove_prefix(6);
  const size_t mark = text.find_first_of("/@");
  const std::string name(text.substr(0, mark));
  std::string number = mark != std::string_view::npos && text[mark] == '/' ? std::string(text.substr(mark + 1)) : "";
  if (number.empty()) {
    const Json model = TRY(context.get(path_of(name)));
    const std::string alias = mark == std::string_view::npos ? "" : std::string(text.substr(mark + 1));
    const Json& found = alias.empty() || alias == "latest" ? model["latest_version"] : model["aliases"][alias];
    if (found.is_null())
      return Error{ErrorCode::not_found, alias.empty() ? "the model " + name + " has no version yet"
                                                       : "the model " + name + " has no alias '" + alias + "'"};
    number = whole(found);
  }
  return context.get(path_of(name) + "/versions/" + http::url_encode(number));
}

Result<int> run_list(Context& context, const Arguments& arguments) {
  const auto models =
      TRY(context.list("/api/v1/models?filter=" + http::url_encode(arguments.get("filter")), "models", 10'000));
  if (context.json()) {
    print_json(Json().set("models", models));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& model : models) {
    std::vector<std::string> aliases;
    for (const auto& [alias, version] : model["aliases"].object()) aliases.push_back(alias + "=" + whole(version));
    rows.push_back({model["name"].string(), whole(model["latest_version"]), whole(model["versions_count"]),
                    join(aliases, " "), render_ago(model["updated_at"])});
  }
  print_table({"name", "latest", "versions", "aliases", "changed"}, rows);
  return kExitOk;
}

std::string tensors_of(const Json& tensors) {
  std::vector<std::string> texts;
  for (const Json& tensor : tensors.array())
    texts.push_back(tensor["name"].string() + " " + tensor["datatype"].string() + " " + tensor["shape"].render());
  return join(texts, ", ");
}

Result<int> show_version(Context& context, const std::string& text) {
  const Json version = TRY(find_version(context, text));
  if (context.json()) {
    print_json(version);
    return kExitOk;
  }
  std::vector<std::string> aliases;
  for (const Json& alias : version["aliases"].array()) aliases.push_back(alias.string());
  print_fields({{"model", version["model"].string() + "/" + whole(version["version"])},
                {"status", version["status"].string()},
                {"aliases", join(aliases, ", ")},
                {"inputs", tensors_of(version["inputs"])},
                {"outputs", tensors_of(version["outputs"])},
                {"run", version["run_id"].string()},
                {"source", version["source"].string()},
                {"made", render_ago(version["created_at"]) +
                             (version["created_by"].is_null() ? "" : " by " + version["created_by"].string())},
                {"description", version["description"].string()}});
  std::vector<std::vector<std::string>> files;
  for (const Json& file : version["files"].array())
    files.push_back(
        {file["path"].string(), render_bytes(static_cast<std::uint64_t>(file["size"].integer().value_or(0)))});
  std::puts("");
  print_table({"file", "bytes"}, files);
  return kExitOk;
}

Result<int> run_show(Context& context, const Arguments& arguments) {
  const std::string text = arguments.get("model");
  if (text.find_first_of("/@") != std::string::npos) return show_version(context, text);
  const Json model = TRY(context.get(path_of(text)));
  const auto versions = TRY(context.list(path_of(text) + "/versions", "versions", 100));
  if (context.json()) {
    print_json(Json().set("model", model).set("versions", versions));
    return kExitOk;
  }
  print_fields({{"name", model["name"].string()},
                {"description", model["description"].string()},
                {"changed", render_ago(model["updated_at"])}});
  std::vector<std::vector<std::string>> rows;
  for (const Json& version : versions) {
    std::vector<std::string> aliases;
    for (const Json& alias : version["aliases"].array()) aliases.push_back(alias.string());
    rows.push_back({whole(version["version"]), version["status"].string(), join(aliases, " "),
                    version["run_id"].string(), version["created_by"].string(), render_ago(version["created_at"])});
  }
  std::puts("");
  print_table({"version", "status", "aliases", "run", "by", "made"}, rows);
  return kExitOk;
}

// --- add, get ------------------------------------------------------------------------------------------------------

Result<int> run_add(Context& context, const Arguments& arguments) {
  const std::string name = arguments.get("model");
  const fs::path path = arguments.get("path");
  const bool is_folder = fs::is_directory(path);
  if (!is_folder && !fs::is_regular_file(path))
    return Error{ErrorCode::not_found, path.string() + " is neither a file nor a folder"};
  std::vector<Outgoing> blobs;
  Json::Array files;
  for (const std::string& file :
       is_folder ? TRY(data::list_files(path)) : std::vector<std::string>{path.filename().string()}) {
    const fs::path from = is_folder ? path / file : path;
    const std::string bytes = TRY(read_file(from));
    blobs.push_back({hash_of(bytes), bytes.size(), from, ""});
    files.push_back(Json().set("path", file).set("hash", render(blobs.back().hash)));
  }
  if (files.empty()) return Error{ErrorCode::invalid_argument, path.string() + " holds no file"};
  TRY(send_blobs(context, blobs, "sending"));
  if (const auto there = context.get(path_of(name)); !there.ok()) {
    if (there.error().code != ErrorCode::not_found) return there.error();
    TRY(context.post("/api/v1/models", Json().set("name", name)));
  }
  const Json version =
      TRY(context.post(path_of(name) + "/versions",
                       Json().set("files", std::move(files)).set("description", arguments.get("description"))));
  if (context.json()) {
    print_json(version);
  } else {
    std::printf("%s has version %s now\n", name.c_str(), whole(version["version"]).c_str());
  }
  return kExitOk;
}

Result<int> run_get(Context& context, const Arguments& arguments) {
  const Json version = TRY(find_version(context, arguments.get("model")));
  Tree tree;
  for (const Json& file : version["files"].array()) {
    TRY(check_relative_path(file["path"].string()));
    const Hash hash = TRY(parse_hash(file["hash"].string()));
    tree.entries.push_back({file["path"].string(), hash, static_cast<std::uint64_t>(file["size"].integer().value_or(0)),
                            TreeEntryKind::file});
  }
  const Received received =
      TRY(fetch_tree(context, tree, arguments.get("folder"), arguments.has("force"), "receiving"));
  if (!context.json())
    std::printf("%s: %llu files (%s) of %s/%s\n", arguments.get("folder").c_str(),
                static_cast<unsigned long long>(received.files), render_bytes(received.bytes).c_str(),
                version["model"].string().c_str(), whole(version["version"]).c_str());
  else
    print_json(Json().set("version", version).set("files", received.files).set("bytes", received.bytes));
  return kExitOk;
}

// --- aliases -------------------------------------------------------------------------------------------------------

Result<int> run_alias(Context& context, const Arguments& arguments) {
  const std::string path = path_of(arguments.get("model")) + "/aliases/" + http::url_encode(arguments.get("alias"));
  Json model;
  if (arguments.has("remove")) {
    model = TRY(context.del(path));
  } else {
    if (arguments.get("version").empty())
      return Error{ErrorCode::invalid_argument, "say the version that the alias shall name, or give --remove"};
    model = TRY(context.put(
        path, Json().set("version", TRY(arguments.integer("version"))).set("reason", arguments.get("reason"))));
  }
  if (context.json()) {
    print_json(model);
  } else {
    const Json& now = model["aliases"][arguments.get("alias")];
    std::printf("%s@%s %s\n", arguments.get("model").c_str(), arguments.get("alias").c_str(),
                now.is_null() ? "is gone" : ("is version " + whole(now) + " now").c_str());
  }
  return kExitOk;
}

Result<int> run_history(Context& context, const Arguments& arguments) {
  const auto moves = TRY(context.list(path_of(arguments.get("model")) + "/history", "history", 200));
  if (context.json()) {
    print_json(Json().set("history", moves));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& move : moves) {
    rows.push_back({render_ago(move["at"]), move["alias"].string(), whole(move["from_version"]),
                    whole(move["to_version"]), move["member"].string(), move["reason"].string()});
  }
  print_table({"when", "alias", "from", "to", "by", "why"}, rows);
  return kExitOk;
}

Result<int> run_remove(Context& context, const Arguments& arguments) {
  const std::string text = arguments.get("model");
  const size_t slash = text.find('/');
  TRY(context.del(slash == std::string::npos
                      ? path_of(text)
                      : path_of(text.substr(0, slash)) + "/versions/" + http::url_encode(text.substr(slash + 1))));
  if (context.json())
    print_json(Json().set("removed", text));
  else
    std::printf("%s is gone; `slipway gc` frees its bytes\n", text.c_str());
  return kExitOk;
}

const Positional kVersion{"model", "NAME/VERSION, NAME@ALIAS, or NAME for its newest version"};

}  // namespace

void add_models(Commands& commands) {
  commands.push_back(
      {.path = "models list",
       .summary = "The models there are",
       .details = "",
       .example = "slipway models list --filter \"tags.team = 'vision'\"",
       .positionals = {},
       .options = {{.name = "filter", .value_name = "FILTER", .help = "only models that pass: name, tags.KEY"}},
       .run = run_list});
  commands.push_back(
      {.path = "models show",
       .summary = "One model, or one version of it",
       .details = "",
       .example = "slipway models show digits\n  slipway models show digits/2\n  slipway models show digits@production",
       .positionals = {{"model", "NAME, NAME/VERSION or NAME@ALIAS"}},
       .options = {},
       .run = run_show});
  commands.push_back(
      {.path = "models add",
       .summary = "Make a version from a file or folder",
       .details =
           "In a folder, labels.txt names the model's classes, one a line, and preprocess.json says how a picture becomes its input.",
       .example = "slipway models add digits model.onnx",
       .positionals = {{"model", "its name; made when it does not exist"},
                       {"path", "the file, or a folder with all files"}},
       .options = {{.name = "description", .letter = 'm', .value_name = "TEXT", .help = "what is special about it"}},
       .run = run_add});
  commands.push_back({.path = "models get",
                      .summary = "Write a version's files into a folder",
                      .details = "",
                      .example = "slipway models get digits@production model/",
                      .positionals = {kVersion, {"folder", "where to"}},
                      .options = {{.name = "force", .help = "replace files that are there with other content"}},
                      .run = run_get});
  commands.push_back({.path = "models alias",
                      .summary = "Make, move or remove an alias",
                      .details = "Deployments that follow the alias roll out the version it names.",
                      .example = "slipway models alias digits production 2 --reason 'better on thick strokes'",
                      .positionals = {{"model", "its name"},
                                      {"alias", "such as production"},
                                      {"version", "the version it shall name", false}},
                      .options = {{.name = "reason", .value_name = "TEXT", .help = "why, for the history"},
                                  {.name = "remove", .help = "remove the alias instead"}},
                      .run = run_alias});
  commands.push_back({.path = "models history",
                      .summary = "Who moved which alias, when and why",
                      .details = "",
                      .example = "slipway models history digits",
                      .positionals = {{"model", "its name"}},
                      .options = {},
                      .run = run_history});
  commands.push_back({.path = "models remove",
                      .summary = "Remove a model, or one version of it",
                      .details = "",
                      .example = "slipway models remove digits/1",
                      .positionals = {{"model", "NAME or NAME/VERSION"}},
                      .options = {},
                      .run = run_remove});
}

}  // namespace slipway::cli
