// Where models come from, as serving needs it: which version a reference means now, and its file on this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/ids.h"
#include "domain/reference.h"

namespace slipway::serving {

struct ServedModel {
  std::filesystem::path file;       // the ONNX; data files that it names lie beside it
  Json preprocess;                  // inference/preprocess.h, or null
  std::vector<std::string> labels;  // names of the classes, may be empty
};

/// Thread-safe; blocks for the database and the disk.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  /// The version that an alias or number means now; not_found otherwise.
  virtual Result<std::int64_t> version(const ProjectId& project, const Reference& reference) = 0;
  /// The version's files, brought to this machine. failed_precondition when it has no ONNX file.
  virtual Result<ServedModel> fetch(const ProjectId& project, const std::string& model, std::int64_t version) = 0;
};

}  // namespace slipway::serving
