// A reference: how slipway.yaml, commands and the API name a thing with a version.
//
//   dataset:scenes@main          a branch, or a commit id       (no @: the branch main)
//   model:segmenter@production   an alias                       model:segmenter/3   version 3
//   run:<id>/<path>              an artifact or output of a run
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

struct Reference {
  enum class Kind { dataset, model, run };

  Kind kind = Kind::dataset;
  std::string name;          // of the dataset or model; the run's id
  std::string at;            // branch, commit or alias; empty when `version` or `path` says it
  std::int64_t version = 0;  // of a model; 0: `at` says it
  std::string path;          // of a run

  bool operator==(const Reference&) const = default;
};

Result<Reference> parse_reference(std::string_view text);
/// The inverse of parse_reference; a dataset's branch is always written out.
std::string render(const Reference& reference);

}  // namespace slipway
