#include "runner/snapshot.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <set>

#include "base/file.h"
#include "base/hash_file.h"
#include "base/process.h"
#include "base/text.h"
#include "runner/mask.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr Duration kGitTimeout = std::chrono::seconds(120);

/// Folders that no run needs, where there is no .gitignore to say so.
const std::set<std::string> kSkippedFolders = {
    ".git", "__pycache__", ".venv", "node_modules", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache"};

struct File {
  std::string path;
  bool untracked = false;
};

/// git in `folder`, with nothing of the user's configuration that changes what it prints.
Result<Output> git(const fs::path& folder, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.arguments = {"git", "--no-optional-locks", "-c", "core.quotePath=false",
                    "-c",  "safe.directory=*",    "-c", "core.fsmonitor=false"};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.directory = folder;
  return run_command(spec, kGitTimeout, "", 256 << 20);
}

Result<std::string> git_text(const fs::path& folder, std::vector<std::string> arguments) {
  const std::string what = join(arguments, " ");
  const Output output = TRY(git(folder, std::move(arguments)));
  if (output.status.ok()) return output.out;
  return Error{ErrorCode::failed_precondition,
               fmt::format("git {} failed in {}: {}", what, folder.string(), trim(output.err))};
}

/// The trimmed answer, or empty when git has none (no commit yet, no remote).
std::string git_word(const fs::path& folder, std::vector<std::string> arguments) {
  const auto output = git(folder, std::move(arguments));
  return output.ok() && output->status.ok() ? std::string(trim(output->out)) : std::string();
}

/// Without git nobody knows which files of a repository are ignored, and taking all of them might take secrets and
/// gigabytes.
Result<bool> is_in_git(const fs::path& folder) {
  const auto answer = git(folder, {"rev-parse", "--is-inside-work-tree"});
  if (answer.ok() && answer->status.ok() && trim(answer->out) == "true") return true;
  for (fs::path at = folder;; at = at.parent_path()) {
    std::error_code ignored;
    if (fs::exists(at / ".git", ignored)) {
      const std::string why = answer.ok() ? std::string(trim(answer->err)) : answer.error().message;
      return Error{
          ErrorCode::failed_precondition,
          fmt::format(
              "{} is a git repository, but git could not be asked which files belong to it: {}; install git, or repair the repository",
              at.string(), why)};
    }
    if (at == at.root_path()) return false;
  }
}

std::vector<std::string> split_nul(const std::string& text) {
  std::vector<std::string> parts = split(text, '\0');
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

/// Tracked and untracked files below `folder`, submodules included, as paths relative to the snapshot's folder.
Result<void> list_git(const fs::path& folder, const std::string& prefix, std::vector<File>& files,
                      SnapshotManifest& manifest) {
  std::set<std::string> submodules;
  const std::string staged = TRY(git_text(folder, {"ls-files", "-z", "--stage"}));
  std::string before;
  for (const std::string& line : split_nul(staged)) {
    // "100644 <hash> <stage>\t<path>"; a path in conflict appears up to three times.
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string path = line.substr(tab + 1);
    if (path == before) continue;
    before = path;
    if (line.starts_with("160000 ")) {
      submodules.insert(path);
    } else {
      files.push_back({prefix + path, false});
    }
  }
  const std::string others = TRY(git_text(folder, {"ls-files", "-z", "--others", "--exclude-standard"}));
  for (const std::string& path : split_nul(others)) {
    // A path that ends in '/' is a repository that nobody declared as submodule; its files are taken as they are.
    if (path.ends_with('/')) {
      TRY(list_git(folder / path, prefix + path, files, manifest));
    } else {
      files.push_back({prefix + path, true});
    }
  }
  for (const std::string& path : submodules) {
    const fs::path inner = folder / path;
    std::error_code ignored;
    if (!fs::exists(inner / ".git", ignored)) continue;  // never checked out: nothing the command could see
    manifest.submodules.push_back({prefix + path, git_word(inner, {"rev-parse", "HEAD"})});
    TRY(list_git(inner, prefix + path + "/", files, manifest));
  }
  return {};
}

Result<void> describe_git(const fs::path& folder, const SnapshotOptions& options, SnapshotManifest& manifest) {
  manifest.commit = git_word(folder, {"rev-parse", "--verify", "-q", "HEAD"});
  manifest.branch = git_word(folder, {"symbolic-ref", "--short", "-q", "HEAD"});
  std::string remote = git_word(folder, {"remote"});
  remote = remote.substr(0, remote.find('\n'));
  if (!remote.empty())
    manifest.remote = strip_credentials(git_word(folder, {"config", "--get", "remote." + remote + ".url"}));
  // Without any commit the diff is against the empty tree.
  const std::string base = manifest.commit.empty() ? "4b825dc642cb6eb9a060e54bf8d69288fbee4904" : "HEAD";
  std::vector<std::string> arguments = {
      "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--relative", "--submodule=diff", base, "--", "."};
  manifest.diff = mask_secrets(clean_utf8(TRY(git_text(folder, arguments))));
  manifest.dirty = !manifest.diff.empty();
  if (manifest.diff.size() > options.diff_bytes_max) {
    manifest.diff = clean_utf8(manifest.diff, options.diff_bytes_max);
    manifest.diff.resize(manifest.diff.rfind('\n') + 1);
    manifest.diff_cut = true;
  }
  return {};
}

Result<void> list_folder(const fs::path& folder, bool skip_known, std::vector<File>& files, std::uint64_t files_max) {
  std::error_code problem;
  fs::recursive_directory_iterator at(folder, problem), end;
  if (problem) return system_error("read the folder", folder, problem.value());
  while (at != end) {
    const fs::path name = at->path().filename();
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) {
      if (skip_known && kSkippedFolders.contains(name.string())) at.disable_recursion_pending();
    } else {
      files.push_back({at->path().lexically_relative(folder).generic_string(), true});
      if (files.size() > files_max) {
        return Error{ErrorCode::too_large,
                     fmt::format("{} holds more than {} files; the limit is files_max", folder.string(), files_max)};
      }
    }
    at.increment(problem);
    if (problem) return system_error("read the folder", folder, problem.value());
  }
  return {};
}

/// Adds one file or link to the snapshot; sockets, devices and vanished files are passed over.
Result<void> add(Snapshot& snapshot, const std::string& path) {
  const fs::path full = snapshot.folder / path;
  struct stat info {};
  if (::lstat(full.c_str(), &info) != 0) return {};
  if (const auto fine = check_relative_path(path); !fine.ok()) {
    snapshot.manifest.omitted.push_back({clean_utf8(path), static_cast<std::uint64_t>(info.st_size),
                                         "its name cannot be stored: " + fine.error().message});
    return {};
  }
  TreeEntry entry;
  entry.path = path;
  if (S_ISLNK(info.st_mode)) {
    std::error_code problem;
    const std::string target = fs::read_symlink(full, problem).string();
    if (problem) return system_error("read the link", full, problem.value());
    entry.kind = TreeEntryKind::link;
    entry.hash = hash_of(target);
    entry.size = target.size();
    snapshot.link_targets[entry.hash] = target;
  } else if (S_ISREG(info.st_mode)) {
    const FileHash found = TRY(hash_file(full, Links::refuse));
    entry.hash = found.hash;
    entry.size = found.bytes;
    entry.kind = (info.st_mode & S_IXUSR) ? TreeEntryKind::executable : TreeEntryKind::file;
    snapshot.files[entry.hash] = full;
  } else {
    return {};
  }
  snapshot.tree.entries.push_back(std::move(entry));
  return {};
}

/// The reason to leave an untracked file out, or empty.
std::string reason_to_omit(const std::string& path, std::uint64_t bytes, const SnapshotOptions& options) {
  if (is_secret_file(path)) return "its name says that it holds secrets";
  if (bytes > options.untracked_file_bytes_max) {
    return fmt::format(
        "untracked and larger than {} (untracked_file_bytes_max); commit it, make it a dataset, or add it to .gitignore",
        render_bytes(options.untracked_file_bytes_max));
  }
  return "";
}

Error too_much_untracked(const std::vector<std::pair<std::uint64_t, std::string>>& sizes,
                         const SnapshotOptions& options) {
  auto largest = sizes;
  std::sort(largest.rbegin(), largest.rend());
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min<size_t>(largest.size(), 5); ++i) {
    names.push_back(fmt::format("{} ({})", largest[i].second, render_bytes(largest[i].first)));
  }
  return Error{
      ErrorCode::too_large,
      fmt::format(
          "the untracked files are larger than {} in all (untracked_bytes_max); the largest: {}. Add them to .gitignore, "
          "commit them, or make them a dataset with `slipway data add`",
          render_bytes(options.untracked_bytes_max), join(names, ", "))};
}

void sort(Tree& tree) {
  std::sort(tree.entries.begin(), tree.entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
}

}  // namespace

Result<Snapshot> take_snapshot(const fs::path& folder, const SnapshotOptions& options) {
  Snapshot snapshot;
  std::error_code problem;
  snapshot.folder = fs::canonical(folder, problem);
  if (problem) return system_error("open the folder", folder, problem.value());
  std::vector<File> files;
  if (TRY(is_in_git(snapshot.folder))) {
    TRY(describe_git(snapshot.folder, options, snapshot.manifest));
    TRY(list_git(snapshot.folder, "", files, snapshot.manifest));
  } else {
    TRY(list_folder(snapshot.folder, true, files, options.files_max));
  }
  if (files.size() > options.files_max) {
    return Error{ErrorCode::too_large, fmt::format("{} holds {} files; the limit is {} (files_max)",
                                                   snapshot.folder.string(), files.size(), options.files_max)};
  }
  std::vector<std::pair<std::uint64_t, std::string>> untracked;
  std::uint64_t untracked_bytes = 0;
  for (const File& file : files) {
    if (file.untracked) {
      struct stat info {};
      if (::lstat((snapshot.folder / file.path).c_str(), &info) != 0) continue;
      const auto bytes = static_cast<std::uint64_t>(info.st_size);
      if (const std::string why = reason_to_omit(file.path, bytes, options); !why.empty()) {
        snapshot.manifest.omitted.push_back({file.path, bytes, why});
        continue;
      }
      untracked.emplace_back(bytes, file.path);
      untracked_bytes += bytes;
      snapshot.manifest.untracked.push_back(file.path);
      if (untracked_bytes > options.untracked_bytes_max) return too_much_untracked(untracked, options);
    }
    TRY(add(snapshot, file.path));
  }
  std::sort(snapshot.manifest.untracked.begin(), snapshot.manifest.untracked.end());
  snapshot.manifest.dirty =
      snapshot.manifest.dirty || (!snapshot.manifest.commit.empty() && !snapshot.manifest.untracked.empty());
  sort(snapshot.tree);
  return snapshot;
}

Result<Snapshot> read_folder(const fs::path& folder) {
  Snapshot snapshot;
  snapshot.folder = folder;
  std::vector<File> files;
  TRY(list_folder(folder, false, files, kTreeEntriesMax));
  for (const File& file : files) TRY(add(snapshot, file.path));
  sort(snapshot.tree);
  return snapshot;
}

Json to_json(const SnapshotManifest& manifest) {
  Json untracked{Json::Array{}}, omitted{Json::Array{}}, submodules{Json::Array{}};
  for (const std::string& path : manifest.untracked) untracked.push(path);
  for (const OmittedFile& file : manifest.omitted) {
    omitted.push(Json(Json::Object{{"path", file.path}, {"size", file.bytes}, {"why", file.why}}));
  }
  for (const Submodule& submodule : manifest.submodules) {
    submodules.push(Json(Json::Object{{"path", submodule.path}, {"commit", submodule.commit}}));
  }
  return Json(Json::Object{{"version", 1},
                           {"commit", manifest.commit},
                           {"branch", manifest.branch},
                           {"remote", manifest.remote},
                           {"dirty", manifest.dirty},
                           {"diff", manifest.diff},
                           {"diff_cut", manifest.diff_cut},
                           {"untracked", untracked},
                           {"omitted", omitted},
                           {"submodules", submodules}});
}

Result<SnapshotManifest> parse_snapshot_manifest(const Json& json) {
  if (json["version"].integer() != 1) {
    return Error{ErrorCode::invalid_argument, "not a snapshot's manifest: expected a JSON object with version 1"};
  }
  SnapshotManifest manifest;
  manifest.commit = json["commit"].string();
  manifest.branch = json["branch"].string();
  manifest.remote = json["remote"].string();
  manifest.dirty = json["dirty"].boolean().value_or(false);
  manifest.diff = json["diff"].string();
  manifest.diff_cut = json["diff_cut"].boolean().value_or(false);
  for (const Json& path : json["untracked"].array()) manifest.untracked.push_back(path.string());
  for (const Json& file : json["omitted"].array()) {
    manifest.omitted.push_back(
        {file["path"].string(), static_cast<std::uint64_t>(file["size"].integer().value_or(0)), file["why"].string()});
  }
  for (const Json& submodule : json["submodules"].array()) {
    manifest.submodules.push_back({submodule["path"].string(), submodule["commit"].string()});
  }
  return manifest;
}

}  // namespace slipway::runner
