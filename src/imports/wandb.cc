#include "imports/wandb.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "imports/carry_run.h"
#include "imports/folder_files.h"
#include "imports/series.h"
#include "imports/wandb_story.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOutputFile = "output.log";
constexpr int kFolderDepthMax = 2;  // wandb/offline-run-…/run-….wandb
constexpr size_t kStateHashDigits = 32;
constexpr const char* kExperimentOtherwise = "uncategorized";  // as W&B calls it

bool is_wandb_file(const fs::path& path) {
  return path.extension() == ".wandb" && path.filename().string().starts_with("run-");
}

/// Files of runs, in the order of their folders' names, which begin with the date. Links (latest-run) are not followed.
std::vector<fs::path> files_of_runs(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code problem, ignored;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, problem);
  for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
    if (at->is_directory(ignored) && (at.depth() >= kFolderDepthMax || at->path().filename() == "files"))
      at.disable_recursion_pending();
    if (at->is_regular_file(ignored) && is_wandb_file(at->path())) found.push_back(at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string text_of(const Json& value) { return value.is_string() ? value.string() : value.render(); }

/// One run of W&B's: its folders, the one that began it first.
class RunCarrier {
 public:
  RunCarrier(std::vector<WandbStory> stories, Destination& destination, const WandbOptions& options, Report& report)
      : stories_(std::move(stories)), destination_(destination), options_(options), report_(report) {
    const WandbRun& first = stories_.front().run;
    run_.id = id_of_origin("wandb\n" + first.project + "\n" + first.id);
  }

  Result<void> carry() {
    ++report_.runs.seen;
    describe();
    if (options_.files) TRY(list_files());
    const std::string state = state_of_all();
    const auto known = TRY(destination_.run(run_.id));
    if (known && known->state_tag == state && !options_.again) {
      ++report_.runs.unchanged;
      return {};
    }
    const std::int64_t problems = problem_count();
    const std::string experiment = TRY(destination_.experiment(experiment_name(), {}));
    TRY(put(experiment, "RUNNING"));
    TRY(send_points());
    TRY(send_files(known.has_value()));
    TRY(put(experiment, run_.status));
    ++report_.runs.carried;
    // What could not be carried now is tried again the next time.
    if (run_.is_over() && problem_count() == problems) TRY(destination_.set_tag(run_.id, kStateTag, state));
    tell_what_stays();
    return {};
  }

 private:
  struct File {
    fs::path local;
    std::string path;
    std::uint64_t size = 0;
  };

  std::int64_t problem_count() const {
    return static_cast<std::int64_t>(report_.problems.size()) + report_.problems_more;
  }

  std::string experiment_name() const {
    if (!options_.experiment.empty()) return options_.experiment;
    const std::string& project = stories_.front().run.project;
    return project.empty() ? kExperimentOtherwise : project;
  }

  // --- what the run is ---------------------------------------------------------------------------------------------

  void describe() {
    const WandbStory& first = stories_.front();
    const WandbStory& last = stories_.back();
    run_.name = last.run.name.empty() ? last.run.id : last.run.name;
    run_.started_ms = first.run.started_ms > 0 ? first.run.started_ms : first.first_ms;
    run_.status = status_of(last);
    if (run_.is_over()) run_.ended_ms = std::max(last.last_ms, run_.started_ms);
    std::map<std::string, Json> config;
    for (const WandbStory& story : stories_) {
      for (const auto& [key, value] : story.config) config[key] = value;
    }
    for (const auto& [key, value] : config) add_parameter(key, text_of(value));
    add_tags(last.run);
    add_summary(last);
  }

  /// Without an end it runs, or it was killed: whoever writes does so at least every some minutes.
  static std::string status_of(const WandbStory& story) {
    if (story.exit_code) return *story.exit_code == 0 ? "FINISHED" : "FAILED";
    std::error_code problem;
    const auto written = fs::last_write_time(story.file, problem);
    const bool is_silent = problem || fs::file_time_type::clock::now() - written > kWandbSilenceMax;
    return is_silent ? "FAILED" : "RUNNING";
  }

  void add_parameter(const std::string& key, const std::string& value) {
    if (key.starts_with("_wandb")) return;
    run_.params.emplace_back(clean_key(key), clean_utf8(value, kWandbValueBytesMax));
    if (value.size() > kWandbValueBytesMax) cut_.push_back(key);
  }

  void add_tags(const WandbRun& run) {
    const auto add = [&](const char* key, const std::string& value) {
      if (!value.empty()) run_.tags.emplace_back(key, value);
    };
    add("mlflow.note.content", run.notes);
    add("mlflow.source.git.repoURL", run.git_remote);
    add("mlflow.source.git.commit", run.git_commit);
    add("wandb.entity", run.entity);
    add("wandb.group", run.group);
    add("wandb.host", run.host);
    add("wandb.job_type", run.job_type);
    add("wandb.project", run.project);
    add("wandb.run", run.id);
    add("wandb.sweep", run.sweep);
    for (const std::string& tag : run.tags) add(("wandb.tag." + clean_key(tag)).c_str(), "true");
  }

  /// Of the summary only what the history does not say: other numbers as metrics, best values and texts as tags.
  void add_summary(const WandbStory& story) {
    for (const auto& [key, value] : story.summary) {
      if (key.starts_with("_") || value.is_object() || value.is_null()) continue;
      const bool is_number = value.is_number() || value.is_bool();
      const auto known = story.latest.find(key);
      const double number = value.is_bool() ? *value.boolean() : value.number().value_or(0);
      if (is_number && known == story.latest.end()) {
        summary_points_.push_back({key, number, std::max(story.last_ms, run_.started_ms), story.step_last});
      } else if (!is_number || known->second != number) {
        run_.tags.emplace_back("wandb.summary." + clean_key(key), clean_utf8(text_of(value), kWandbValueBytesMax));
      }
    }
  }

  Result<void> put(const std::string& experiment, const std::string& status) {
    SourceRun run = run_;
    run.status = status;
    if (!run.is_over()) run.ended_ms.reset();
    TRY(destination_.put_run(run, experiment, {{kOriginTag, stories_.front().folder.string()}}));
    return {};
  }

  // --- points and files --------------------------------------------------------------------------------------------

  Result<void> send_points() {
    for (const WandbStory& story : stories_) {
      std::error_code ignored;
      const bool has_file = fs::exists(story.folder / "files" / kOutputFile, ignored);
      std::ofstream output;
      if (options_.files && !has_file) output.open(scratch_.path() / kOutputFile, std::ios::binary | std::ios::app);
      WandbPoints visit;
      visit.point = [&](Point point) { return add(std::move(point)); };
      visit.output = [&](std::string_view text) -> Result<void> {
        if (output.is_open()) output.write(text.data(), static_cast<std::streamsize>(text.size()));
        return {};
      };
      TRY(read_wandb_points(story.file, visit));
      if (output.is_open() && output.fail())
        return Error{ErrorCode::internal, "writing the run's output to a file failed; is the disk full?"};
    }
    for (Point& point : summary_points_) TRY(add(std::move(point)));
    return flush();
  }

  Result<void> add(Point point) {
    point.key = clean_key(point.key);
    waiting_.push_back(std::move(point));
    return waiting_.size() < kPointsPerRequest ? Result<void>() : flush();
  }

  Result<void> flush() {
    TRY(destination_.log_points(run_.id, waiting_));
    report_.points += static_cast<std::int64_t>(waiting_.size());
    waiting_.clear();
    return {};
  }

  /// All below `files/`. A path that an earlier folder of a resumed run has, too, gets the later one's number.
  Result<void> list_files() {
    std::set<std::string> taken;
    for (size_t i = 0; i < stories_.size(); ++i) {
      const fs::path folder = stories_[i].folder / "files";
      for (const SourceFile& file : TRY(files_below(folder))) {
        const std::string path = taken.contains(file.path) ? fmt::format("resumed-{}/{}", i, file.path) : file.path;
        taken.insert(path);
        files_.push_back({folder / file.path, path, file.size});
      }
    }
    return {};
  }

  Result<void> send_files(bool is_known) {
    std::error_code problem;
    const fs::path output = scratch_.path() / kOutputFile;
    if (const auto size = fs::file_size(output, problem); !problem && size > 0)
      files_.push_back({output, kOutputFile, size});
    if (files_.empty()) return {};
    const Owner owner{OwnerKind::run, run_.id, ""};
    const auto here = is_known ? TRY(destination_.files(owner)) : std::map<std::string, std::uint64_t>();
    for (const File& file : files_) {
      const auto known = here.find(file.path);
      if (known != here.end() && known->second == file.size && run_.is_over() && !options_.again) continue;
      TRY(note(report_, fmt::format("file '{}' of {}", clean_utf8(file.path, 300), stories_.front().run.id),
               send_file(owner, file)));
    }
    return {};
  }

  Result<void> send_file(const Owner& owner, const File& file) {
    TRY(check_relative_path(file.path));
    TRY(destination_.put_file(owner, file.path, file.local));
    ++report_.files;
    report_.file_bytes += file.size;
    return {};
  }

  // --- the report --------------------------------------------------------------------------------------------------

  std::string state_of_all() const {
    JsonWriter text;
    text.begin_array().value(run_.status).value(run_.name);
    for (const WandbStory& story : stories_) text.value(story.file.filename().string()).value(story.size);
    for (const File& file : files_) text.value(file.path).value(file.size);
    text.end_array();
    return (run_.is_over() ? "over:" : "open:") + render(hash_of(text.text())).substr(0, kStateHashDigits);
  }

  void tell_what_stays() {
    const std::string whose = " of run " + stories_.front().run.id;
    for (const std::string& key : cut_)
      report_.add_problem(fmt::format("config '{}'{}: only its first {} bytes are carried", clean_utf8(key, 200), whose,
                                      kWandbValueBytesMax));
    for (const WandbStory& story : stories_) {
      if (!story.damage.empty()) report_.add_problem(story.damage);
      const auto left = [&](std::int64_t count, const char* what) {
        if (count > 0) report_.left_behind.push_back(fmt::format("{} {}{}", count, what, whose));
      };
      left(story.texts + story.lists, "texts and lists in the history");
      left(story.plots, "histograms and other objects in the history");
      left(story.others, "alerts and links");
      for (const std::string& name : story.artifacts)
        report_.left_behind.push_back("artifact '" + clean_utf8(name, 200) + "'" + whose +
                                      " (its files lie outside of the run's folder)");
    }
  }

  const std::vector<WandbStory> stories_;
  Destination& destination_;
  const WandbOptions& options_;
  Report& report_;
  const TemporaryDirectory scratch_;
  SourceRun run_;
  std::vector<Point> summary_points_, waiting_;
  std::vector<File> files_;
  std::vector<std::string> cut_;
};

}  // namespace

Result<Report> carry_wandb(const fs::path& folder, Destination& destination, const WandbOptions& options) {
  const auto files = files_of_runs(folder);
  if (files.empty())
    return Error{ErrorCode::not_found, folder.string() +
                                           " has no run of W&B's client: expected a folder like wandb/offline-run-… "
                                           "with a file run-….wandb, or what holds such folders"};
  Report report;
  std::map<std::string, std::vector<WandbStory>> runs;
  for (const fs::path& file : files) {
    auto story = read_wandb_story(file);
    if (!story.ok()) {
      report.add_problem(story.error().message);
      continue;
    }
    runs[story->run.project + "\n" + story->run.id].push_back(std::move(*story));
  }
  for (auto& [key, stories] : runs) {
    const std::string id = stories.front().run.id;
    TRY(note(report, "run " + id, RunCarrier(std::move(stories), destination, options, report).carry()));
  }
  return report;
}

}  // namespace slipway::imports
