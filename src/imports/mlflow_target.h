// A running MLflow server that is written to. Private to the room.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "imports/rest.h"
#include "imports/source.h"

namespace slipway::imports {

// Tags that say which of ours a thing there is, and what of it is there.
inline constexpr const char* kPushedRunTag = "slipway.export.run_id";
inline constexpr const char* kPushedModelTag = "slipway.export.model_id";
inline constexpr const char* kPushedVersionTag = "slipway.export.version";
inline constexpr const char* kPushedStateTag = "slipway.export.state";

inline constexpr size_t kPushedPointsMax = 1'000;  // of one request, as MLflow limits them
inline constexpr size_t kPushedPairsMax = 50;      // so that even the longest fit into a request

/// A run or a logged model as it is there.
struct Pushed {
  std::string id, state, files_at;
  bool deleted = false;
  Pairs params, tags;
  std::map<std::string, Point> latest;
};

struct PushedVersion {
  std::string number, stage;  // as they are there
};

/// A point that also belongs to a logged model there.
struct ModelPoint {
  Point point;
  std::string model_id, dataset_name, dataset_digest;
};

/// One thread at a time. Errors carry the server's own sentence.
class MlflowTarget {
 public:
  static Result<MlflowTarget> open(const std::string& url, const Credentials& credentials);

  std::string title() const { return rest_.url(); }
  /// False for MLflow 2, which has no logged models. Asked once.
  Result<bool> has_logged_models(const std::string& experiment);

  /// The id of the experiment of that name, made when there is none. failed_precondition when it is deleted there.
  Result<std::string> experiment(const std::string& name, const Pairs& tags);
  /// Runs of the experiment that were pushed before, by our id.
  Result<void> runs(const std::string& experiment, const std::function<void(const std::string&, Pushed)>& visit);
  Result<Pushed> create_run(const SourceRun& run, const std::string& experiment);
  Result<void> finish_run(const std::string& id, const SourceRun& run);
  Result<void> delete_run(const std::string& id);
  /// At most kPushedPointsMax.
  Result<void> log_points(const std::string& run, std::span<const Point> points);
  Result<void> log_model_points(const std::string& run, std::span<const ModelPoint> points);
  Result<void> log_pairs(const std::string& run, const Pairs& params, const Pairs& tags);
  Result<void> set_tag(const std::string& run, const std::string& key, const std::string& value);
  /// Arrays of {model_id, step} with ids as they are there.
  Result<void> log_links(const std::string& run, const Json& datasets, const Json& models_in, const Json& models_out);
  Result<std::vector<Point>> history(const std::string& run, const std::string& key);

  Result<void> logged_models(const std::string& experiment,
                             const std::function<void(const std::string&, Pushed)>& visit);
  Result<Pushed> create_logged_model(const SourceLoggedModel& model, const std::string& experiment,
                                     const std::string& source_run);
  Result<void> finish_logged_model(const std::string& id, const std::string& status, const std::string& state);

  /// Sizes by path.
  Result<std::map<std::string, std::uint64_t>> files(const Owner& owner);
  /// Whether the server itself takes files for that place.
  static bool takes_files(const std::string& files_at);
  Result<void> put_file(const std::string& files_at, const std::string& path, const std::filesystem::path& file);

  /// As `registered-models/get` answers, or null.
  Result<Json> model(const std::string& name);
  Result<void> create_model(const SourceModel& model);
  /// Its versions there, by our numbers.
  Result<std::map<std::int64_t, PushedVersion>> versions(const std::string& model);
  /// The number there. `run` and `logged_model` are ids there, or empty.
  Result<std::string> create_version(const std::string& model, const SourceVersion& version, const std::string& source,
                                     const std::string& run, const std::string& logged_model);
  Result<void> set_stage(const std::string& model, const std::string& version, const std::string& stage);
  Result<void> set_alias(const std::string& model, const std::string& alias, const std::string& version);

 private:
  MlflowTarget(Rest rest, std::unique_ptr<Source> reader) : rest_(std::move(rest)), reader_(std::move(reader)) {}
  Result<void> pages(const std::string& path, Json request, const std::function<void(const Json&)>& visit);

  Rest rest_;
  std::unique_ptr<Source> reader_;  // the same server, read as an import reads it
  std::optional<bool> has_models_;
};

}  // namespace slipway::imports
