#include "imports/folder_files.h"

#include <algorithm>

#include "base/file.h"
#include "domain/yaml.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallFileBytesMax = 16 << 20;  // of tags, parameters and descriptions
constexpr size_t kFilesMax = 10'000'000;

}  // namespace

Result<std::vector<SourceFile>> files_below(const fs::path& folder) {
  std::vector<SourceFile> files;
  std::error_code problem;
  fs::recursive_directory_iterator at(folder, problem);
  if (problem) return files;
  for (; at != fs::recursive_directory_iterator(); at.increment(problem)) {
    if (problem) return Error{ErrorCode::internal, "listing " + folder.string() + ": " + problem.message()};
    if (!at->is_regular_file(problem) || at->is_symlink(problem)) continue;
    if (files.size() >= kFilesMax)
      return Error{ErrorCode::too_large, folder.string() + " has more than 10 million files"};
    files.push_back({at->path().lexically_relative(folder).generic_string(), at->file_size(problem)});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

Result<Pairs> contents_below(const fs::path& folder) {
  Pairs out;
  for (const SourceFile& file : TRY(files_below(folder)))
    out.emplace_back(file.path, TRY(read_file(folder / file.path, kSmallFileBytesMax)));
  return out;
}

Result<Json> read_yaml_file(const fs::path& path) {
  const std::string text = TRY(read_file(path, kSmallFileBytesMax));
  return yaml_value(TRY(parse_yaml(text, path.string())));
}

std::vector<fs::path> folders_with(const fs::path& folder, const char* file) {
  std::vector<fs::path> out;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem); !problem && at != fs::directory_iterator(); at.increment(problem)) {
    if (fs::exists(at->path() / file, problem)) out.push_back(at->path());
    problem.clear();
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace slipway::imports
