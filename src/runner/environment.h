// What a command needs to run: found on this machine (`interpreter`), or built once per lock and kept (`python`).
//
// A built environment lives below <node folder>/environments/<hash>, where the hash covers the lock's text, the
// interpreter (path and version), and whether its own packages are seen. Builders hold a file lock, so of two runs that
// need the same one builds and the other waits; a marker written last says that it is whole, so a build that was killed
// is begun again.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "domain/project_file.h"

namespace slipway::runner {

struct PreparedEnvironment {
  std::map<std::string, std::string> variables;  // set for the command, on top of the machine's
  std::vector<std::filesystem::path> path;       // put in front of PATH
  Json record;         // {kind, interpreter, python_version, packages: [{name, version}], lock_hash}
  bool built = false;  // as opposed to found in the cache
};

struct EnvironmentOptions {
  std::filesystem::path node_folder;
  std::filesystem::path scratch;  // of this attempt
  std::filesystem::path uv;       // empty: find_uv()
  Duration build_timeout = std::chrono::minutes(30);
  /// Told what is being done ("building the environment…"); goes into the run's log.
  std::function<void(std::string)> say = [](const std::string&) {};
};

/// $SLIPWAY_UV, `uv` beside the running program, ../../../.deps/uv/bin/uv from there, or PATH.
Result<std::filesystem::path> find_uv();

/// `code` is the run's directory, where lock files are. A lock that cannot be solved, an interpreter that is not there,
/// or the missing uv are failed_precondition with the tool's own words. Never downloads an interpreter.
Result<PreparedEnvironment> prepare_environment(const Environment& environment, const std::filesystem::path& code,
                                                const EnvironmentOptions& options);

/// Host name, system, cores, memory, accelerators: the machine part of a run's record.
Json describe_machine();

}  // namespace slipway::runner
