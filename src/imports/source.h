// Where records come from: experiments, runs, their histories and files, models. One interface in front of every
// tracker that Slipway can read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace slipway::imports {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Point {
  std::string key;
  double value = 0;
  std::int64_t at_ms = 0, step = 0;
};

/// The same point; one NaN is as good as another.
bool same_point(const Point& a, const Point& b);

struct SourceExperiment {
  std::string id, name;
  Pairs tags;
  std::int64_t created_ms = 0, updated_ms = 0;
};

struct SourceRun {
  std::string id, experiment_id, name, user;
  std::string status = "FINISHED";  // as MLflow says: RUNNING, SCHEDULED, FINISHED, FAILED, KILLED
  std::int64_t started_ms = 0;
  std::optional<std::int64_t> ended_ms;
  bool deleted = false;
  Pairs params, tags;
  std::vector<Point> latest;   // of each metric the point with the greatest (step, time, value)
  Json datasets;               // array, as MLflow's log-inputs takes it
  Json models_in, models_out;  // arrays of {model_id, step}

  bool is_over() const { return status == "FINISHED" || status == "FAILED" || status == "KILLED"; }
};

enum class OwnerKind { run, logged_model };

/// Whose files are meant.
struct Owner {
  OwnerKind kind = OwnerKind::run;
  std::string id;
  std::string experiment_id;
};

struct SourceFile {
  std::string path;
  std::uint64_t size = 0;
};

struct SourceLoggedModel {
  std::string id, experiment_id, name, model_type, source_run;
  std::string status = "ready";  // ready, pending, upload_failed
  std::int64_t created_ms = 0;
  Pairs params, tags;
  Json metrics;  // array of {key, value, step, time_ms, run_id, dataset_name, dataset_digest}
};

struct SourceVersion {
  std::int64_t number = 0;
  std::string source, run_id, model_id, description, stage;
  std::int64_t created_ms = 0;
  Pairs tags;
};

struct SourceModel {
  std::string name, description;
  Pairs tags;
  std::vector<SourceVersion> versions;  // by number
  std::vector<std::pair<std::string, std::int64_t>> aliases;
};

/// A tracker to read from. One thread at a time; another() makes one more for another thread.
class Source {
 public:
  virtual ~Source() = default;

  /// What it is called in messages: the URL without credentials, or the folder.
  virtual std::string title() const = 0;
  /// Where a person found the run there.
  virtual std::string link(const SourceRun& run) const = 0;
  virtual Result<std::unique_ptr<Source>> another() const = 0;

  /// Those that are not deleted.
  virtual Result<std::vector<SourceExperiment>> experiments() = 0;
  /// Hands on every run of the experiment; deleted ones too with `deleted`. An error of `visit` ends it.
  virtual Result<void> runs(const std::string& experiment, bool deleted,
                            const std::function<Result<void>(SourceRun)>& visit) = 0;
  /// All points of one metric, in pieces.
  virtual Result<void> history(const SourceRun& run, const std::string& key,
                               const std::function<Result<void>(std::span<const Point>)>& visit) = 0;
  virtual Result<std::vector<SourceFile>> files(const Owner& owner) = 0;
  /// A local file with the bytes: the file itself where it is local, else written as `scratch`.
  virtual Result<std::filesystem::path> fetch(const Owner& owner, const std::string& path,
                                              const std::filesystem::path& scratch) = 0;
  virtual Result<std::vector<SourceLoggedModel>> logged_models(const std::string& experiment) = 0;
  virtual Result<std::vector<SourceModel>> models() = 0;
  /// What it has that is not carried, as sentences for the report.
  virtual std::vector<std::string> left_behind(const std::vector<SourceExperiment>& experiments) = 0;
};

/// Those with these names, in the source's order; all without names. not_found for a name that none has; the
/// sentence ends with `where`.
Result<std::vector<SourceExperiment>> experiments_named(Source& source, const std::vector<std::string>& names,
                                                        const std::string& where = "");

}  // namespace slipway::imports
