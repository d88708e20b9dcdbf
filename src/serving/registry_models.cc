#include "serving/registry_models.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

namespace slipway::serving {
namespace {

constexpr std::uint64_t kCopyBytes = 4 << 20;
constexpr size_t kNamesShown = 10;

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

std::string file_of(const std::string& path) { return path.substr(folder_of(path).size()); }

std::vector<std::string> labels_of(const Json& details) {
  std::vector<std::string> labels;
  for (const Json& label : details["labels"].array())
    labels.push_back(label.is_string() ? label.string() : label.render());
  return labels;
}

}  // namespace

Result<registry::Artifact> choose_onnx(const std::vector<registry::Artifact>& files, std::string_view what) {
  std::vector<const registry::Artifact*> found;
  for (const registry::Artifact& file : files) {
    if (file.path.ends_with(".onnx")) found.push_back(&file);
  }
  if (found.size() == 1) return *found[0];
  const registry::Artifact* named = nullptr;
  for (const registry::Artifact* file : found) {
    if (file_of(file->path) == "model.onnx" && (!named || file->path.size() < named->path.size())) named = file;
  }
  if (named) return *named;
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(files.size(), kNamesShown); ++i) names.push_back(files[i].path);
  const std::string problem = found.empty()
                                  ? "has no .onnx file"
                                  : "has " + std::to_string(found.size()) + " .onnx files and none is named model.onnx";
  return Error{ErrorCode::failed_precondition,
               std::string(what) + " " + problem + "; its files are: " + (names.empty() ? "none" : join(names, ", "))};
}

Result<std::unique_ptr<RegistryModels>> RegistryModels::open(registry::Registry& registry,
                                                             std::filesystem::path cache) {
  std::error_code error;
  std::filesystem::remove_all(cache, error);
  TRY(make_directories(cache));
  return std::unique_ptr<RegistryModels>(new RegistryModels(registry, std::move(cache)));
}

Result<std::int64_t> RegistryModels::version(const ProjectId& project, const Reference& reference) {
  const auto version = TRY(registry_.models().resolve(project, reference));
  if (version.status != registry::VersionStatus::ready)
    return Error{ErrorCode::failed_precondition, "version " + std::to_string(version.version) + " of model '" +
                                                     version.model + "' is " +
                                                     std::string(registry::name(version.status)) + ", not ready"};
  return version.version;
}

Result<void> RegistryModels::bring(const Hash& hash, const std::filesystem::path& to) {
  const auto reader = TRY(registry_.store().open_blob(hash));
  TRY(make_directories(to.parent_path()));
  const auto local = reader->local_file();
  if (local && ::link(local->c_str(), to.c_str()) == 0) return {};
  // Another file system, or a store that is not a disk.
  const UniqueFd out = TRY(open_file(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444));
  for (std::uint64_t at = 0; at < reader->size(); at += kCopyBytes)
    TRY(write_all(out.get(), TRY(reader->read(at, kCopyBytes)), to));
  return {};
}

Result<ServedModel> RegistryModels::fetch(const ProjectId& project, const std::string& model, std::int64_t number) {
  const auto version = TRY(registry_.models().version(project, model, number));
  const auto files = TRY(registry_.models().files(project, model, number));
  const std::string what = "version " + std::to_string(number) + " of model '" + model + "'";
  const registry::Artifact onnx = TRY(choose_onnx(files, what));
  ServedModel served;
  served.preprocess = version.details["preprocess"];
  served.labels = labels_of(version.details);

  // Whole or not at all: filled beside its place, then renamed.
  const std::string root = folder_of(onnx.path);
  const auto folder = cache_ / version.id;
  served.file = folder / file_of(onnx.path);
  if (std::filesystem::exists(served.file)) return served;
  const auto filling = cache_ / (version.id + "." + random_hex(8));
  for (const registry::Artifact& file : files) {
    if (!file.path.starts_with(root)) continue;
    TRY(check_relative_path(file.path));
    TRY(bring(file.hash, filling / file.path.substr(root.size())));
  }
  std::error_code error;
  std::filesystem::rename(filling, folder, error);
  if (error && !std::filesystem::exists(served.file)) return system_error("rename", filling, error.value());
  return served;
}

}  // namespace slipway::serving
