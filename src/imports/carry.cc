#include "imports/carry.h"

#include <fmt/format.h>

#include <thread>

#include "base/file.h"
#include "base/guarded.h"
#include "imports/carry_models.h"
#include "imports/carry_run.h"

namespace slipway::imports {
namespace {

struct Job {
  SourceRun run;
  std::string experiment;  // here
};

/// Runs that wait for a worker. Once it is ended nobody waits any more.
class Jobs {
 public:
  /// Waits for room; false once ended.
  bool push(Job job) {
    auto state = state_.lock();
    state.wait(changed_, [&] { return state->ended || state->jobs.size() < kRunsWaitingMax; });
    if (state->ended) return false;
    state->jobs.push_back(std::move(job));
    changed_.notify_all();
    return true;
  }

  /// Nothing when there will be no more.
  std::optional<Job> pop() {
    auto state = state_.lock();
    state.wait(changed_, [&] { return state->ended || state->complete || !state->jobs.empty(); });
    if (state->ended || state->jobs.empty()) return std::nullopt;
    Job job = std::move(state->jobs.front());
    state->jobs.pop_front();
    changed_.notify_all();
    return job;
  }

  void complete() {
    state_.lock()->complete = true;
    changed_.notify_all();
  }

  void end() {
    state_.lock()->ended = true;
    changed_.notify_all();
  }

 private:
  struct State {
    std::deque<Job> jobs;
    bool complete = false, ended = false;
  };
  std::condition_variable changed_;
  Guarded<State> state_;
};

/// Threads that carry runs, each with connections of its own.
class Workers {
 public:
  Workers(const CarryOptions& options, std::filesystem::path folder) : options_(options), folder_(std::move(folder)) {}
  ~Workers() { (void)finish(true); }

  Result<void> start(const Source& source) {
    for (int i = 0; i < options_.workers; ++i) {
      sources_.push_back(TRY(source.another()));
      destinations_.push_back(std::make_unique<Destination>(TRY(Destination::open(options_.place))));
    }
    for (size_t i = 0; i < sources_.size(); ++i)
      threads_.emplace_back([this, i] { work(*sources_[i], *destinations_[i], folder_ / std::to_string(i)); });
    return {};
  }

  /// False when there is no point in more: stopped, or one worker met something that ends everything.
  bool add(SourceRun run, const std::string& experiment) {
    if (options_.stop && *options_.stop) jobs_.end();
    return jobs_.push({std::move(run), experiment});
  }

  /// Waits for what is under way, and for what waits unless `early`.
  Result<Report> finish(bool early) {
    if (early) jobs_.end();
    jobs_.complete();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    auto outcome = outcome_.lock();
    if (outcome->error) return *outcome->error;
    return outcome->report;
  }

 private:
  struct Outcome {
    Report report;
    std::optional<Error> error;
    std::uint64_t done = 0;
  };

  void work(Source& source, Destination& destination, const std::filesystem::path& scratch) {
    Report report;
    Worker worker{source, destination, options_, scratch, report};
    while (const auto job = jobs_.pop()) {
      const auto carried = carry_run(worker, job->run, job->experiment);
      std::uint64_t done = 0;
      {
        auto outcome = outcome_.lock();
        done = ++outcome->done;
        if (!carried.ok() && !outcome->error) outcome->error = carried.error();
      }
      if (!carried.ok()) jobs_.end();
      if (options_.on_progress) options_.on_progress(done);
    }
    outcome_.lock()->report.add(report);
  }

  const CarryOptions& options_;
  const std::filesystem::path folder_;
  Jobs jobs_;
  Guarded<Outcome> outcome_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<Destination>> destinations_;
  std::vector<std::thread> threads_;
};

/// Logged models first: runs point to them.
Result<void> carry_experiment(Worker& worker, Workers& workers, const SourceExperiment& experiment) {
  ++worker.report.experiments.seen;
  Pairs tags = experiment.tags;
  tags.emplace_back(kOriginTag, fmt::format("{}/#/experiments/{}", worker.source.title(), experiment.id));
  const auto here = worker.destination.experiment(experiment.name, tags);
  if (!here.ok()) return note(worker.report, "experiment '" + experiment.name + "'", here.error());
  ++worker.report.experiments.carried;
  if (worker.options.models) {
    for (const SourceLoggedModel& model : TRY(worker.source.logged_models(experiment.id)))
      TRY(carry_logged_model(worker, model, *here));
  }
  const auto listed = worker.source.runs(experiment.id, worker.options.deleted, [&](SourceRun run) -> Result<void> {
    if (workers.add(std::move(run), *here)) return {};
    return Error{ErrorCode::cancelled, "the import was stopped"};
  });
  return note(worker.report, "runs of experiment '" + experiment.name + "'", listed);
}

Result<void> carry_everything(Worker& worker, Workers& workers, const std::vector<SourceExperiment>& experiments) {
  for (const SourceExperiment& experiment : experiments) TRY(carry_experiment(worker, workers, experiment));
  return {};
}

}  // namespace

Result<Report> carry(Source& source, const CarryOptions& options) {
  const TemporaryDirectory folder("slipway-import");
  Destination destination = TRY(Destination::open(options.place));
  Report report;
  Worker worker{source, destination, options, folder.path() / "main", report};
  const auto experiments = TRY(experiments_named(source, options.experiments, " at " + source.title()));
  Workers workers(options, folder.path());
  TRY(workers.start(source));
  const auto listed = carry_everything(worker, workers, experiments);
  // A worker's own error says more than that the listing was cut short by it.
  report.add(TRY(workers.finish(!listed.ok())));
  TRY(listed);
  // Versions take their files from runs, so these come first.
  if (options.models && options.experiments.empty()) TRY(carry_models(worker));
  report.left_behind = source.left_behind(experiments);
  return report;
}

}  // namespace slipway::imports
