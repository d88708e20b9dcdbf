#include "imports/push_mlflow.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/file.h"
#include "imports/carry_run.h"
#include "imports/push_run.h"

namespace slipway::imports {
namespace {

class Pusher {
 public:
  Pusher(Source& source, MlflowTarget& target, const PushOptions& options, std::filesystem::path scratch)
      : push_{source, target, options, std::move(scratch)} {}

  Result<Report> push_all() {
    const auto experiments = TRY(experiments_named(push_.source, push_.options.experiments));
    for (const SourceExperiment& experiment : experiments) TRY(push_experiment(experiment));
    // What is named and not there by now was not pushed.
    for (const OpenRun& open : open_) TRY(close_run(push_, open));
    const bool is_whole = push_.options.experiments.empty() && !push_.options.is_filtered;
    if (push_.options.models && is_whole) TRY(push_models(push_));
    for (std::string& left : push_.source.left_behind(experiments)) push_.report.left_behind.push_back(std::move(left));
    push_.report.left_behind.emplace_back(
        "console logs, environments and machines of runs that Slipway executed, datasets, pipelines and deployments");
    return push_.report;
  }

 private:
  using Known = std::map<std::string, Pushed>;  // what an earlier push left, by our ids

  /// The experiment there, and what earlier pushes left in it; asked for when the first thing of it is wanted.
  struct Place {
    std::string id;
    Known runs;
  };

  Result<Place> place_of(const SourceExperiment& experiment) {
    Place place;
    place.id = TRY(push_.target.experiment(experiment.name, experiment.tags));
    TRY(push_.target.runs(place.id, [&](const std::string& ours, Pushed run) {
      run.tags.erase(std::remove_if(run.tags.begin(), run.tags.end(),
                                    [](const auto& tag) { return tag.first.starts_with("slipway.export."); }),
                     run.tags.end());
      place.runs.emplace(ours, std::move(run));
    }));
    return place;
  }

  Result<void> push_experiment(const SourceExperiment& experiment) {
    ++push_.report.experiments.seen;
    std::optional<Place> place;
    const auto begin = [&]() -> Result<void> {
      if (place) return {};
      place = TRY(place_of(experiment));
      ++push_.report.experiments.carried;
      return {};
    };
    if (!push_.options.is_filtered) TRY(begin());
    TRY(push_.source.runs(experiment.id, push_.options.deleted, [&](const SourceRun& run) -> Result<void> {
      if (push_.options.stop && *push_.options.stop) return Error{ErrorCode::cancelled, "the push was stopped"};
      TRY(begin());
      return push_one(run, *place);
    }));
    if (!place) --push_.report.experiments.seen;  // none of its runs was wanted
    if (!place || !push_.options.models) return {};
    TRY(push_logged_models(experiment, *place));
    return close_what_can();
  }

  /// Runs whose parents and models are there by now, so that few are open when a push breaks off.
  Result<void> close_what_can() {
    std::vector<OpenRun> still;
    for (OpenRun& open : open_) {
      if (can_close(push_, open)) {
        TRY(close_run(push_, open));
      } else {
        still.push_back(std::move(open));
      }
    }
    open_ = std::move(still);
    return {};
  }

  Result<void> push_one(const SourceRun& run, const Place& place) {
    ++push_.report.runs.seen;
    for (const Json& model : run.models_out.array()) push_.made.insert(model["model_id"].string());
    const auto there = place.runs.find(run.id);
    auto pushed = push_run(push_, run, place.id, there == place.runs.end() ? nullptr : &there->second);
    if (!pushed.ok()) {
      TRY(note(push_.report, "run " + run.id, Result<void>(pushed.error())));
    } else if (*pushed && can_close(push_, **pushed)) {
      TRY(close_run(push_, **pushed));
    } else if (*pushed) {
      open_.push_back(std::move(**pushed));
    }
    if (push_.options.on_progress) push_.options.on_progress(static_cast<std::uint64_t>(push_.report.runs.seen));
    return {};
  }

  Result<void> push_logged_models(const SourceExperiment& experiment, const Place& place) {
    const auto models = TRY(push_.source.logged_models(experiment.id));
    if (models.empty()) return {};
    if (!TRY(push_.target.has_logged_models(place.id))) {
      if (!is_old_)
        push_.report.add_problem("logged models: " + push_.target.title() + " is an MLflow 2, which has none");
      is_old_ = true;
      return {};
    }
    Known known;
    TRY(push_.target.logged_models(
        place.id, [&](const std::string& ours, Pushed model) { known.emplace(ours, std::move(model)); }));
    for (const SourceLoggedModel& model : models) {
      if (push_.options.is_filtered && !push_.made.contains(model.id)) continue;
      ++push_.report.logged_models.seen;
      const auto there = known.find(model.id);
      TRY(note(push_.report, "logged model " + model.id,
               push_logged_model(push_, model, place.id, there == known.end() ? nullptr : &there->second)));
    }
    return {};
  }

  Push push_;
  std::vector<OpenRun> open_;
  bool is_old_ = false;
};

}  // namespace

Result<Report> push_mlflow(Source& source, const PushOptions& options) {
  MlflowTarget target = TRY(MlflowTarget::open(options.url, options.credentials));
  const TemporaryDirectory folder;
  return Pusher(source, target, options, folder.path() / "file").push_all();
}

}  // namespace slipway::imports
