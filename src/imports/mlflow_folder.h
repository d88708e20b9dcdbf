// MLflow's folder of files (`mlruns`), as clients without a server wrote it.
#pragma once

#include <filesystem>
#include <memory>

#include "imports/source.h"

namespace slipway::imports {

/// `folder` is `mlruns` itself or what holds it. not_found when there are no experiments in it.
Result<std::unique_ptr<Source>> open_mlflow_folder(const std::filesystem::path& folder);

/// "time value step", as each line of a metric's file begins. nullopt for a line that was cut off.
std::optional<Point> point_of_line(const std::string& key, std::string_view line);

}  // namespace slipway::imports
