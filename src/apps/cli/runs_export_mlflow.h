// `slipway runs export` into MLflow's folder, and what that shares with `slipway export`.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "cli.h"
#include "imports/imports.h"

namespace slipway::cli {

/// --filter and --run as one filter; empty for everything.
std::string export_filter(const Arguments& arguments);

/// Opens this server as a source of what the filter names, and has `carry` take it somewhere; tells of progress on the
/// way, and at the end what was `done` ("written"), also after Ctrl-C or when it broke off.
using OnProgress = std::function<void(std::uint64_t runs)>;
using Carry = std::function<Result<imports::Report>(imports::Source& source, OnProgress on_progress)>;
Result<int> carry_out(Context& context, const Arguments& arguments, std::string_view done, const Carry& carry);

Result<int> runs_export_mlflow(Context& context, const Arguments& arguments);

}  // namespace slipway::cli
