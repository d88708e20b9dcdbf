// The part of `slipway runs export` that writes MLflow's folder.
#pragma once

#include "cli.h"

namespace slipway::cli {

/// --filter and --run as one filter; empty for everything.
std::string export_filter(const Arguments& arguments);

Result<int> runs_export_mlflow(Context& context, const Arguments& arguments);

}  // namespace slipway::cli
