// Where settings come from: flags, then SLIPWAY_* variables, then the configuration file.
#pragma once

#include <filesystem>

#include "cli.h"
#include "parse.h"

namespace slipway::cli {

/// $SLIPWAY_CONFIG, else $XDG_CONFIG_HOME/slipway/config.yaml, else ~/.config/slipway/config.yaml.
std::filesystem::path config_path();

/// An unknown key in the file is an error that names it and the nearest known one.
Result<Context::Settings> read_settings(const Invocation& invocation);

/// Writes url and token (mode 0600) and keeps the other keys.
Result<void> write_config(const Context::Settings& settings);

}  // namespace slipway::cli
