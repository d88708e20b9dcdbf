// The front door of evaluation: how good a version is on a dataset commit, slice by slice, and whether another is
// better.
//
// An evaluation is a run whose command is the worker: pictures and models of strangers are opened on a node. What comes
// back is a line per sample; here it is joined with the samples' labels and attributes, kept as Parquet, and
// questioned.
#pragma once

#include <condition_variable>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/json.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/prediction.h"
#include "evaluation/results.h"
#include "registry/registry.h"
#include "runs/runs.h"
#include "store/store.h"

namespace slipway::evaluation {

enum class EvaluationState { running, finished, failed };
std::string_view name(EvaluationState state);
std::optional<EvaluationState> parse_evaluation_state(std::string_view text);

struct SliceQuery {
  std::string name;
  std::string query;  // domain/filter.h over the samples' attributes and results
  bool operator==(const SliceQuery&) const = default;
};

/// The score of a slice: accuracy for classification, mean IoU for segmentation.
struct SliceScore {
  std::string slice;  // "all" for every sample
  Interval score;
};

struct Evaluation {
  EvaluationId id;
  ProjectId project;
  std::string name, model, dataset, commit, task, input, target;
  std::int64_t version = 0;
  std::vector<SliceQuery> slices;
  EvaluationState state = EvaluationState::running;
  std::optional<RunId> run;
  std::string message;
  std::optional<Hash> results;
  std::int64_t samples = 0;
  std::vector<SliceScore> scores;  // "all" first
  std::string member;
  Time created_at;
  std::optional<Time> ended_at;
};

struct NewEvaluation {
  ProjectId project;
  MemberId member;
  std::string member_name;
  std::string name;  // empty: "<model>/<version> on <dataset>"
  Reference model, dataset;
  std::string task = "classification";
  std::string input, target;  // streams; empty: the dataset's only image, and its only mask
  std::vector<SliceQuery> slices;
  /// Also a slice per value of these attributes ("label"), at most kSlicesMax in all.
  std::vector<std::string> slice_by;
  Json source = Json();  // for the run: {pipeline_run, node}
};

/// The name of the metric a task is judged by: "accuracy" or "iou".
std::string_view metric_of(std::string_view task);

struct Comparison {
  Evaluation left, right;
  std::vector<SliceComparison> slices;  // "all" first
};

inline constexpr Duration kCollectInterval = std::chrono::milliseconds(300);
inline constexpr std::uint64_t kResultLinesBytesMax = 4ull << 30;

/// Why a run must stay: an evaluation was computed by it. nullopt: for nothing here. Inside somebody's transaction.
Result<std::optional<std::string>> need_of_run(catalog::Connection& connection, const RunId& run);

/// Told when an evaluation is finished, with the figures of each sample: what production will be held against.
using FinishedCallback = std::function<void(const Evaluation&, const std::vector<TensorStatistics>&)>;

/// Thread `evaluations`, which collects what finished runs left. Everything blocks for the database and the disk.
class Evaluations {
 public:
  Evaluations(catalog::Database& database, store::Store& store, registry::Registry& registry, runs::Runs& runs,
              const Clock& clock, EventSink& events, FinishedCallback on_finished);
  ~Evaluations();

  /// Checks model, dataset, streams and slices, and starts the run. not_found and invalid_argument say what is wrong.
  Result<Evaluation> create(const NewEvaluation& request);
  Result<Evaluation> get(const ProjectId& project, const EvaluationId& id);
  /// Newest first; empty filters: any.
  Result<std::vector<Evaluation>> list(const ProjectId& project, std::string_view model, std::string_view dataset,
                                       size_t most, std::string_view before);
  /// The newest finished one of exactly this; nullopt when there is none.
  Result<std::optional<Evaluation>> find_finished(const ProjectId& project, const std::string& model,
                                                  std::int64_t version, const std::string& commit);

  struct SamplePage {
    std::vector<SampleResult> samples;
    std::int64_t total = 0;
    std::string next_page_token;
  };
  /// Samples behind a number: of a slice, narrowed by a filter. failed_precondition while it runs.
  Result<SamplePage> samples(const Evaluation& evaluation, std::string_view slice, std::string_view filter,
                             std::int64_t page_size, std::string_view page_token);
  /// Both must have finished. Slices of both by name; `tolerance` in the metric's unit says what counts as the same.
  Result<Comparison> compare(const Evaluation& left, const Evaluation& right, double tolerance);

  /// Every blob that an evaluation refers to; for the sweep.
  Result<void> visit_results(const std::function<void(const Hash&)>& visit);

  /// One round over the running ones; the thread does this at its own pace.
  void collect();

 private:
  struct Plan;

  Result<Plan> make_plan(const NewEvaluation& request);
  Result<Hash> write_folder(const Plan& plan, const NewEvaluation& request);
  Result<void> collect_one(Evaluation& evaluation);
  Result<void> finish(Evaluation& evaluation, const std::string& lines);
  Result<void> fail(Evaluation& evaluation, std::string message);
  Result<Results> open_results(const Evaluation& evaluation);
  void loop();

  catalog::Database& database_;
  store::Store& store_;
  registry::Registry& registry_;
  runs::Runs& runs_;
  const Clock& clock_;
  EventSink& events_;
  const FinishedCallback on_finished_;
  std::condition_variable changed_;
  Guarded<bool> stopping_{false};
  Thread thread_;
};

}  // namespace slipway::evaluation
