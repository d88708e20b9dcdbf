// What a run is to do: everything an attempt needs, with nothing left to look up in the user's files. It is the body of
// `POST /api/v1/runs`, what the runs room stores, and what the runner gets.
#pragma once

#include "domain/project_file.h"

namespace slipway {

struct RunSpec {
  std::string step;        // the step's name, for people; may be empty
  std::string command;     // with holes
  Named<Json> parameters;  // typed values
  Named<Reference> inputs;
  Named<StepOutput> outputs;
  Environment environment;  // all members empty: the command's own business
  Named<std::string> variables;
  Resources resources;
  Limits limits;
  Retry retry;
  std::string snapshot;  // hash of the snapshot's tree; empty: an empty directory

  bool operator==(const RunSpec&) const = default;
};

/// The step of the file with parameters filled: `given` (text from a command line or typed JSON) over defaults. Unknown
/// parameters, values that do not fit and missing ones are errors in sentences. `inputs` replace the step's own.
Result<RunSpec> make_run_spec(const ProjectFile& file, std::string_view step, const Named<Json>& given,
                              const Named<std::string>& inputs = {});

/// Keys of the API: limits {time_s, silence_s, grace_s}, resources {cpus, memory, gpus, …}.
Json to_json(const RunSpec& spec);
Result<RunSpec> parse_run_spec(const Json& json);

inline constexpr size_t kCommandBytesMax = 64 << 10;
inline constexpr size_t kRunParametersMax = 1000;

}  // namespace slipway
