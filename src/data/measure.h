// One sample looked into: its files read, hashed, decoded and checked, its label and attributes found.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"
#include "data/plan.h"
#include "domain/sample.h"

namespace slipway::data {

using Manifests = std::map<std::string, Manifest>;  // by file name

/// invalid_argument begins with the path of the file that is wrong.
Result<Sample> measure(const Plan& plan, const Joined& joined, const std::filesystem::path& folder,
                       const Manifests& manifests);

/// A value as a person wrote it, turned into the attribute's type. Empty text is null.
Result<Json> attribute_value(const AttributePlan& attribute, const Json& given);

}  // namespace slipway::data
