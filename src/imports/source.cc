#include "imports/source.h"

#include <algorithm>

namespace slipway::imports {

Result<std::vector<SourceExperiment>> experiments_named(Source& source, const std::vector<std::string>& names,
                                                        const std::string& where) {
  auto all = TRY(source.experiments());
  for (const std::string& name : names) {
    const bool exists = std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (!exists) return Error{ErrorCode::not_found, "there is no experiment '" + name + "'" + where};
  }
  std::erase_if(all, [&](const SourceExperiment& one) {
    return !names.empty() && std::find(names.begin(), names.end(), one.name) == names.end();
  });
  return all;
}

}  // namespace slipway::imports
