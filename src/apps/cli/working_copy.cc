#include "working_copy.h"

#include <cstdio>

#include "base/text.h"
#include "domain/project_file.h"
#include "runner/outputs.h"
#include "runner/snapshot.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

void tell_snapshot(const runner::Snapshot& snapshot) {
  const runner::SnapshotManifest& manifest = snapshot.manifest;
  std::string where = "not in git";
  if (!manifest.commit.empty()) {
    where = "commit " + manifest.commit.substr(0, 10) + (manifest.branch.empty() ? "" : " on " + manifest.branch);
    if (manifest.dirty) where += ", with uncommitted changes";
  }
  std::fprintf(stderr, "snapshot   %zu files, %s, %s\n", snapshot.tree.entries.size(),
               render_bytes(snapshot.tree.bytes()).c_str(), where.c_str());
  for (const runner::OmittedFile& file : manifest.omitted) {
    std::fprintf(stderr, "left out   %s (%s): %s\n", file.path.c_str(), render_bytes(file.bytes).c_str(),
                 file.why.c_str());
  }
}

}  // namespace

Result<fs::path> find_project_file(const std::string& given) {
  if (!given.empty()) return fs::absolute(given);
  for (fs::path folder = fs::current_path();; folder = folder.parent_path()) {
    if (fs::exists(folder / kProjectFileName)) return folder / kProjectFileName;
    if (folder == folder.root_path()) break;
  }
  return Error{ErrorCode::not_found,
               "there is no slipway.yaml here or in any folder above; `slipway init` writes one to begin with"};
}

Result<SentSnapshot> send_snapshot(Context& context, const fs::path& folder, const std::string& untracked_max) {
  runner::SnapshotOptions options;
  if (!untracked_max.empty()) {
    options.untracked_bytes_max = TRY(parse_bytes(untracked_max));
    options.untracked_file_bytes_max = options.untracked_bytes_max;
  }
  const runner::Snapshot snapshot = TRY(runner::take_snapshot(folder, options));
  if (!context.json()) tell_snapshot(snapshot);
  Ticket ticket;
  ticket.server = context.settings().url;
  ticket.token = context.settings().token;
  const auto link = TRY(runner::open_http_link(ticket));
  std::optional<Progress> progress;
  const Hash tree = TRY(runner::upload_tree(*link, snapshot, [&](std::uint64_t sent, std::uint64_t all) {
    if (!progress) progress.emplace(context, "upload", all, true);
    progress->set(sent);
  }));
  progress.reset();
  const Hash manifest = TRY(runner::upload_bytes(*link, to_json(snapshot.manifest).render()));
  return SentSnapshot{render(tree), render(manifest)};
}

}  // namespace slipway::cli
