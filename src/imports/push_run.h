// One run, one logged model, pushed into an MLflow server. Private to the room.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "imports/mlflow_target.h"
#include "imports/push_mlflow.h"

namespace slipway::imports {

/// What a push knows while it goes on.
struct Push {
  Source& source;
  MlflowTarget& target;
  const PushOptions& options;
  std::filesystem::path scratch;  // a file on its way
  Report report = {};
  std::map<std::string, std::string> runs = {};      // ids there by ours
  std::map<std::string, std::string> models = {};    // of logged models
  std::map<std::string, std::string> files_at = {};  // places of files by ids there
  std::set<std::string> made = {};                   // logged models that wanted runs made
  std::set<std::string> untaken = {};  // places where the server takes no files, as far as they were named

  std::int64_t problems() const { return static_cast<std::int64_t>(report.problems.size()) + report.problems_more; }
};

/// A run that is there but for what names other things, which may come later: its parent, the models it read and made.
struct OpenRun {
  std::string id;  // there
  SourceRun run;   // without points
  std::string state;
  bool is_whole = true;  // nothing of it was a problem
};

/// `there` is what an earlier push left. Runs that are unchanged leave nothing open.
Result<std::optional<OpenRun>> push_run(Push& push, const SourceRun& run, const std::string& experiment,
                                        const Pushed* there);
/// Whether everything that it names is there.
bool can_close(const Push& push, const OpenRun& open);
/// Its links, its end, its state. What it names and is not there is left out.
Result<void> close_run(Push& push, const OpenRun& open);
Result<void> push_logged_model(Push& push, const SourceLoggedModel& model, const std::string& experiment,
                               const Pushed* there);
Result<void> push_models(Push& push);

}  // namespace slipway::imports
