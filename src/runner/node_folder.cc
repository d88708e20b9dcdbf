#include "runner/node_folder.h"

#include <sys/stat.h>

#include <algorithm>

#include "runner/cache.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

Time changed_at(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return Time{0};
  return Time{info.st_mtim.tv_sec * 1'000'000};
}

/// Of the folder and everything in it: a checkpoint that is written in place does not change its folder.
Time last_change(const fs::path& path) {
  Time last = changed_at(path);
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(path, problem))) return last;
  for (fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, problem), end;
       !problem && at != end; at.increment(problem)) {
    last = std::max(last, changed_at(at->path()));
  }
  return last;
}

}  // namespace

void tidy_node_folder(const fs::path& node_folder, Time now) {
  for (const char* part : {"attempts", "checkpoints", "runner-logs", "tickets"}) {
    std::error_code problem;
    for (fs::directory_iterator at(node_folder / part, problem), end; !problem && at != end; at.increment(problem)) {
      if (now - last_change(at->path()) > kLeftoversKept) remove_folder(at->path());
    }
  }
}

}  // namespace slipway::runner
