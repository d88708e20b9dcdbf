// slipway sync: what programs logged into folders, sent to the server.
#include "imports/sync.h"

#include <cstdio>

#include "base/text.h"
#include "cli.h"
#include "imports/rest.h"

namespace slipway::cli {
namespace {

constexpr const char* kDefaultFolder = "slipway-runs";

Result<std::vector<std::filesystem::path>> folders_of(const Arguments& arguments) {
  std::vector<std::string> named = arguments.all("folder");
  const bool is_default = named.empty();
  if (is_default) named = {kDefaultFolder};
  std::vector<std::filesystem::path> folders;
  for (const std::string& name : named) {
    const auto found = imports::find_run_folders(name);
    if (found.empty() && !is_default)
      return Error{ErrorCode::not_found, "there is no run in " + name +
                                             "; expected a folder that a program made which logs with "
                                             "slipway/tracking.h or python/slipway"};
    folders.insert(folders.end(), found.begin(), found.end());
  }
  return folders;
}

Json synced_json(const std::filesystem::path& folder, const imports::Synced& synced) {
  Json json;
  json.set("folder", folder.string()).set("run_id", synced.run_id).set("points", synced.points);
  return json.set("files", synced.files).set("is_open", synced.is_open).set("is_whole", synced.is_whole);
}

Result<int> sync_runs(Context& context, const Arguments& arguments) {
  const imports::Destination::Place place{context.settings().url, context.settings().token, context.settings().project,
                                          false};
  Json::Array done;
  bool has_failed = false;
  for (const auto& folder : TRY(folders_of(arguments))) {
    const auto synced = imports::sync_folder(folder, place, arguments.has("keep"));
    if (!synced.ok()) {
      if (imports::ends_everything(synced.error())) return synced.error();
      std::fprintf(stderr, "slipway: %s: %s\n", folder.c_str(), synced.error().message.c_str());
      has_failed = true;
      continue;
    }
    done.push_back(synced_json(folder, *synced));
    if (context.json()) continue;
    std::printf("%s  %lld points, %lld files%s\n", synced->run_id.c_str(), static_cast<long long>(synced->points),
                static_cast<long long>(synced->files), synced->is_open ? "; its program still runs" : "");
  }
  if (context.json()) print_json(Json().set("runs", std::move(done)));
  return has_failed ? kExitFailed : kExitOk;
}

}  // namespace

void add_sync(Commands& commands) {
  commands.push_back(
      {.path = "sync",
       .summary = "Send what programs logged into folders while offline, exactly once",
       .details =
           "Folders of slipway/tracking.h and python/slipway. A folder is removed when all of it is at the server "
           "and its run is over. The same command again sends only what is new.",
       .example = "slipway sync ./slipway-runs",
       .positionals = {{.name = "folder",
                        .help = "of one run or of many; slipway-runs when absent",
                        .required = false,
                        .repeatable = true}},
       .options = {{.name = "keep", .help = "leave the folders where they are"}},
       .run = sync_runs});
}

}  // namespace slipway::cli
