#include "imports/carry_run.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr size_t kStateHashDigits = 32;
constexpr std::string_view kOver = "over:";
constexpr std::string_view kOpen = "open:";

/// Collects points of several metrics and sends them in their order.
class PointSender {
 public:
  PointSender(Worker& worker, const std::string& run) : worker_(worker), run_(run) {}

  Result<void> add(const Point& point) {
    waiting_.push_back(point);
    if (waiting_.size() < kPointsPerRequest) return {};
    return flush();
  }

  Result<void> flush() {
    TRY(worker_.destination.log_points(run_, waiting_));
    worker_.report.points += static_cast<std::int64_t>(waiting_.size());
    waiting_.clear();
    return {};
  }

 private:
  Worker& worker_;
  const std::string& run_;
  std::vector<Point> waiting_;
};

/// One metric, its latest point last, so that nobody takes a half history for a whole one.
Result<void> carry_metric(Worker& worker, const SourceRun& run, const Point& latest, PointSender& sender) {
  bool has_latest = false;
  TRY(worker.source.history(run, latest.key, [&](std::span<const Point> points) -> Result<void> {
    for (const Point& point : points) {
      if (same_point(point, latest)) {
        has_latest = true;
      } else {
        TRY(sender.add(point));
      }
    }
    return {};
  }));
  if (has_latest) TRY(sender.add(latest));
  return {};
}

Result<void> carry_metrics(Worker& worker, const SourceRun& run, const std::optional<KnownRun>& known) {
  if (worker.destination.dry()) return {};
  PointSender sender(worker, run.id);
  for (const Point& latest : run.latest) {
    if (known && !worker.options.again) {
      const auto here = known->latest.find(latest.key);
      if (here != known->latest.end() && same_point(here->second, latest)) continue;
    }
    TRY(carry_metric(worker, run, latest, sender));
  }
  return sender.flush();
}

Result<void> carry_file(Worker& worker, const Owner& owner, const SourceFile& file) {
  if (!worker.destination.dry()) {
    TRY(check_relative_path(file.path));
    const auto local = TRY(worker.source.fetch(owner, file.path, worker.scratch));
    TRY(worker.destination.put_file(owner, file.path, local));
  }
  ++worker.report.files;
  worker.report.file_bytes += file.size;
  return {};
}

Result<void> carry_files(Worker& worker, const Owner& owner, const std::vector<SourceFile>& files, bool trusted) {
  if (files.empty()) return {};
  const auto here = TRY(worker.destination.files(owner));
  for (const SourceFile& file : files) {
    const auto known = here.find(file.path);
    if (trusted && known != here.end() && known->second == file.size) continue;
    TRY(note(worker.report, fmt::format("file '{}' of {}", clean_utf8(file.path, 300), owner.id),
             carry_file(worker, owner, file)));
  }
  return {};
}

Result<void> carry_changed_run(Worker& worker, const SourceRun& run, const std::string& experiment,
                               const std::optional<KnownRun>& known, const std::vector<SourceFile>& files) {
  SourceRun active = run;
  active.deleted = false;  // a deleted run takes nothing; it is deleted at the end
  TRY(worker.destination.put_run(active, experiment, {{kOriginTag, worker.source.link(run)}}));
  TRY(carry_metrics(worker, run, known));
  const bool trusted = run.is_over() && !worker.options.again && !(known && known->state_tag.starts_with(kOpen));
  TRY(carry_files(worker, {OwnerKind::run, run.id, run.experiment_id}, files, trusted));
  TRY(note(worker.report, "inputs and outputs of run " + run.id,
           worker.destination.log_links(run, worker.options.models)));
  return {};
}

/// A number of things that went wrong with this run alone.
std::int64_t problems_of(const Report& report) {
  return static_cast<std::int64_t>(report.problems.size()) + report.problems_more;
}

Result<void> carry_one(Worker& worker, const SourceRun& run, const std::string& experiment) {
  std::vector<SourceFile> files;
  if (worker.options.files) files = TRY(worker.source.files({OwnerKind::run, run.id, run.experiment_id}));
  const auto known = TRY(worker.destination.run(run.id));
  const std::string state = state_of(run, files);
  if (known && known->state_tag == state && !worker.options.again) {
    ++worker.report.runs.unchanged;
    return {};
  }
  const std::int64_t problems_before = problems_of(worker.report);
  TRY(carry_changed_run(worker, run, experiment, known, files));
  ++worker.report.runs.carried;
  // What could not be carried now is tried again the next time.
  if (problems_of(worker.report) == problems_before) TRY(worker.destination.set_tag(run.id, kStateTag, state));
  if (run.deleted) TRY(worker.destination.put_run(run, experiment, {}));
  return {};
}

}  // namespace

std::string state_of(const SourceRun& run, const std::vector<SourceFile>& files) {
  JsonWriter text;
  text.begin_object().member("name", run.name).member("user", run.user).member("status", run.status);
  text.member("started", run.started_ms).member("ended", run.ended_ms.value_or(0)).member("deleted", run.deleted);
  const auto add_pairs = [&](const char* key, const Pairs& pairs) {
    text.key(key).begin_array();
    for (const auto& [name, value] : pairs) text.value(name).value(value);
    text.end_array();
  };
  add_pairs("params", run.params);
  add_pairs("tags", run.tags);
  text.key("latest").begin_array();
  for (const Point& point : run.latest) text.value(point.key).value(point.value).value(point.at_ms).value(point.step);
  text.end_array().key("links").begin_array().value(run.datasets).value(run.models_in).value(run.models_out);
  text.end_array().key("files").begin_array();
  for (const SourceFile& file : files) text.value(file.path).value(file.size);
  text.end_array().end_object();
  return std::string(run.is_over() ? kOver : kOpen) + render(hash_of(text.text())).substr(0, kStateHashDigits);
}

Result<void> note(Report& report, const std::string& what, const Result<void>& done) {
  if (done.ok()) return {};
  if (ends_everything(done.error())) return done;
  report.add_problem(what + ": " + done.error().message);
  return {};
}

Result<void> carry_run(Worker& worker, const SourceRun& run, const std::string& experiment) {
  ++worker.report.runs.seen;
  return note(worker.report, "run " + run.id, carry_one(worker, run, experiment));
}

Result<void> carry_logged_model(Worker& worker, const SourceLoggedModel& model, const std::string& experiment) {
  ++worker.report.logged_models.seen;
  const auto carry_model = [&]() -> Result<void> {
    TRY(worker.destination.put_logged_model(model, experiment));
    const Owner owner{OwnerKind::logged_model, model.id, model.experiment_id};
    if (worker.options.files) TRY(carry_files(worker, owner, TRY(worker.source.files(owner)), !worker.options.again));
    ++worker.report.logged_models.carried;
    return {};
  };
  return note(worker.report, "logged model " + model.id, carry_model());
}

}  // namespace slipway::imports
