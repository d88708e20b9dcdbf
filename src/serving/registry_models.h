// Models from the registry: versions by reference, files by hash out of the store.
#pragma once

#include <filesystem>

#include "registry/registry.h"
#include "serving/model_source.h"

namespace slipway::serving {

class RegistryModels : public ModelSource {
 public:
  /// `cache` holds the files of versions while this lives; what a former server left there is removed.
  static Result<std::unique_ptr<RegistryModels>> open(registry::Registry& registry, std::filesystem::path cache);

  Result<std::int64_t> version(const ProjectId& project, const Reference& reference) override;
  /// The version's only .onnx file, or the one named model.onnx, with everything that lies beside it (weights kept
  /// outside of the graph).
  Result<ServedModel> fetch(const ProjectId& project, const std::string& model, std::int64_t version) override;

 private:
  RegistryModels(registry::Registry& registry, std::filesystem::path cache)
      : registry_(registry), cache_(std::move(cache)) {}
  Result<void> bring(const Hash& hash, const std::filesystem::path& to);

  registry::Registry& registry_;
  const std::filesystem::path cache_;
};

/// Which of a version's files is the model; for the tests. failed_precondition lists what there is.
Result<registry::Artifact> choose_onnx(const std::vector<registry::Artifact>& files, std::string_view what);

}  // namespace slipway::serving
