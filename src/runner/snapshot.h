// A snapshot: the working copy as it is, uncommitted changes and all, so that a run can be made again.
//
// Its tree holds every file the command would see: tracked files with their present content, submodules, and untracked
// files that are not ignored. Beside it stands the manifest, for people: commit, branch, remote, the diff against the
// commit (secrets masked), and what was left out and why. A folder without git is taken whole.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/tree.h"

namespace slipway::runner {

struct SnapshotOptions {
  std::uint64_t untracked_file_bytes_max = 50ull << 20;  // a larger untracked file is left out, and said so
  std::uint64_t untracked_bytes_max = 500ull << 20;  // more in all is an error: something is not ignored that should be
  std::uint64_t files_max = 200'000;
  std::uint64_t diff_bytes_max = 4ull << 20;  // a longer diff is cut in the manifest; the tree has everything
};

struct OmittedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string why;
};

struct Submodule {
  std::string path, commit;
};

struct SnapshotManifest {
  std::string commit, branch, remote;  // empty without git
  bool dirty = false;
  std::string diff;  // of tracked files against `commit`, staged and unstaged, masked
  bool diff_cut = false;
  std::vector<std::string> untracked;
  std::vector<OmittedFile> omitted;
  std::vector<Submodule> submodules;
};

Json to_json(const SnapshotManifest& manifest);
Result<SnapshotManifest> parse_snapshot_manifest(const Json& json);

struct Snapshot {
  Tree tree;
  SnapshotManifest manifest;
  std::filesystem::path folder;
  /// Where the bytes of each hash of the tree are: a file, or the target of a link.
  std::map<Hash, std::filesystem::path> files;
  std::map<Hash, std::string> link_targets;
};

/// Reads the folder (which may lie inside a repository: then only what is below it is taken). too_large names the limit
/// and the largest untracked files.
Result<Snapshot> take_snapshot(const std::filesystem::path& folder, const SnapshotOptions& options = {});

/// Every regular file and link below `folder` as a tree, with hashes (used for outputs too).
Result<Snapshot> read_folder(const std::filesystem::path& folder);

}  // namespace slipway::runner
