#include "evaluation/evaluation.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <unordered_map>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "domain/sample.h"
#include "evaluation/rows.h"

namespace slipway::evaluation {
namespace {

using catalog::Connection;
using catalog::Durability;

constexpr std::string_view kAll = "all";
constexpr std::string_view kOutput = "results";
constexpr std::int64_t kSliceValuesMax = 50;  // of one attribute that is sliced by
constexpr size_t kWordsShown = 5;             // of many, in a sentence
constexpr size_t kNamesCheckedFrom = 5;       // samples; of fewer a model may well get none right

/// The worker lies beside this program.
std::string worker_program() {
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "slipway-worker").string();
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.string() : value.render();
}

AttributeValue attribute_of(const Json& value) {
  if (value.is_bool()) return *value.boolean() ? 1.0 : 0.0;
  if (const auto number = value.number()) return *number;
  if (value.is_string()) return value.string();
  return nullptr;
}

/// The only stream whose files are pictures, or the one that was named.
Result<std::string> choose_stream(const SampleTable& table, const std::string& named, std::string_view what,
                                  const std::string& except) {
  const auto& streams = table.streams();
  if (!named.empty()) {
    if (std::find(streams.begin(), streams.end(), named) != streams.end()) return named;
    const auto near = nearest(named, streams);
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the samples have no stream '{}' for the {}; {}", named, what,
                             near ? "did you mean '" + *near + "'?" : "they have " + join(streams, ", "))};
  }
  std::vector<std::string> pictures;
  if (table.size() > 0) {
    const Sample first = TRY(table.at(0));
    for (const auto& [stream, file] : first.streams) {
      if (stream != except && file.media_type.starts_with("image/")) pictures.push_back(stream);
    }
  }
  if (pictures.size() == 1) return pictures[0];
  return Error{ErrorCode::invalid_argument,
               fmt::format("the samples have {} streams of pictures ({}); name the one that is the {}", pictures.size(),
                           join(pictures, ", "), what)};
}

Error no_such_evaluation(const EvaluationId& id) {
  return {ErrorCode::not_found,
          "there is no evaluation " + clean_utf8(id.text, 64) + "; `slipway evaluate --list` shows them"};
}

}  // namespace

std::string_view name(EvaluationState state) {
  switch (state) {
    case EvaluationState::running: return "running";
    case EvaluationState::finished: return "finished";
    case EvaluationState::failed: return "failed";
  }
  return "";
}

std::optional<EvaluationState> parse_evaluation_state(std::string_view text) {
  for (EvaluationState state : {EvaluationState::running, EvaluationState::finished, EvaluationState::failed}) {
    if (name(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view metric_of(std::string_view task) { return task == "segmentation" ? "iou" : "accuracy"; }

/// What an evaluation is about, looked up and checked.
struct Evaluations::Plan {
  registry::Version version;
  registry::Commit commit;
  std::shared_ptr<const SampleTable> table;
  std::string input, target;
  std::vector<SliceQuery> slices;
};

Evaluations::Evaluations(catalog::Database& database, store::Store& store, registry::Registry& registry,
                         runs::Runs& runs, const Clock& clock, EventSink& events, FinishedCallback on_finished)
    : database_(database),
      store_(store),
      registry_(registry),
      runs_(runs),
      clock_(clock),
      events_(events),
      on_finished_(std::move(on_finished)) {
  thread_ = Thread("evaluations", [this] { loop(); });
}

Evaluations::~Evaluations() {
  *stopping_.lock() = true;
  changed_.notify_all();
}

void Evaluations::loop() {
  while (true) {
    collect();
    auto stopping = stopping_.lock();
    if (stopping.wait_until(changed_, std::chrono::steady_clock::now() + kCollectInterval, [&] { return *stopping; }))
      return;
  }
}

Result<Evaluations::Plan> Evaluations::make_plan(const NewEvaluation& request) {
  if (request.task != "classification" && request.task != "segmentation") {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the task '{}' is not known; expected classification or segmentation",
                             clean_utf8(request.task, 60))};
  }
  Plan plan;
  plan.version = TRY(registry_.models().resolve(request.project, request.model));
  plan.commit = TRY(registry_.datasets().get_commit(request.project, request.dataset.name, request.dataset.at));
  plan.table = TRY(registry_.samples().table(plan.commit));
  if (plan.table->size() == 0)
    return Error{ErrorCode::failed_precondition, fmt::format("the commit {} of {} has no samples to evaluate on",
                                                             plan.commit.id.text, plan.commit.dataset)};
  if (request.task == "segmentation")
    plan.target = TRY(choose_stream(*plan.table, request.target, "mask", request.input));
  plan.input = TRY(choose_stream(*plan.table, request.input, "input", plan.target));
  std::set<std::string> names = {std::string(kAll)};
  for (const SliceQuery& slice : request.slices) {
    if (!names.insert(slice.name).second)
      return Error{ErrorCode::invalid_argument, fmt::format("there are two slices named '{}'", slice.name)};
    TRY(parse_filter(slice.query));
    plan.slices.push_back(slice);
  }
  for (const std::string& attribute : request.slice_by) {
    std::set<std::string> values;
    for (size_t i = 0; i < plan.table->size(); ++i) {
      const Sample sample = TRY(plan.table->at(i));
      const auto at = std::find_if(sample.attributes.begin(), sample.attributes.end(),
                                   [&](const auto& entry) { return entry.first == attribute; });
      const std::string value = attribute == "label"            ? text_of(sample.label)
                                : at == sample.attributes.end() ? ""
                                                                : text_of(at->second);
      if (!value.empty()) values.insert(value);
      if (values.size() > kSliceValuesMax) {
        return Error{ErrorCode::invalid_argument,
                     fmt::format("'{}' has more than {} values; slice it by ranges instead, such as '{} < 0.5'",
                                 attribute, kSliceValuesMax, attribute)};
      }
    }
    for (const std::string& value : values) {
      std::string quoted;
      for (char c : value) quoted += c == '\'' ? std::string("''") : std::string(1, c);
      if (names.insert(attribute + " " + value).second)
        plan.slices.push_back({attribute + " " + value, attribute + " = '" + quoted + "'"});
    }
  }
  if (plan.slices.size() > kSlicesMax)
    return Error{ErrorCode::too_large,
                 fmt::format("these are {} slices; at most {} are possible", plan.slices.size(), kSlicesMax)};
  return plan;
}

/// The folder the worker starts in: what to look at, and what is known of the version.
Result<Hash> Evaluations::write_folder(const Plan& plan, const NewEvaluation& request) {
  std::string lines;
  for (size_t i = 0; i < plan.table->size(); ++i) {
    const Sample sample = TRY(plan.table->at(i));
    const StreamFile* input = sample.stream(plan.input);
    if (!input) continue;
    const StreamFile* target = plan.target.empty() ? nullptr : sample.stream(plan.target);
    JsonWriter line;
    line.begin_object().member("key", sample.key).member("input", input->path).member("label", text_of(sample.label));
    if (target) line.member("target", target->path);
    lines += line.end_object().take() + "\n";
  }
  Json details{Json::Object{}};
  details.set("preprocess", plan.version.details["preprocess"])
      .set("labels", plan.version.details["labels"])
      .set("task", request.task);
  const std::string details_text = details.render();
  const std::string_view contents[] = {lines, details_text};
  const auto blobs = TRY(store_.put_many(contents));
  Tree tree;
  tree.entries.push_back({"samples.jsonl", blobs[0].hash, blobs[0].size, TreeEntryKind::file});
  tree.entries.push_back({"details.json", blobs[1].hash, blobs[1].size, TreeEntryKind::file});
  return TRY(store_.put(slipway::render(tree))).hash;
}

Result<Evaluation> Evaluations::create(const NewEvaluation& request) {
  const Plan plan = TRY(make_plan(request));
  Evaluation made;
  made.id = new_id<EvaluationId>(clock_);
  made.project = request.project;
  made.model = plan.version.model;
  made.version = plan.version.version;
  made.dataset = plan.commit.dataset;
  made.commit = plan.commit.id.text;
  made.name = !request.name.empty() ? request.name : fmt::format("{}/{} on {}", made.model, made.version, made.dataset);
  made.task = request.task;
  made.input = plan.input;
  made.target = plan.target;
  made.slices = plan.slices;
  made.member = request.member_name;
  made.created_at = clock_.now();

  runs::NewExecution execution;
  execution.project = request.project;
  execution.member = request.member;
  execution.member_name = request.member_name;
  execution.name = "evaluate " + made.name;
  execution.experiment = "evaluations";
  execution.source = request.source;
  execution.tags["slipway.evaluation"] = made.id.text;
  execution.spec.step = "evaluate";
  execution.spec.command =
      shell_quote(worker_program()) +
      " evaluate --model {inputs.model} --data {inputs.data} --samples samples.jsonl --details details.json --task " +
      made.task + " --out {outputs." + std::string(kOutput) + "}";
  execution.spec.inputs.emplace_back("data", Reference{Reference::Kind::dataset, made.dataset, made.commit, 0, ""});
  execution.spec.inputs.emplace_back("model", Reference{Reference::Kind::model, made.model, "", made.version, ""});
  execution.spec.outputs.emplace_back(std::string(kOutput), StepOutput{.path = "results.jsonl"});
  execution.spec.snapshot = slipway::render(TRY(write_folder(plan, request)));
  made.run = TRY(runs_.submit(execution));
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::insert(c, made); }));
  events_.emit({EventKind::evaluation_changed, made.project, made.id.text});
  return made;
}

Result<Evaluation> Evaluations::get(const ProjectId& project, const EvaluationId& id) {
  auto found = TRY(database_.read_value([&](Connection& c) { return rows::select(c, project, id); }));
  if (!found) return no_such_evaluation(id);
  return std::move(*found);
}

Result<std::vector<Evaluation>> Evaluations::list(const ProjectId& project, std::string_view model,
                                                  std::string_view dataset, size_t most, std::string_view before) {
  return database_.read_value(
      [&](Connection& c) { return rows::select_many(c, project, model, dataset, most, before); });
}

Result<std::optional<Evaluation>> Evaluations::find_finished(const ProjectId& project, const std::string& model,
                                                             std::int64_t version, const std::string& commit) {
  return database_.read_value([&](Connection& c) { return rows::select_finished(c, project, model, version, commit); });
}

Result<void> Evaluations::visit_results(const std::function<void(const Hash&)>& visit) {
  return database_.read([&](Connection& c) { return rows::visit_results(c, visit); });
}

// --- collecting ----------------------------------------------------------------------------------------------------

void Evaluations::collect() {
  auto running = database_.read_value([](Connection& c) { return rows::select_running(c); });
  if (!running.ok()) {
    log_warning("evaluation", "running evaluations could not be read", {{"error", running.error().message}});
    return;
  }
  for (Evaluation& evaluation : *running) {
    const auto collected = collect_one(evaluation);
    if (!collected.ok())
      log_warning("evaluation", "an evaluation could not be collected",
                  {{"evaluation", evaluation.id.text}, {"error", collected.error().message}});
  }
}

Result<void> Evaluations::collect_one(Evaluation& evaluation) {
  const runs::Execution execution = TRY(runs_.get(evaluation.project, *evaluation.run));
  if (!is_over(execution.state)) return {};
  if (execution.state != RunState::finished)
    return fail(evaluation,
                "its run ended badly: " +
                    (execution.message.empty() ? std::string(slipway::name(execution.state)) : execution.message));
  for (const runs::RunOutput& output : TRY(runs_.outputs(evaluation.project, *evaluation.run))) {
    if (output.name != kOutput || output.is_tree) continue;
    const auto lines = store_.get(output.hash, kResultLinesBytesMax);
    if (!lines.ok()) return fail(evaluation, lines.error().message);
    const auto finished = finish(evaluation, *lines);
    return finished.ok() ? finished : fail(evaluation, finished.error().message);
  }
  return fail(evaluation, "its run left no results");
}

Result<void> Evaluations::fail(Evaluation& evaluation, std::string message) {
  evaluation.state = EvaluationState::failed;
  evaluation.message = std::move(message);
  evaluation.ended_at = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::update(c, evaluation); }));
  events_.emit({EventKind::evaluation_changed, evaluation.project, evaluation.id.text});
  return {};
}

namespace {

/// One line of the worker, without what only the dataset knows.
Result<SampleResult> result_of(const std::string& line) {
  const Json json = TRY(Json::parse(line));
  SampleResult result;
  result.key = json["key"].string();
  result.prediction = json["prediction"].string();
  result.confidence = json["confidence"].number();
  result.score = json["score"].number().value_or(0);
  for (const auto& [statistic, value] : json["statistics"].object()) {
    if (const auto number = value.number()) result.statistics[statistic] = *number;
  }
  if (!json["error"].string().empty()) result.attributes["error"] = json["error"].string();
  return result;
}

void add_sample(const Sample& sample, const std::string& input, SampleResult& to) {
  to.label = text_of(sample.label);
  if (const StreamFile* file = sample.stream(input)) to.image_hash = render(file->hash);
  for (const auto& [attribute, value] : sample.attributes) to.attributes.emplace(attribute, attribute_of(value));
}

/// Some of many words, for a sentence.
std::string some_of(const std::set<std::string>& words) {
  std::vector<std::string> shown;
  for (const std::string& word : words) {
    if (shown.size() < kWordsShown) shown.push_back(word);
  }
  return join(shown, ", ") + (words.size() > kWordsShown ? ", …" : "");
}

/// A model that speaks of 0 and 1 where the samples speak of cats and dogs is not wrong every time: it was not asked.
Result<void> check_names(const Evaluation& evaluation, const std::vector<SampleResult>& results) {
  std::set<std::string> answered, labels;
  for (const SampleResult& result : results) {
    if (!result.prediction.empty()) answered.insert(result.prediction);
    if (!result.label.empty()) labels.insert(result.label);
  }
  if (evaluation.task != "classification" || answered.empty()) return {};
  if (labels.empty())
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the samples of {} have no label to compare the answers with", evaluation.dataset)};
  if (std::any_of(answered.begin(), answered.end(), [&](const std::string& word) { return labels.contains(word); }))
    return {};
  if (results.size() < kNamesCheckedFrom) return {};
  return Error{
      ErrorCode::failed_precondition,
      fmt::format(
          "no answer of {}/{} ({}) is a label of {} ({}); name its classes, one a line, in a file labels.txt beside the model, and add it again",
          evaluation.model, evaluation.version, some_of(answered), evaluation.dataset, some_of(labels))};
}

TensorStatistics figures_of(const SampleResult& result) {
  const auto at = [&](const char* statistic) {
    const auto found = result.statistics.find(statistic);
    return found == result.statistics.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
  };
  TensorStatistics figures;
  figures.input_mean = at("input_mean");
  figures.input_deviation = at("input_deviation");
  figures.confidence = at("confidence");
  figures.margin = at("margin");
  const double predicted = at("predicted_class");
  figures.predicted_class = std::isnan(predicted) ? -1 : static_cast<std::int64_t>(predicted);
  return figures;
}

}  // namespace

Result<void> Evaluations::finish(Evaluation& evaluation, const std::string& lines) {
  const registry::Commit commit = TRY(registry_.datasets().get_commit(CommitId(evaluation.commit)));
  const auto table = TRY(registry_.samples().table(commit));
  std::vector<SampleResult> results;
  std::vector<TensorStatistics> figures;
  for (const std::string& line : split(lines, '\n')) {
    if (line.empty()) continue;
    SampleResult result = TRY(result_of(line));
    if (const auto sample = TRY(table->find(result.key))) add_sample(*sample, evaluation.input, result);
    if (result.attributes.count("error") == 0) figures.push_back(figures_of(result));
    results.push_back(std::move(result));
  }
  TRY(check_names(evaluation, results));
  const TemporaryDirectory folder("slipway-evaluation");
  const auto parquet = folder.path() / "results.parquet";
  TRY(write_parquet(parquet, results));
  Results opened = TRY(Results::open(parquet));
  evaluation.scores.clear();
  const auto all = TRY(opened.score(TRY(opened.understand(""))));
  evaluation.scores.push_back({std::string(kAll), all});
  for (const SliceQuery& slice : evaluation.slices) {
    const auto condition = opened.understand(slice.query);
    if (!condition.ok()) return context(condition.error(), "in the slice '" + slice.name + "'");
    const auto score = TRY(opened.score(*condition));
    evaluation.scores.push_back({slice.name, score});
  }
  evaluation.results = TRY(store_.put_file(parquet)).hash;
  evaluation.samples = static_cast<std::int64_t>(results.size());
  evaluation.state = EvaluationState::finished;
  evaluation.ended_at = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::update(c, evaluation); }));
  TRY(registry_.lineage().add(evaluation.project,
                              {"model_version", fmt::format("{}/{}", evaluation.model, evaluation.version)},
                              {"evaluation", evaluation.id.text}, "evaluated"));
  TRY(registry_.lineage().add(evaluation.project, {"dataset_commit", evaluation.commit},
                              {"evaluation", evaluation.id.text}, "evaluated on"));
  events_.emit({EventKind::evaluation_changed, evaluation.project, evaluation.id.text});
  if (on_finished_) on_finished_(evaluation, figures);
  return {};
}

// --- questions -----------------------------------------------------------------------------------------------------

Result<Results> Evaluations::open_results(const Evaluation& evaluation) {
  if (evaluation.state != EvaluationState::finished || !evaluation.results) {
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the evaluation {} is {}; its samples can be asked for once it has finished",
                             evaluation.id.text, name(evaluation.state))};
  }
  const auto reader = TRY(store_.open_blob(*evaluation.results));
  if (const auto file = reader->local_file()) return Results::open(*file);
  const TemporaryDirectory folder("slipway-evaluation");
  TRY(write_file_atomic(folder.path() / "results.parquet", TRY(reader->read(0, reader->size()))));
  return Results::open(folder.path() / "results.parquet");
}

namespace {

Result<std::string> query_of(const Evaluation& evaluation, std::string_view slice) {
  if (slice.empty() || slice == kAll) return std::string();
  std::vector<std::string> known = {std::string(kAll)};
  for (const SliceQuery& query : evaluation.slices) {
    if (query.name == slice) return query.query;
    known.push_back(query.name);
  }
  const auto near = nearest(slice, known);
  return Error{ErrorCode::not_found,
               fmt::format("the evaluation has no slice '{}'; {}", clean_utf8(slice, 100),
                           near ? "did you mean '" + *near + "'?" : "it has " + join(known, ", "))};
}

}  // namespace

Result<Evaluations::SamplePage> Evaluations::samples(const Evaluation& evaluation, std::string_view slice,
                                                     std::string_view filter, std::int64_t page_size,
                                                     std::string_view page_token) {
  Results results = TRY(open_results(evaluation));
  Condition condition = TRY(results.understand(TRY(query_of(evaluation, slice))));
  const Condition narrowed = TRY(results.understand(filter));
  condition.sql += " AND " + narrowed.sql;
  condition.values.insert(condition.values.end(), narrowed.values.begin(), narrowed.values.end());
  SamplePage page;
  page.total = TRY(results.count(condition));
  page.samples = TRY(results.samples(condition, page_token, page_size));
  if (static_cast<std::int64_t>(page.samples.size()) == page_size) page.next_page_token = page.samples.back().key;
  return page;
}

Result<Comparison> Evaluations::compare(const Evaluation& left, const Evaluation& right, double tolerance) {
  if (left.task != right.task)
    return Error{ErrorCode::invalid_argument, fmt::format("a {} cannot be compared with a {}", left.task, right.task)};
  Results before = TRY(open_results(left));
  Results after = TRY(open_results(right));
  Comparison comparison{left, right, {}};
  comparison.slices.push_back(TRY(evaluation::compare(before, after, std::string(kAll), "", tolerance)));
  for (const SliceQuery& slice : right.slices)
    comparison.slices.push_back(TRY(evaluation::compare(before, after, slice.name, slice.query, tolerance)));
  return comparison;
}

}  // namespace slipway::evaluation
