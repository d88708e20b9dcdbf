// slipway data …: folders become commits of datasets, and back.
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "data/data.h"
#include "domain/project_file.h"
#include "transfer.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kProblemsNamed = 50;

/// "digits@test", "dataset:digits@test" or "digits" (the branch main).
struct Which {
  std::string name, ref = "main";
};
Which which_of(std::string_view text) {
  if (text.starts_with("dataset:")) text.remove_prefix(8);
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return {std::string(text)};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string path_of(const std::string& dataset) { return "/api/v1/datasets/" + http::url_encode(dataset); }
std::string path_of(const Which& which) { return path_of(which.name) + "/commits/" + http::url_encode(which.ref); }

std::string whole(const Json& number) { return std::to_string(number.integer().value_or(0)); }
std::string size_of(const Json& number) {
  return render_bytes(static_cast<std::uint64_t>(number.integer().value_or(0)));
}

std::string page_url(const Context& context, const std::string& path) {
  const std::string& project = context.settings().project;
  return context.settings().url + (project == "default" ? "" : "/projects/" + http::url_encode(project)) + path;
}

// --- add -----------------------------------------------------------------------------------------------------------

/// From slipway.yaml when it declares this dataset: the one given, or the nearest one upwards from here.
Result<std::optional<DatasetDeclaration>> declared(const std::string& name, const std::string& given) {
  fs::path file = given;
  if (given.empty()) {
    for (fs::path folder = fs::current_path(); file.empty(); folder = folder.parent_path()) {
      if (fs::exists(folder / kProjectFileName)) file = folder / kProjectFileName;
      if (folder == folder.root_path()) break;
    }
    if (file.empty()) return std::optional<DatasetDeclaration>();
  }
  const ProjectFile project = TRY(parse_project_file(TRY(read_file(file, kProjectFileBytesMax)), file.string()));
  if (const DatasetDeclaration* found = find(project.datasets, name)) return std::optional(*found);
  if (!given.empty())
    return Error{ErrorCode::not_found, fmt::format("{} declares no dataset '{}'", file.string(), name)};
  return std::optional<DatasetDeclaration>();
}

Result<Json> add_folder(Context& context, const Arguments& arguments, const DatasetDeclaration& declaration,
                        const fs::path& folder) {
  data::PrepareOptions options;
  options.problems_named = kProblemsNamed;
  std::optional<Progress> reading;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (!reading) reading.emplace(context, "reading", total, false);
    reading->set(done);
    return true;
  };
  const data::Prepared prepared = TRY(data::prepare(declaration, folder, options));
  reading.reset();
  if (prepared.files_unused > 0) {
    std::fprintf(stderr, "%llu files match no stream and were left out, such as %s\n",
                 static_cast<unsigned long long>(prepared.files_unused), prepared.unused_examples[0].c_str());
  }
  std::vector<Outgoing> blobs;
  for (const TreeEntry& entry : prepared.tree.entries)
    blobs.push_back({entry.hash, entry.size, folder / entry.path, ""});
  const std::string tree = render(prepared.tree);
  blobs.push_back({hash_of(tree), tree.size(), "", tree});
  blobs.push_back({hash_of(prepared.samples.text()), prepared.samples.text().size(), "", prepared.samples.text()});
  const Sent sent = TRY(send_blobs(context, blobs, "sending"));
  if (!context.json()) {
    std::printf("%zu samples, %zu files, %s; %llu blobs (%s) were new to the server\n", prepared.samples.size(),
                prepared.tree.entries.size(), render_bytes(prepared.tree.bytes()).c_str(),
                static_cast<unsigned long long>(sent.blobs), render_bytes(sent.bytes).c_str());
  }
  Json request;
  request.set("branch", arguments.get("branch"))
      .set("mode", arguments.has("replace") ? "replace" : "add")
      .set("tree", render(hash_of(tree)));
  request.set("samples_blob", render(hash_of(prepared.samples.text()))).set("declaration", to_json(declaration));
  request.set("message", arguments.has("message") ? arguments.get("message") : "add " + folder.filename().string());
  return context.post(path_of(arguments.get("dataset")) + "/commits", request);
}

Result<int> run_add(Context& context, const Arguments& arguments) {
  const std::string name = arguments.get("dataset");
  fs::path folder = fs::path(arguments.get("folder")).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (!fs::is_directory(folder)) return Error{ErrorCode::not_found, folder.string() + " is no folder"};
  auto declaration = TRY(declared(name, arguments.get("file")));
  if (!declaration) declaration = TRY(data::infer_declaration(TRY(data::list_files(folder))));
  const Json commit = TRY(add_folder(context, arguments, *declaration, folder));
  if (context.json()) {
    print_json(commit);
    return kExitOk;
  }
  std::printf("%s@%s is at commit %s now: %s samples, %s\n%s\n", name.c_str(), arguments.get("branch").c_str(),
              commit["id"].string().c_str(), whole(commit["sample_count"]).c_str(), size_of(commit["bytes"]).c_str(),
              page_url(context, "/datasets/" + http::url_encode(name)).c_str());
  return kExitOk;
}

// --- looking -------------------------------------------------------------------------------------------------------

Result<int> run_list(Context& context, const Arguments&) {
  const auto datasets = TRY(context.list("/api/v1/datasets", "datasets", 10'000));
  if (context.json()) {
    print_json(Json().set("datasets", datasets));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& dataset : datasets) {
    std::vector<std::string> branches;
    for (const Json& branch : dataset["branches"].array()) branches.push_back(branch["name"].string());
    rows.push_back({dataset["name"].string(), whole(dataset["sample_count"]), size_of(dataset["bytes"]),
                    join(branches, ", "), render_ago(dataset["updated_at"])});
  }
  print_table({"name", "samples", "bytes", "branches", "changed"}, rows);
  return kExitOk;
}

Result<int> run_show(Context& context, const Arguments& arguments) {
  const Which which = which_of(arguments.get("dataset"));
  const Json dataset = TRY(context.get(path_of(which.name)));
  const Json::Array commits =
      TRY(context.list(path_of(which.name) + "/commits?branch=" + http::url_encode(which.ref), "commits", 20));
  if (context.json()) {
    print_json(Json().set("dataset", dataset).set("commits", commits));
    return kExitOk;
  }
  print_fields({{"name", dataset["name"].string()},
                {"description", dataset["description"].string()},
                {"created", render_ago(dataset["created_at"])}});
  std::vector<std::vector<std::string>> branches;
  for (const Json& branch : dataset["branches"].array())
    branches.push_back({branch["name"].string(), branch["commit_id"].string(), render_ago(branch["updated_at"])});
  std::puts("");
  print_table({"branch", "commit", "moved"}, branches);
  std::vector<std::vector<std::string>> rows;
  for (const Json& commit : commits) {
    rows.push_back({commit["id"].string(), whole(commit["sample_count"]), size_of(commit["bytes"]),
                    commit["author"].string(), render_ago(commit["created_at"]), commit["message"].string()});
  }
  std::printf("\ncommits of %s\n", which.ref.c_str());
  print_table({"commit", "samples", "bytes", "author", "made", "message"}, rows);
  return kExitOk;
}

std::vector<std::string> sample_row(const Json& sample) {
  std::vector<std::string> attributes;
  for (const auto& [name, value] : sample["attributes"].object())
    attributes.push_back(name + "=" + (value.is_string() ? value.string() : value.render()));
  const Json& label = sample["label"];
  return {sample["key"].string(),
          label.is_null()     ? ""
          : label.is_string() ? label.string()
                              : label.render(),
          std::to_string(sample["streams"].object().size()), join(attributes, " ")};
}

Result<int> run_samples(Context& context, const Arguments& arguments) {
  const Which which = which_of(arguments.get("dataset"));
  const std::int64_t most = TRY(arguments.integer("limit"));
  const auto samples = TRY(context.list(path_of(which) + "/samples?filter=" + http::url_encode(arguments.get("filter")),
                                        "samples", static_cast<size_t>(std::max<std::int64_t>(most, 1))));
  if (context.json()) {
    print_json(Json().set("samples", samples));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& sample : samples) rows.push_back(sample_row(sample));
  print_table({"key", "label", "streams", "attributes"}, rows);
  return kExitOk;
}

Result<int> run_diff(Context& context, const Arguments& arguments) {
  const std::string path = path_of(arguments.get("dataset")) +
                           "/diff?page_size=1000&from=" + http::url_encode(arguments.get("from")) +
                           "&to=" + http::url_encode(arguments.get("to"));
  const Json diff = TRY(context.get(path));
  if (context.json()) {
    print_json(diff);
    return kExitOk;
  }
  for (const Json& sample : diff["added"].array()) std::printf("+ %s\n", sample["key"].string().c_str());
  for (const Json& sample : diff["removed"].array()) std::printf("- %s\n", sample["key"].string().c_str());
  for (const Json& change : diff["changed"].array()) std::printf("~ %s\n", change["after"]["key"].string().c_str());
  const Json& counts = diff["counts"];
  std::printf("%s added, %s removed, %s changed\n", whole(counts["added"]).c_str(), whole(counts["removed"]).c_str(),
              whole(counts["changed"]).c_str());
  return kExitOk;
}

// --- branches, folders ---------------------------------------------------------------------------------------------

Result<int> print_commit(Context& context, const Json& commit, const std::string& sentence) {
  if (context.json()) {
    print_json(commit);
  } else {
    std::printf("%s: %s samples\n", sentence.c_str(), whole(commit["sample_count"]).c_str());
  }
  return kExitOk;
}

Result<int> run_branch(Context& context, const Arguments& arguments) {
  const Which which = which_of(arguments.get("dataset"));
  const std::string branch = arguments.get("branch");
  if (arguments.has("remove")) {
    TRY(context.del(path_of(which.name) + "/branches/" + http::url_encode(branch)));
    if (context.json())
      print_json(Json().set("removed", which.name + "@" + branch));
    else
      std::printf("%s has no branch %s any more; its commits stay\n", which.name.c_str(), branch.c_str());
    return kExitOk;
  }
  const Json moved = TRY(context.put(path_of(which.name) + "/branches/" + http::url_encode(branch),
                                     Json().set("commit_id", which.ref).set("reason", arguments.get("message"))));
  if (context.json()) {
    print_json(moved);
  } else {
    std::printf("%s@%s is at commit %s now\n", which.name.c_str(), branch.c_str(), moved["commit_id"].string().c_str());
  }
  return kExitOk;
}

Result<int> run_merge(Context& context, const Arguments& arguments) {
  Json body;
  body.set("from", arguments.get("from")).set("into", arguments.get("into"));
  if (arguments.has("message")) body.set("message", arguments.get("message"));
  const Json commit = TRY(context.post(path_of(arguments.get("dataset")) + "/merge", body));
  return print_commit(
      context, commit,
      arguments.get("dataset") + "@" + arguments.get("into") + " is at commit " + commit["id"].string() + " now");
}

Result<int> run_get(Context& context, const Arguments& arguments) {
  const Which which = which_of(arguments.get("dataset"));
  const Json commit = TRY(context.get(path_of(which)));
  const Tree tree = TRY(parse_tree(TRY(fetch_blob(context, TRY(parse_hash(commit["tree"].string()))))));
  const Received received =
      TRY(fetch_tree(context, tree, arguments.get("folder"), arguments.has("force"), "receiving"));
  if (context.json()) {
    print_json(Json()
                   .set("commit", commit)
                   .set("files", received.files)
                   .set("bytes", received.bytes)
                   .set("files_kept", received.kept));
  } else {
    std::printf("%s: %llu files (%s) of commit %s, %llu were there already\n", arguments.get("folder").c_str(),
                static_cast<unsigned long long>(received.files), render_bytes(received.bytes).c_str(),
                commit["id"].string().c_str(), static_cast<unsigned long long>(received.kept));
  }
  return kExitOk;
}

Result<int> run_remove(Context& context, const Arguments& arguments) {
  TRY(context.del(path_of(arguments.get("dataset"))));
  if (context.json())
    print_json(Json().set("removed", arguments.get("dataset")));
  else
    std::printf("the dataset %s is gone; `slipway gc` frees its bytes\n", arguments.get("dataset").c_str());
  return kExitOk;
}

const Positional kDataset{"dataset", "NAME, or NAME@BRANCH, or NAME@COMMIT"};

}  // namespace

void add_data(Commands& commands) {
  commands.push_back(
      {.path = "data add",
       .summary = "Take a folder of files into a dataset",
       .details =
           "Files are joined into samples by the patterns that slipway.yaml declares for the dataset; without a declaration the folder may hold images/NAME.png with "
           "labels/NAME.txt, CLASS/NAME.png, or pictures just so. Samples with a key that the branch has already are replaced. One broken file, and nothing is committed.",
       .example =
           "slipway data add digits images/ --branch main\n  slipway data add digits images/ --replace --message 'second scan'",
       .positionals = {{"dataset", "its name; made when it does not exist"}, {"folder", "where the files are"}},
       .options = {{.name = "branch",
                    .letter = 'b',
                    .value_name = "NAME",
                    .help = "the branch that gets the commit",
                    .otherwise = "main"},
                   {.name = "message", .letter = 'm', .value_name = "TEXT", .help = "what the commit is about"},
                   {.name = "replace", .help = "the folder is all there is: samples that are not in it go"},
                   {.name = "file",
                    .letter = 'f',
                    .value_name = "PATH",
                    .help = "the slipway.yaml with the declaration; the nearest one upwards when not given"}},
       .run = run_add});
  commands.push_back({.path = "data list",
                      .summary = "The datasets there are",
                      .details = "",
                      .example = "slipway data list",
                      .positionals = {},
                      .options = {},
                      .run = run_list});
  commands.push_back({.path = "data show",
                      .summary = "One dataset: branches and commits",
                      .details = "",
                      .example = "slipway data show digits\n  slipway data show digits@test",
                      .positionals = {kDataset},
                      .options = {},
                      .run = run_show});
  commands.push_back(
      {.path = "data samples",
       .summary = "Samples of a commit, filtered",
       .details = "Filters compare key, label, attributes and STREAM.width, STREAM.height, STREAM.size.",
       .example = "slipway data samples digits --filter \"label = '3' and brightness < 0.2\"",
       .positionals = {kDataset},
       .options =
           {{.name = "filter", .value_name = "FILTER", .help = "only samples that pass"},
            {.name = "limit", .letter = 'n', .value_name = "COUNT", .help = "at most so many", .otherwise = "50"}},
       .run = run_samples});
  commands.push_back(
      {.path = "data diff",
       .summary = "Which samples two commits do not share",
       .details = "",
       .example = "slipway data diff digits main cases",
       .positionals = {{"dataset", "its name"}, {"from", "a branch or commit"}, {"to", "a branch or commit"}},
       .options = {},
       .run = run_diff});
  commands.push_back(
      {.path = "data branch",
       .summary = "Make, move or remove a branch",
       .details = "",
       .example = "slipway data branch digits@main cases",
       .positionals = {{"dataset", "NAME@BRANCH or NAME@COMMIT: where the branch shall be"}, {"branch", "its name"}},
       .options = {{.name = "remove", .help = "remove the branch instead"},
                   {.name = "message", .letter = 'm', .value_name = "TEXT", .help = "why, for the branch's history"}},
       .run = run_branch});
  commands.push_back(
      {.path = "data merge",
       .summary = "Bring one branch's samples to another",
       .details = "",
       .example = "slipway data merge digits cases --into main",
       .positionals = {{"dataset", "its name"}, {"from", "the branch or commit that is brought"}},
       .options = {{.name = "into", .value_name = "BRANCH", .help = "the branch that gets them", .otherwise = "main"},
                   {.name = "message", .letter = 'm', .value_name = "TEXT", .help = "what the commit is about"}},
       .run = run_merge});
  commands.push_back({.path = "data get",
                      .summary = "Write a commit's files into a folder",
                      .details = "Files that are there with the same bytes are left alone.",
                      .example = "slipway data get digits@main digits/",
                      .positionals = {kDataset, {"folder", "where to; made when it does not exist"}},
                      .options = {{.name = "force", .help = "replace files that are there with other content"}},
                      .run = run_get});
  commands.push_back({.path = "data remove",
                      .summary = "Remove a dataset",
                      .details = "",
                      .example = "slipway data remove scratch",
                      .positionals = {{"dataset", "its name"}},
                      .options = {},
                      .run = run_remove});
}

}  // namespace slipway::cli
