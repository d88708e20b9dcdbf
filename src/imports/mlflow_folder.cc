#include "imports/mlflow_folder.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "http/http.h"
#include "imports/folder_files.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMeta = "meta.yaml";
constexpr std::string_view kDeletedStage = "Deleted_Internal";  // of a version that was removed
constexpr size_t kPointsPerPiece = 10'000;

std::string text_of(const Json& json) { return json.is_string() ? json.string() : json.is_null() ? "" : json.render(); }

std::int64_t integer_of(const Json& json) { return json.integer().value_or(parse_i64(json.string()).value_or(0)); }

/// RunStatus as a number or by name.
std::string status_of(const Json& json) {
  static constexpr const char* kNames[] = {"FINISHED", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
  const auto number = json.integer();
  if (!number) return json.string().empty() ? kNames[0] : json.string();
  return kNames[*number >= 1 && *number <= 5 ? *number : 0];
}

/// The folder that a file: URI means, when it is there; else `otherwise`, because folders are moved and their
/// descriptions are not.
fs::path artifact_folder(const Json& uri, const fs::path& otherwise) {
  std::string_view text = uri.string();
  if (text.starts_with("file://")) {
    text.remove_prefix(7);
  } else if (text.starts_with("file:")) {
    text.remove_prefix(5);
  }
  const fs::path named = http::url_decode(text);
  std::error_code problem;
  return !named.empty() && named.is_absolute() && fs::is_directory(named, problem) ? named : otherwise;
}

bool later(const Point& a, const Point& b) {
  if (a.step != b.step) return a.step > b.step;
  if (a.at_ms != b.at_ms) return a.at_ms > b.at_ms;
  return a.value > b.value;
}

class MlflowFolder : public Source {
 public:
  explicit MlflowFolder(fs::path root) : root_(std::move(root)) {}

  std::string title() const override { return root_.string(); }
  std::string link(const SourceRun& run) const override { return run_folder(run.experiment_id, run.id).string(); }
  Result<std::unique_ptr<Source>> another() const override {
    return std::unique_ptr<Source>(std::make_unique<MlflowFolder>(root_));
  }

  Result<std::vector<SourceExperiment>> experiments() override {
    std::vector<SourceExperiment> out;
    for (const fs::path& folder : folders_with(root_, kMeta)) {
      const Json meta = TRY(read_yaml_file(folder / kMeta));
      if (meta["lifecycle_stage"].string() == "deleted") continue;
      auto tags = TRY(contents_below(folder / "tags"));
      out.push_back({folder.filename().string(), text_of(meta["name"]), std::move(tags),
                     integer_of(meta["creation_time"]), integer_of(meta["last_update_time"])});
    }
    return out;
  }

  Result<void> runs(const std::string& experiment, bool deleted,
                    const std::function<Result<void>(SourceRun)>& visit) override {
    for (const fs::path& folder : folders_with(root_ / experiment, kMeta)) {
      const Json meta = TRY(read_yaml_file(folder / kMeta));
      if (!deleted && meta["lifecycle_stage"].string() == "deleted") continue;
      TRY(visit(TRY(read_run(folder, experiment, meta))));
    }
    return {};
  }

  Result<void> history(const SourceRun& run, const std::string& key,
                       const std::function<Result<void>(std::span<const Point>)>& visit) override {
    return read_points(run_folder(run.experiment_id, run.id) / "metrics" / key, key, visit);
  }

  Result<std::vector<SourceFile>> files(const Owner& owner) override { return files_below(TRY(artifacts_of(owner))); }

  Result<fs::path> fetch(const Owner& owner, const std::string& path, const fs::path&) override {
    return TRY(artifacts_of(owner)) / path;
  }

  Result<std::vector<SourceLoggedModel>> logged_models(const std::string& experiment) override {
    std::vector<SourceLoggedModel> out;
    for (const fs::path& folder : folders_with(root_ / experiment / "models", kMeta))
      out.push_back(TRY(read_logged_model(folder, experiment)));
    return out;
  }

  Result<std::vector<SourceModel>> models() override {
    std::vector<SourceModel> out;
    for (const fs::path& folder : folders_with(root_ / "models", kMeta)) out.push_back(TRY(read_model(folder)));
    return out;
  }

  std::vector<std::string> left_behind(const std::vector<SourceExperiment>& experiments) override {
    std::vector<std::string> out;
    for (const SourceExperiment& experiment : experiments) {
      std::error_code problem;
      if (fs::exists(root_ / experiment.id / "traces", problem))
        out.push_back("the traces of experiment '" + experiment.name + "'");
    }
    if (const size_t deleted = folders_with(root_ / ".trash", kMeta).size(); deleted > 0)
      out.push_back(std::to_string(deleted) + " deleted experiments");
    return out;
  }

 private:
  fs::path run_folder(const std::string& experiment, const std::string& run) const { return root_ / experiment / run; }

  Result<fs::path> artifacts_of(const Owner& owner) const {
    const fs::path folder = owner.kind == OwnerKind::run ? run_folder(owner.experiment_id, owner.id)
                                                         : root_ / owner.experiment_id / "models" / owner.id;
    const Json meta = TRY(read_yaml_file(folder / kMeta));
    const char* member = owner.kind == OwnerKind::run ? "artifact_uri" : "artifact_location";
    return artifact_folder(meta[member], folder / "artifacts");
  }

  Result<SourceRun> read_run(const fs::path& folder, const std::string& experiment, const Json& meta) const {
    SourceRun run;
    run.id = folder.filename().string();
    run.experiment_id = experiment;
    run.name = text_of(meta["run_name"]);
    run.user = text_of(meta["user_id"]);
    run.status = status_of(meta["status"]);
    run.started_ms = integer_of(meta["start_time"]);
    if (const std::int64_t end = integer_of(meta["end_time"]); end > 0) run.ended_ms = end;
    run.deleted = meta["lifecycle_stage"].string() == "deleted";
    run.params = TRY(contents_below(folder / "params"));
    run.tags = TRY(contents_below(folder / "tags"));
    for (const SourceFile& metric : TRY(files_below(folder / "metrics"))) {
      if (auto latest = TRY(read_latest(folder / "metrics" / metric.path, metric.path)))
        run.latest.push_back(std::move(*latest));
    }
    TRY(read_links(folder, experiment, run));
    return run;
  }

  Result<void> read_links(const fs::path& folder, const std::string& experiment, SourceRun& run) const {
    Json::Array datasets, models_in, models_out;
    for (const fs::path& link : folders_with(folder / "inputs", kMeta)) {
      const Json meta = TRY(read_yaml_file(link / kMeta));
      if (meta["source_type"].string() == "DATASET") {
        datasets.push_back(TRY(read_dataset(experiment, meta)));
      } else {
        models_in.push_back(Json().set("model_id", meta["source_id"].string()));
      }
    }
    for (const fs::path& link : folders_with(folder / "outputs", kMeta)) {
      const Json meta = TRY(read_yaml_file(link / kMeta));
      models_out.push_back(
          Json().set("model_id", meta["destination_id"].string()).set("step", integer_of(meta["step"])));
    }
    run.datasets = std::move(datasets);
    run.models_in = std::move(models_in);
    run.models_out = std::move(models_out);
    return {};
  }

  Result<Json> read_dataset(const std::string& experiment, const Json& link) const {
    const Json meta = TRY(read_yaml_file(root_ / experiment / "datasets" / link["source_id"].string() / kMeta));
    Json dataset;
    for (const char* member : {"name", "digest", "source_type", "source", "schema", "profile"}) {
      if (!meta[member].is_null()) dataset.set(member, text_of(meta[member]));
    }
    Json::Array tags;
    for (const auto& [key, value] : link["tags"].object())
      tags.push_back(Json().set("key", key).set("value", text_of(value)));
    return Json().set("dataset", std::move(dataset)).set("tags", std::move(tags));
  }

  static Result<void> read_points(const fs::path& file, const std::string& key,
                                  const std::function<Result<void>(std::span<const Point>)>& visit) {
    std::ifstream in(file);
    if (!in) return Error{ErrorCode::not_found, "reading " + file.string() + " failed"};
    std::vector<Point> points;
    std::string line;
    while (std::getline(in, line)) {
      if (auto point = point_of_line(key, line)) points.push_back(std::move(*point));
      if (points.size() < kPointsPerPiece) continue;
      TRY(visit(points));
      points.clear();
    }
    return visit(points);
  }

  static Result<std::optional<Point>> read_latest(const fs::path& file, const std::string& key) {
    std::optional<Point> latest;
    TRY(read_points(file, key, [&](std::span<const Point> points) -> Result<void> {
      for (const Point& point : points) {
        if (!latest || later(point, *latest)) latest = point;
      }
      return {};
    }));
    return latest;
  }

  Result<SourceLoggedModel> read_logged_model(const fs::path& folder, const std::string& experiment) const {
    const Json meta = TRY(read_yaml_file(folder / kMeta));
    SourceLoggedModel model;
    model.id = folder.filename().string();
    model.experiment_id = experiment;
    model.name = text_of(meta["name"]);
    model.model_type = text_of(meta["model_type"]);
    model.source_run = text_of(meta["source_run_id"]);
    model.created_ms = integer_of(meta["creation_timestamp"]);
    if (meta["status"].integer() == 1) model.status = "pending";
    if (meta["status"].integer() == 3) model.status = "upload_failed";
    model.params = TRY(contents_below(folder / "params"));
    model.tags = TRY(contents_below(folder / "tags"));
    model.metrics = TRY(read_model_metrics(folder / "metrics"));
    return model;
  }

  /// Lines "time value step run [dataset digest]".
  static Result<Json> read_model_metrics(const fs::path& folder) {
    Json::Array out;
    for (const auto& [key, content] : TRY(contents_below(folder))) {
      for (const std::string& line : split(content, '\n')) {
        const auto point = point_of_line(key, line);
        const auto words = split(line, ' ');
        if (!point || words.size() < 4) continue;
        Json metric;
        metric.set("key", key).set("step", point->step);
        metric.set("value", std::isfinite(point->value) ? Json(point->value) : Json(render_double(point->value)));
        metric.set("time_ms", point->at_ms).set("run_id", words[3]);
        metric.set("dataset_name", words.size() > 5 ? words[4] : "");
        out.push_back(metric.set("dataset_digest", words.size() > 5 ? words[5] : ""));
      }
    }
    return Json(std::move(out));
  }

  Result<SourceModel> read_model(const fs::path& folder) const {
    const Json meta = TRY(read_yaml_file(folder / kMeta));
    SourceModel model;
    model.name = text_of(meta["name"]);
    model.description = text_of(meta["description"]);
    model.tags = TRY(contents_below(folder / "tags"));
    for (const auto& [alias, version] : TRY(contents_below(folder / "aliases")))
      model.aliases.emplace_back(alias, parse_i64(trim(version)).value_or(0));
    for (const fs::path& at : folders_with(folder, kMeta)) {
      SourceVersion version = TRY(read_version(at));
      if (version.stage != kDeletedStage) model.versions.push_back(std::move(version));
    }
    std::sort(model.versions.begin(), model.versions.end(),
              [](const SourceVersion& a, const SourceVersion& b) { return a.number < b.number; });
    return model;
  }

  static Result<SourceVersion> read_version(const fs::path& folder) {
    const Json meta = TRY(read_yaml_file(folder / kMeta));
    SourceVersion version;
    version.number = integer_of(meta["version"]);
    version.source = text_of(meta["source"]);
    version.run_id = text_of(meta["run_id"]);
    version.model_id = text_of(meta["model_id"]);
    version.description = text_of(meta["description"]);
    version.stage = text_of(meta["current_stage"]);
    version.created_ms = integer_of(meta["creation_timestamp"]);
    version.tags = TRY(contents_below(folder / "tags"));
    return version;
  }

  const fs::path root_;
};

}  // namespace

std::optional<Point> point_of_line(const std::string& key, std::string_view line) {
  const auto words = split(trim(line), ' ');
  if (words.size() < 2) return std::nullopt;
  const auto at = parse_i64(words[0]);
  const auto value = parse_double(words[1]);
  const auto step = words.size() > 2 ? parse_i64(words[2]) : std::optional<std::int64_t>(0);
  if (!at || !value || !step) return std::nullopt;
  return Point{key, *value, *at, *step};
}

Result<std::unique_ptr<Source>> open_mlflow_folder(const fs::path& folder) {
  std::error_code problem;
  for (const fs::path& root : {folder, folder / "mlruns"}) {
    if (!folders_with(root, kMeta).empty()) {
      const fs::path whole = fs::canonical(root, problem);
      return std::unique_ptr<Source>(std::make_unique<MlflowFolder>(problem ? root : whole));
    }
  }
  return Error{ErrorCode::not_found,
               folder.string() +
                   " is no folder of MLflow: it has no experiment (a folder with meta.yaml). For a "
                   "database, start `mlflow server --backend-store-uri …` and import its address"};
}

}  // namespace slipway::imports
