// slipway.yaml as plain structs (design, section 6). parse checks everything that can be checked without the server:
// keys, types, names, and that what one part names in another part exists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/reference.h"

namespace slipway {

/// Things by name, in the order of the file.
template <typename T>
using Named = std::vector<std::pair<std::string, T>>;

template <typename T>
const T* find(const Named<T>& things, std::string_view name) {
  for (const auto& [key, thing] : things) {
    if (key == name) return &thing;
  }
  return nullptr;
}

/// What a command needs to run. Exactly one of `interpreter`, `python`, `image` is set.
struct Environment {
  std::string interpreter;       // the host's, as it is; recorded package by package
  std::string python;            // version ("3.11") or path of the interpreter that packages are put on
  std::string lock;              // uv.lock (with its pyproject.toml beside it) or a pylock.toml; relative path
  std::string requirements;      // or requirements.txt; relative path
  bool site_packages = false;    // python: also sees the interpreter's own packages
  std::string image;             // an OCI image by digest
  Named<std::string> variables;  // set for the command

  bool operator==(const Environment&) const = default;
};

struct Stream {
  std::string files;   // pattern with {fields} of the key
  std::string decode;  // image, labels, depth16, label, text, json, audio, number, bytes
  bool optional = false;
  std::string align_to, align_resize;  // resize: nearest, linear, area
  bool operator==(const Stream&) const = default;
};

/// `all_streams_present`, or `{same_size: [rgb, mask]}`.
struct DatasetCheck {
  std::string name;
  Json arguments;  // null without arguments
  bool operator==(const DatasetCheck&) const = default;
};

/// A value that each sample has, to be filtered and sliced by. One of `from_key`, `manifest`, `compute` says whence.
struct Attribute {
  std::string type = "text";     // text, integer, float, boolean
  std::string from_key;          // a field of the dataset's key pattern
  std::string manifest, column;  // a CSV or Parquet file in the dataset's folder and one of its columns
  std::string compute;           // a built-in statistic of a stream: "brightness(image)"
  bool operator==(const Attribute&) const = default;
};

struct Pack {
  std::string format = "webdataset";
  std::uint64_t shard_bytes = 256ull << 20;
  bool operator==(const Pack&) const = default;
};

struct DatasetDeclaration {
  std::string key;
  Named<Stream> streams;
  std::vector<DatasetCheck> checks;
  Named<Attribute> attributes;
  std::optional<Pack> pack;
  bool operator==(const DatasetDeclaration&) const = default;
};

enum class ParameterType { real, integer, text, boolean };  // "float", "integer", "string", "boolean"
std::string_view name(ParameterType type);

struct Parameter {
  ParameterType type = ParameterType::text;
  std::optional<Json> default_value;  // fits the type
  std::optional<double> min, max;
  std::vector<Json> choices;
  std::string help;
  bool operator==(const Parameter&) const = default;
};

/// A value as a person or a JSON document gave it, turned into the parameter's type and held against its limits. Text
/// is read as the type ("0.1" for a float). The error names the parameter, the value and what was expected.
Result<Json> parameter_value(std::string_view name, const Parameter& parameter, const Json& given);

struct StepOutput {
  std::string path;     // of a file or folder below the run's directory; empty: $SLIPWAY_OUTPUTS/<name>
  std::string model;    // becomes a version of this model
  std::string dataset;  // becomes a commit of this dataset
  std::string branch;   // of the dataset, default main
  bool optional = false;
  bool operator==(const StepOutput&) const = default;
};

struct Resources {
  double cpus = 1;
  std::uint64_t memory_bytes = 0;  // 0: not said
  std::int64_t gpus = 0;
  std::int64_t nodes = 1;
  std::string pool = "any";
  std::string spot = "never";  // never, allowed, required
  bool operator==(const Resources&) const = default;
};

struct Limits {
  std::optional<Duration> time;               // of one attempt, from the command's start
  std::optional<Duration> silence;            // longest time without a line of output
  Duration grace = std::chrono::seconds(10);  // between SIGTERM and SIGKILL
  bool operator==(const Limits&) const = default;
};

struct Retry {
  std::int64_t attempts = 1;
  std::vector<std::string> on;  // preempted, node_lost, failed; empty with attempts > 1: preempted and node_lost
  bool operator==(const Retry&) const = default;
};

struct Step {
  std::string description;
  std::string environment;  // a name in `environments`; empty: the host's, no interpreter recorded
  std::string command;
  Named<Parameter> parameters;
  Named<Reference> inputs;
  Named<StepOutput> outputs;
  Named<std::string> variables;
  Resources resources;
  Limits limits;
  Retry retry;
  bool operator==(const Step&) const = default;
};

struct SweepParameter {
  std::string type = "uniform";  // uniform, log, integer, choice
  std::optional<double> min, max;
  std::optional<std::int64_t> count;  // points of a grid
  std::vector<Json> values;
  bool operator==(const SweepParameter&) const = default;
};

struct Sweep {
  std::string step;
  std::string metric;
  bool maximize = false;
  std::string searcher = "random";  // random, grid, asha, adaptive_asha
  std::int64_t max_trials = 16, max_concurrent = 1;
  std::optional<std::int64_t> seed;
  Named<SweepParameter> parameters;
  bool operator==(const Sweep&) const = default;
};

struct EvaluationDeclaration {
  std::string task;  // classification, segmentation, detection, regression
  Reference dataset;
  std::string input, target;  // streams or attributes; empty: the dataset's only image and label
  Named<std::string> slices;  // name -> query
  bool operator==(const EvaluationDeclaration&) const = default;
};

/// What a metric must satisfy on some slices. Each bound that is set must hold; comparisons use the end of the 95%
/// interval that is unfavourable.
struct Requirement {
  std::string metric;
  std::optional<double> no_worse_than;  // than `against`, by at most this
  std::optional<double> better_by;      // than `against`, by more than this
  std::optional<double> at_least, at_most;
  std::vector<std::string> on;  // slices; empty: all
  bool operator==(const Requirement&) const = default;
};

/// One of `step`, `evaluate`, `deploy`, `sweep` says what the node does. Values may be references ("dataset:…") or
/// outputs of other nodes ("train.model").
struct PipelineNode {
  std::string step, evaluate, deploy, sweep;
  Named<Json> parameters;      // step, sweep
  Named<std::string> inputs;   // step, sweep
  std::string model, against;  // evaluate
  std::string dataset;         // evaluate: instead of the evaluation's own
  std::vector<Requirement> require;
  std::string version, strategy, alias;  // deploy
  std::vector<std::string> after;
  bool operator==(const PipelineNode&) const = default;
};

/// One of dataset, cron, finding, model is set.
struct Trigger {
  std::string dataset;  // "scenes@main"
  std::string cron;
  std::string finding, deployment;  // the deployment that the finding is about
  std::string model;
  bool operator==(const Trigger&) const = default;
};

struct Pipeline {
  Named<PipelineNode> nodes;
  std::vector<Trigger> triggers;
  bool operator==(const Pipeline&) const = default;
};

struct Alert {
  std::string when;
  Duration held_for{0};
  std::string to;
  bool operator==(const Alert&) const = default;
};

struct DeploymentDeclaration {
  Reference model;
  std::int64_t replicas_min = 1, replicas_max = 1;
  std::int64_t batch_max = 1;
  Duration batch_delay{0};
  double capture_sample = 0.01;
  std::vector<std::string> capture_always;  // error, low_confidence, flagged, drift
  double low_confidence = 0.6;              // below it an answer counts as unsure
  std::vector<Alert> alerts;
  Resources resources;
  bool operator==(const DeploymentDeclaration&) const = default;
};

struct ProjectFile {
  std::string project = "default";
  Named<Environment> environments;
  Named<DatasetDeclaration> datasets;
  Named<Step> steps;
  Named<Sweep> sweeps;
  Named<EvaluationDeclaration> evaluations;
  Named<Pipeline> pipelines;
  Named<DeploymentDeclaration> deployments;
  bool operator==(const ProjectFile&) const = default;

  /// The step, or not_found that lists the steps there are and the likely one.
  Result<const Step*> step(std::string_view name) const;
};

inline constexpr std::uint64_t kProjectFileBytesMax = 1 << 20;
inline constexpr std::string_view kProjectFileName = "slipway.yaml";

/// invalid_argument, in a sentence that starts "FILE:LINE: KEY PATH: ".
Result<ProjectFile> parse_project_file(std::string_view text, std::string_view file_name = kProjectFileName);
/// YAML that parse_project_file reads back as the same value. Defaults are left out.
std::string render(const ProjectFile& file);

/// Single parts, for the API, where they stand alone as JSON. The keys are those of the file.
Result<DatasetDeclaration> parse_dataset_declaration(const Json& json);
Json to_json(const DatasetDeclaration& declaration);
Result<Environment> parse_environment(const Json& json);
Json to_json(const Environment& environment);
Result<Step> parse_step(const Json& json);
Json to_json(const Step& step);
Result<Resources> parse_resources(const Json& json);
Json to_json(const Resources& resources);
Result<Pipeline> parse_pipeline(const Json& json);
Json to_json(const Pipeline& pipeline);

/// The grammar as a JSON Schema (draft 2020-12), for editors.
std::string slipway_yaml_schema();

}  // namespace slipway
