#include "imports/export_mlflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "imports/carry.h"
#include "imports/carry_run.h"
#include "imports/folder_files.h"
#include "imports/mlflow_json.h"
#include "imports/mlflow_meta.h"
#include "imports/proxy_path.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMeta = "meta.yaml";
constexpr const char* kMark = ".slipway-export";   // in the root: where all of it came from
constexpr const char* kState = ".slipway-state";   // in a run's folder
constexpr const char* kScratch = ".slipway-part";  // in the root: a file on its way
constexpr std::uint64_t kStateBytesMax = 1 << 10;
constexpr std::string_view kOver = "over:";
constexpr size_t kIdDigitsMax = 18;
constexpr const char* kExperimentTag = "slipway.experiment_id";

std::int64_t status_number(const std::string& status) {
  static constexpr const char* kNames[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
  for (int i = 0; i < 5; ++i) {
    if (status == kNames[i]) return i + 1;
  }
  return 3;
}

std::int64_t logged_model_status(const std::string& status) {
  return status == "pending" ? 1 : status == "upload_failed" ? 3 : 2;
}

Result<void> put_file(const fs::path& path, std::string_view content) {
  TRY(make_directories(path.parent_path()));
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (out.fail()) return system_error("write", path, errno);
  return {};
}

/// There whole or as it was: readers may be looking.
Result<void> put_whole_file(const fs::path& path, std::string_view content) {
  const fs::path part = path.string() + ".part";
  TRY(put_file(part, content));
  std::error_code problem;
  fs::rename(part, path, problem);
  if (problem) return system_error("rename to", path, problem.value());
  return {};
}

Result<void> remove_folder(const fs::path& folder) {
  std::error_code problem;
  fs::remove_all(folder, problem);
  if (problem) return system_error("remove", folder, problem.value());
  return {};
}

/// Where clients find the folder: a file: URI.
std::string uri_of(const fs::path& folder) { return "file://" + encode_path(folder.generic_string()); }

/// MLflow's database takes whole numbers alone as ids of experiments; ids that are none become one of 18 digits, as
/// MLflow's own folders have.
std::string experiment_number(const std::string& id) {
  const bool is_number = id.size() <= kIdDigitsMax && !id.empty() &&
                         std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) return id;
  std::uint64_t number = 0;
  for (const char digit : render(hash_of("experiment " + id)).substr(0, 15))
    number = number << 4 | static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  constexpr std::uint64_t kLeast = 100'000'000'000'000'000;
  return std::to_string(kLeast + number % (9 * kLeast));
}

std::string text_at(const Json& json, const char* member) { return json[member].string(); }

class Exporter {
 public:
  Exporter(Source& source, const ExportOptions& options, fs::path root)
      : source_(source), options_(options), root_(std::move(root)) {}

  Result<Report> write() {
    TRY(claim());
    const auto experiments = TRY(experiments_named(source_, options_.experiments));
    for (const SourceExperiment& experiment : experiments) TRY(write_experiment(experiment));
    const bool is_whole = options_.experiments.empty() && !options_.is_filtered;
    if (options_.models && is_whole) {
      for (const SourceModel& model : TRY(source_.models())) TRY(write_model(model));
    }
    report_.left_behind = source_.left_behind(experiments);
    report_.left_behind.emplace_back(
        "console logs, environments and machines of runs that Slipway executed, datasets, pipelines and deployments");
    return report_;
  }

 private:
  /// The folder is ours from now on.
  Result<void> claim() {
    TRY(make_directories(root_));
    const fs::path mark = root_ / kMark;
    std::error_code problem;
    if (fs::exists(mark, problem)) {
      const std::string from = TRY(read_file(mark, kStateBytesMax));
      if (trim(from) == options_.origin) return {};
      return Error{ErrorCode::failed_precondition,
                   fmt::format("{} holds an export of {}, not of {}; give another folder with --to", root_.string(),
                               clean_utf8(trim(from), 200), options_.origin)};
    }
    if (!fs::is_empty(root_, problem))
      return Error{ErrorCode::failed_precondition,
                   root_.string() + " is no empty folder and no earlier export; give another one with --to"};
    TRY(put_whole_file(mark, options_.origin + "\n"));
    // MLflow makes this one itself only where there is no folder at all.
    return make_directories(root_ / ".trash");
  }

  Result<void> write_experiment(const SourceExperiment& experiment) {
    ++report_.experiments.seen;
    TRY(check_relative_path(experiment.id));
    bool is_written = false;
    const auto begin = [&]() -> Result<void> {
      if (is_written) return {};
      is_written = true;
      ++report_.experiments.carried;
      return write_experiment_meta(experiment);
    };
    if (!options_.is_filtered) TRY(begin());
    TRY(source_.runs(experiment.id, options_.deleted, [&](const SourceRun& run) -> Result<void> {
      if (options_.stop && *options_.stop) return Error{ErrorCode::cancelled, "the export was stopped"};
      TRY(begin());
      ++report_.runs.seen;
      TRY(note(report_, "run " + run.id, write_run(run)));
      if (options_.on_progress) options_.on_progress(static_cast<std::uint64_t>(report_.runs.seen));
      return {};
    }));
    if (!is_written) --report_.experiments.seen;  // none of its runs was wanted
    if (!is_written || !options_.models) return {};
    for (const SourceLoggedModel& model : TRY(source_.logged_models(experiment.id))) {
      if (is_wanted(model)) TRY(note(report_, "logged model " + model.id, write_logged_model(model)));
    }
    return {};
  }

  Result<void> write_experiment_meta(const SourceExperiment& experiment) {
    const fs::path folder = root_ / experiment_number(experiment.id);
    Pairs tags = experiment.tags;
    tags.emplace_back(kExperimentTag, experiment.id);
    TRY(put_pairs(folder / "tags", tags, "experiment '" + experiment.name + "'"));
    MetaFile meta;
    meta.text("artifact_location", uri_of(folder)).integer("creation_time", experiment.created_ms);
    meta.text("experiment_id", experiment_number(experiment.id)).integer("last_update_time", experiment.updated_ms);
    meta.text("lifecycle_stage", "active").text("name", experiment.name);
    return put_whole_file(folder / kMeta, meta.content());
  }

  // --- runs --------------------------------------------------------------------------------------------------------

  Result<void> write_run(const SourceRun& run) {
    TRY(check_relative_path(run.id));
    const fs::path folder = root_ / experiment_number(run.experiment_id) / run.id;
    std::vector<SourceFile> files;
    if (options_.files) files = TRY(source_.files({OwnerKind::run, run.id, run.experiment_id}));
    const std::string state = state_of(run, files);
    const std::string known = read_file(folder / kState, kStateBytesMax).value_or("");
    if (!run.models_out.array().empty()) made_models(run);
    if (known == state && run.is_over()) {
      ++report_.runs.unchanged;
      return {};
    }
    const std::int64_t problems = problems_of();
    TRY(write_run_parts(run, folder));
    const bool is_trusted = run.is_over() && (known.empty() || known.starts_with(kOver));
    TRY(write_files({OwnerKind::run, run.id, run.experiment_id}, folder / "artifacts", files, is_trusted));
    TRY(put_whole_file(folder / kMeta, run_meta(run, folder)));
    ++report_.runs.carried;
    // What could not be written now is tried again the next time.
    if (problems_of() != problems) return {};
    return put_whole_file(folder / kState, state);
  }

  Result<void> write_run_parts(const SourceRun& run, const fs::path& folder) {
    std::error_code ignored;
    fs::remove(folder / kState, ignored);
    for (const char* part : {"params", "tags", "metrics", "inputs", "outputs"}) {
      TRY(remove_folder(folder / part));
      TRY(make_directories(folder / part));
    }
    TRY(put_pairs(folder / "params", run.params, "run " + run.id));
    TRY(put_pairs(folder / "tags", run.tags, "run " + run.id));
    for (const Point& latest : run.latest)
      TRY(note(report_, fmt::format("metric '{}' of run {}", latest.key, run.id),
               write_metric(run, latest.key, folder)));
    return write_links(run, folder);
  }

  static std::string run_meta(const SourceRun& run, const fs::path& folder) {
    MetaFile meta;
    meta.text("artifact_uri", uri_of(folder / "artifacts"));
    run.ended_ms ? meta.integer("end_time", *run.ended_ms) : meta.null("end_time");
    meta.text("entry_point_name", "").text("experiment_id", experiment_number(run.experiment_id));
    meta.text("lifecycle_stage", run.deleted ? "deleted" : "active").text("run_id", run.id);
    meta.text("run_name", run.name).text("run_uuid", run.id).text("source_name", "").integer("source_type", 4);
    meta.text("source_version", "").integer("start_time", run.started_ms);
    meta.integer("status", status_number(run.status)).text("user_id", run.user);
    return meta.content();
  }

  Result<void> write_metric(const SourceRun& run, const std::string& key, const fs::path& folder) {
    TRY(check_relative_path(key));
    const fs::path path = folder / "metrics" / key;
    TRY(make_directories(path.parent_path()));
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    TRY(source_.history(run, key, [&](std::span<const Point> points) -> Result<void> {
      std::string lines;
      for (const Point& point : points)
        lines += fmt::format("{} {} {}\n", point.at_ms, render_double(point.value), point.step);
      out.write(lines.data(), static_cast<std::streamsize>(lines.size()));
      report_.points += static_cast<std::int64_t>(points.size());
      return {};
    }));
    out.close();
    if (out.fail()) return system_error("write", path, errno);
    return {};
  }

  /// One file each. What cannot be a file's name, or is the folder of another one, is a problem of its own.
  Result<void> put_pairs(const fs::path& folder, const Pairs& pairs, const std::string& whose) {
    for (const auto& [key, value] : pairs) {
      const auto put = [&]() -> Result<void> {
        TRY(check_relative_path(key));
        return put_file(folder / key, value);
      };
      TRY(note(report_, fmt::format("{} '{}' of {}", folder.filename().string(), clean_utf8(key, 300), whose), put()));
    }
    return {};
  }

  Result<void> write_links(const SourceRun& run, const fs::path& folder) {
    for (const Json& input : run.datasets.array()) TRY(write_dataset(run, folder, input));
    for (const Json& model : run.models_in.array())
      TRY(write_link(folder / "inputs", md5_hex(text_at(model, "model_id") + run.id), "MODEL", "RUN",
                     text_at(model, "model_id"), {}, std::nullopt));
    for (const Json& model : run.models_out.array())
      TRY(write_link(folder / "outputs", text_at(model, "model_id"), "RUN_OUTPUT", "MODEL_OUTPUT",
                     text_at(model, "model_id"), {}, model["step"].integer().value_or(0)));
    return {};
  }

  Result<void> write_dataset(const SourceRun& run, const fs::path& folder, const Json& input) {
    const Json& dataset = input["dataset"];
    const std::string id = md5_hex(text_at(dataset, "name") + text_at(dataset, "digest"));
    MetaFile meta;
    for (const char* member : {"digest", "name", "profile", "schema", "source", "source_type"})
      meta.text_or_null(member, text_at(dataset, member));
    TRY(put_whole_file(root_ / experiment_number(run.experiment_id) / "datasets" / id / kMeta, meta.content()));
    return write_link(folder / "inputs", md5_hex(id + run.id), "DATASET", "RUN", id, pairs_of(input["tags"]),
                      std::nullopt);
  }

  /// MLflow writes the source's id twice.
  static Result<void> write_link(const fs::path& folder, const std::string& name, const char* from, const char* to,
                                 const std::string& id, const Pairs& tags, std::optional<std::int64_t> step) {
    TRY(check_relative_path(name));
    MetaFile meta;
    meta.text("destination_id", id).text("destination_type", to).text("source_id", id).text("source_type", from);
    meta.texts("tags", tags);
    if (step) meta.integer("step", *step);
    return put_whole_file(folder / name / kMeta, meta.content());
  }

  // --- files -------------------------------------------------------------------------------------------------------

  /// A file with the same size is taken for the same one when `is_trusted`; those that are no more go.
  Result<void> write_files(const Owner& owner, const fs::path& folder, const std::vector<SourceFile>& files,
                           bool is_trusted) {
    TRY(make_directories(folder));
    if (!options_.files) return {};
    std::set<std::string> wanted;
    for (const SourceFile& file : files) {
      wanted.insert(file.path);
      TRY(note(report_, fmt::format("file '{}' of {}", clean_utf8(file.path, 300), owner.id),
               write_one_file(owner, folder, file, is_trusted)));
    }
    std::error_code ignored;
    for (const SourceFile& old : TRY(files_below(folder))) {
      if (!wanted.contains(old.path)) fs::remove(folder / old.path, ignored);
    }
    return {};
  }

  Result<void> write_one_file(const Owner& owner, const fs::path& folder, const SourceFile& file, bool is_trusted) {
    TRY(check_relative_path(file.path));
    const fs::path path = folder / file.path;
    std::error_code problem, ignored;
    if (is_trusted && fs::is_regular_file(path, ignored) && fs::file_size(path, ignored) == file.size) return {};
    TRY(make_directories(path.parent_path()));
    const fs::path scratch = root_ / kScratch;
    const fs::path local = TRY(source_.fetch(owner, file.path, scratch));
    if (local != scratch) fs::copy_file(local, scratch, fs::copy_options::overwrite_existing, problem);
    if (!problem) fs::rename(scratch, path, problem);
    if (problem) return system_error("write", path, problem.value());
    ++report_.files;
    report_.file_bytes += file.size;
    return {};
  }

  // --- models ------------------------------------------------------------------------------------------------------

  void made_models(const SourceRun& run) {
    for (const Json& model : run.models_out.array()) made_.insert(text_at(model, "model_id"));
  }

  bool is_wanted(const SourceLoggedModel& model) const { return !options_.is_filtered || made_.contains(model.id); }

  Result<void> write_logged_model(const SourceLoggedModel& model) {
    ++report_.logged_models.seen;
    TRY(check_relative_path(model.id));
    const fs::path folder = root_ / experiment_number(model.experiment_id) / "models" / model.id;
    for (const char* part : {"params", "tags", "metrics"}) {
      TRY(remove_folder(folder / part));
      TRY(make_directories(folder / part));
    }
    TRY(put_pairs(folder / "params", model.params, "logged model " + model.id));
    TRY(put_pairs(folder / "tags", model.tags, "logged model " + model.id));
    TRY(put_pairs(folder / "metrics", metric_files(model), "logged model " + model.id));
    const Owner owner{OwnerKind::logged_model, model.id, model.experiment_id};
    if (options_.files) TRY(write_files(owner, folder / "artifacts", TRY(source_.files(owner)), true));
    MetaFile meta;
    meta.text("artifact_location", uri_of(folder / "artifacts")).integer("creation_timestamp", model.created_ms);
    meta.text("experiment_id", experiment_number(model.experiment_id))
        .integer("last_updated_timestamp", model.created_ms);
    meta.text("lifecycle_stage", "active").text("model_id", model.id).text_or_null("model_type", model.model_type);
    meta.text("name", model.name).text_or_null("source_run_id", model.source_run);
    meta.integer("status", logged_model_status(model.status)).null("status_message");
    TRY(put_whole_file(folder / kMeta, meta.content()));
    experiment_of_[model.id] = model.experiment_id;
    ++report_.logged_models.carried;
    return {};
  }

  /// Lines "time value step run [dataset digest]", a file for each key.
  static Pairs metric_files(const SourceLoggedModel& model) {
    Pairs files;
    for (const Json& metric : model.metrics.array()) {
      const std::string key = text_at(metric, "key");
      auto file = std::find_if(files.begin(), files.end(), [&](const auto& one) { return one.first == key; });
      if (file == files.end()) file = files.insert(files.end(), {key, ""});
      const Json& value = metric["value"];
      file->second += fmt::format("{} {} {} {}", metric["time_ms"].integer().value_or(0),
                                  value.is_string() ? value.string() : render_double(value.number().value_or(0)),
                                  metric["step"].integer().value_or(0), text_at(metric, "run_id"));
      if (!text_at(metric, "dataset_name").empty())
        file->second += " " + text_at(metric, "dataset_name") + " " + text_at(metric, "dataset_digest");
      file->second += "\n";
    }
    return files;
  }

  Result<void> write_model(const SourceModel& model) {
    ++report_.models.seen;
    const auto put = [&]() -> Result<void> {
      TRY(check_relative_path(model.name));
      if (model.name.find('/') != std::string::npos)
        return Error{ErrorCode::unsupported, "MLflow takes no '/' in the name of a model"};
      return write_model_files(model, root_ / "models" / model.name);
    };
    return note(report_, "model '" + model.name + "'", put());
  }

  Result<void> write_model_files(const SourceModel& model, const fs::path& folder) {
    TRY(remove_folder(folder));  // nothing but descriptions; versions that were removed go with it
    const std::string whose = "model '" + model.name + "'";
    std::int64_t created = model.versions.empty() ? 0 : model.versions.front().created_ms;
    MetaFile meta;
    meta.integer("creation_timestamp", created).text_or_null("description", model.description);
    meta.integer("last_updated_timestamp", model.versions.empty() ? 0 : model.versions.back().created_ms);
    meta.text("name", model.name);
    TRY(put_pairs(folder / "tags", model.tags, whose));
    for (const SourceVersion& version : model.versions) {
      ++report_.versions.seen;
      TRY(note(report_, fmt::format("version {} of {}", version.number, whose), write_version(model, version, folder)));
    }
    Pairs aliases;
    for (const auto& [alias, number] : model.aliases) aliases.emplace_back(alias, std::to_string(number));
    TRY(put_pairs(folder / "aliases", aliases, whose));
    report_.aliases.seen += static_cast<std::int64_t>(aliases.size());
    report_.aliases.carried += static_cast<std::int64_t>(aliases.size());
    TRY(put_whole_file(folder / kMeta, meta.content()));
    ++report_.models.carried;
    return {};
  }

  Result<void> write_version(const SourceModel& model, const SourceVersion& version, const fs::path& folder) {
    const std::string source = rewritten_source(version);
    const fs::path place = folder / fmt::format("version-{}", version.number);
    MetaFile meta;
    meta.integer("creation_timestamp", version.created_ms);
    meta.text("current_stage", version.stage.empty() ? "None" : version.stage);
    meta.text_or_null("description", version.description).integer("last_updated_timestamp", version.created_ms);
    meta.text_or_null("model_id", version.model_id).text("name", model.name).text_or_null("run_id", version.run_id);
    meta.null("run_link").text("source", source).text("status", "READY").null("status_message");
    meta.text("storage_location", storage_of(source, version)).null("user_id").integer("version", version.number);
    TRY(put_pairs(place / "tags", version.tags, fmt::format("version {} of '{}'", version.number, model.name)));
    TRY(put_whole_file(place / kMeta, meta.content()));
    ++report_.versions.carried;
    if (is_here(source) || source.empty() || is_prompt(model)) return {};
    report_.add_problem(
        fmt::format("the files of version {} of model '{}' stay at {}: they lie in no run and no logged model",
                    version.number, model.name, clean_utf8(source, 300)));
    return {};
  }

  static bool is_here(std::string_view source) {
    return source.starts_with("runs:/") || source.starts_with("models:/m-");
  }

  static bool is_prompt(const SourceModel& model) {
    return std::any_of(model.tags.begin(), model.tags.end(),
                       [](const auto& tag) { return tag.first == "mlflow.prompt.is_prompt"; });
  }

  /// Files of a run or logged model by where they are now, so that clients need no second question.
  std::string storage_of(const std::string& source, const SourceVersion& version) const {
    const auto at = experiment_of_.find(version.model_id);
    if (source == "models:/" + version.model_id && at != experiment_of_.end())
      return uri_of(root_ / experiment_number(at->second) / "models" / version.model_id / "artifacts");
    return source;
  }

  std::int64_t problems_of() const {
    return static_cast<std::int64_t>(report_.problems.size()) + report_.problems_more;
  }

  Source& source_;
  const ExportOptions& options_;
  const fs::path root_;
  Report report_;
  std::set<std::string> made_;                        // logged models that wanted runs made
  std::map<std::string, std::string> experiment_of_;  // of logged models
};

}  // namespace

Result<Report> export_mlflow(Source& source, const ExportOptions& options) {
  std::error_code problem;
  const fs::path root = fs::absolute(options.folder, problem).lexically_normal();
  if (problem) return system_error("find", options.folder, problem.value());
  return Exporter(source, options, root).write();
}

}  // namespace slipway::imports
