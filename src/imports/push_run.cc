#include "imports/push_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "imports/carry.h"
#include "imports/carry_run.h"

namespace slipway::imports {
namespace {

constexpr std::string_view kParentTag = "mlflow.parentRunId";
constexpr size_t kStateHashDigits = 32;

/// In the order in which an MLflow server compares them.
struct PointLess {
  bool operator()(const Point& a, const Point& b) const {
    if (a.step != b.step) return a.step < b.step;
    if (a.at_ms != b.at_ms) return a.at_ms < b.at_ms;
    if (std::isnan(a.value) || std::isnan(b.value)) return std::isnan(a.value) && !std::isnan(b.value);
    return a.value < b.value;
  }
};

/// Collects points of several metrics and sends them in their order.
class PointSender {
 public:
  PointSender(Push& push, const std::string& run) : push_(push), run_(run) {}

  Result<void> add(const Point& point) {
    waiting_.push_back(point);
    return waiting_.size() < kPushedPointsMax ? Result<void>() : flush();
  }
  Result<void> flush() {
    TRY(push_.target.log_points(run_, waiting_));
    push_.report.points += static_cast<std::int64_t>(waiting_.size());
    waiting_.clear();
    return {};
  }

 private:
  Push& push_;
  const std::string& run_;
  std::vector<Point> waiting_;
};

/// What is there already is not sent again; the latest point goes last, so that nobody takes a half history for a
/// whole.
Result<void> push_metric(Push& push, const SourceRun& run, const Point& latest, const std::string& id, bool is_there,
                         PointSender& sender) {
  std::set<Point, PointLess> there;
  if (is_there) {
    for (const Point& point : TRY(push.target.history(id, latest.key))) there.insert(point);
  }
  bool has_latest = false;
  TRY(push.source.history(run, latest.key, [&](std::span<const Point> points) -> Result<void> {
    for (const Point& point : points) {
      if (there.contains(point)) continue;
      if (same_point(point, latest)) {
        has_latest = true;
      } else {
        TRY(sender.add(point));
      }
    }
    return {};
  }));
  return has_latest ? sender.add(latest) : Result<void>();
}

Result<void> push_metrics(Push& push, const SourceRun& run, const Pushed& there) {
  PointSender sender(push, there.id);
  for (const Point& latest : run.latest) {
    const auto known = there.latest.find(latest.key);
    const bool is_there = known != there.latest.end();
    if (is_there && same_point(known->second, latest) && !push.options.again) continue;
    TRY(push_metric(push, run, latest, there.id, is_there, sender));
  }
  return sender.flush();
}

Pairs missing_of(const Pairs& ours, const Pairs& there) {
  Pairs missing;
  for (const auto& pair : ours) {
    if (pair.first != kParentTag && std::find(there.begin(), there.end(), pair) == there.end()) missing.push_back(pair);
  }
  return missing;
}

/// Some at a time; when the server refuses some of them, one by one, so that the others come.
Result<void> push_pairs(Push& push, const SourceRun& run, const std::string& id, const Pairs& pairs, bool are_params) {
  const auto send = [&](const Pairs& some) {
    return are_params ? push.target.log_pairs(id, some, {}) : push.target.log_pairs(id, {}, some);
  };
  for (size_t i = 0; i < pairs.size(); i += kPushedPairsMax) {
    const Pairs some(pairs.begin() + static_cast<std::ptrdiff_t>(i),
                     pairs.begin() + static_cast<std::ptrdiff_t>(std::min(i + kPushedPairsMax, pairs.size())));
    auto sent = send(some);
    if (sent.ok()) continue;
    if (ends_everything(sent.error())) return sent;
    for (const auto& pair : some)
      TRY(note(push.report,
               fmt::format("{} '{}' of run {}", are_params ? "param" : "tag", clean_utf8(pair.first, 300), run.id),
               send({pair})));
  }
  return {};
}

Result<void> push_file(Push& push, const Owner& owner, const SourceFile& file, const std::string& files_at) {
  TRY(check_relative_path(file.path));
  const auto local = TRY(push.source.fetch(owner, file.path, push.scratch));
  TRY(push.target.put_file(files_at, file.path, local));
  ++push.report.files;
  push.report.file_bytes += file.size;
  return {};
}

/// `there` is who keeps them there. With `trusted`, what is there in the same size is taken for the same.
Result<void> push_files(Push& push, const Owner& owner, const std::vector<SourceFile>& files, const Owner& there,
                        const std::string& files_at, bool trusted) {
  if (files.empty()) return {};
  if (!MlflowTarget::takes_files(files_at)) {
    const std::string place = files_at.substr(0, files_at.find(':'));
    if (push.untaken.insert(place).second)
      push.report.add_problem(fmt::format(
          "files: {} keeps those of its runs at {}, which its clients write to themselves; start it with its artifact proxy "
          "(--serve-artifacts), or copy them there",
          push.target.title(), clean_utf8(files_at, 300)));
    return {};
  }
  const auto known = TRY(push.target.files(there));
  for (const SourceFile& file : files) {
    const auto at = known.find(file.path);
    if (trusted && at != known.end() && at->second == file.size) continue;
    TRY(note(push.report, fmt::format("file '{}' of {}", clean_utf8(file.path, 300), owner.id),
             push_file(push, owner, file, files_at)));
  }
  return {};
}

/// Models by their ids there; those that did not come are left out.
Json models_there(const Push& push, const Json& models) {
  Json::Array out;
  for (const Json& model : models.array()) {
    const auto at = push.models.find(model["model_id"].string());
    if (at == push.models.end()) continue;
    Json json = Json(Json::Object{}).set("model_id", at->second);
    if (!model["step"].is_null()) json.set("step", model["step"]);
    out.push_back(std::move(json));
  }
  return out;
}

std::string parent_of(const SourceRun& run) {
  for (const auto& [key, value] : run.tags) {
    if (key == kParentTag) return value;
  }
  return "";
}

std::string state_of_model(const SourceLoggedModel& model, const std::vector<SourceFile>& files) {
  JsonWriter text;
  text.begin_object().member("status", model.status).key("metrics").value(model.metrics).key("files").begin_array();
  for (const SourceFile& file : files) text.value(file.path).value(file.size);
  text.end_array().end_object();
  return render(hash_of(text.text())).substr(0, kStateHashDigits);
}

/// Values that a run there logged for the model.
Result<void> push_model_points(Push& push, const SourceLoggedModel& model, const std::string& id) {
  std::map<std::string, std::vector<ModelPoint>> by_run;
  for (const Json& metric : model.metrics.array()) {
    const auto run = push.runs.find(metric["run_id"].string());
    if (run == push.runs.end()) continue;
    const Json& value = metric["value"];
    const double number = value.is_string() ? parse_double(value.string()).value_or(0) : value.number().value_or(0);
    by_run[run->second].push_back({{metric["key"].string(), number, metric["time_ms"].integer().value_or(0),
                                    metric["step"].integer().value_or(0)},
                                   id,
                                   metric["dataset_name"].string(),
                                   metric["dataset_digest"].string()});
  }
  for (const auto& [run, points] : by_run) {
    for (std::span<const ModelPoint> rest(points); !rest.empty();) {
      const auto some = rest.first(std::min(rest.size(), kPushedPointsMax));
      TRY(push.target.log_model_points(run, some));
      rest = rest.subspan(some.size());
    }
  }
  return {};
}

}  // namespace

Result<std::optional<OpenRun>> push_run(Push& push, const SourceRun& run, const std::string& experiment,
                                        const Pushed* there) {
  std::vector<SourceFile> files;
  if (push.options.files) files = TRY(push.source.files({OwnerKind::run, run.id, run.experiment_id}));
  const std::string state = state_of(run, files);
  if (there != nullptr && (there->deleted || (there->state == state && !push.options.again))) {
    push.runs[run.id] = there->id;
    ++push.report.runs.unchanged;
    if (there->deleted && there->state != state)
      push.report.add_problem(
          fmt::format("run {}: it was deleted there as {}; restore it there to carry what is new", run.id, there->id));
    return std::optional<OpenRun>();
  }
  const std::int64_t problems = push.problems();
  const Pushed now = there != nullptr ? *there : TRY(push.target.create_run(run, experiment));
  push.runs[run.id] = now.id;
  TRY(push_pairs(push, run, now.id, missing_of(run.params, now.params), true));
  TRY(push_pairs(push, run, now.id, missing_of(run.tags, now.tags), false));
  TRY(push_metrics(push, run, now));
  const bool trusted = run.is_over() && !push.options.again && (now.state.empty() || now.state.starts_with("over:"));
  TRY(push_files(push, {OwnerKind::run, run.id, run.experiment_id}, files, {OwnerKind::run, now.id, experiment},
                 now.files_at, trusted));
  OpenRun open{now.id, run, state, push.problems() == problems};
  open.run.latest.clear();
  open.run.params.clear();
  return std::optional(std::move(open));
}

bool can_close(const Push& push, const OpenRun& open) {
  const std::string parent = parent_of(open.run);
  if (!parent.empty() && !push.runs.contains(parent)) return false;
  if (!push.options.models) return true;
  for (const Json* models : {&open.run.models_in, &open.run.models_out}) {
    for (const Json& model : models->array()) {
      if (!push.models.contains(model["model_id"].string())) return false;
    }
  }
  return true;
}

Result<void> close_run(Push& push, const OpenRun& open) {
  const std::int64_t problems = push.problems();
  const auto close = [&]() -> Result<void> {
    if (const std::string parent = parent_of(open.run); !parent.empty()) {
      const auto at = push.runs.find(parent);
      TRY(push.target.set_tag(open.id, std::string(kParentTag), at == push.runs.end() ? parent : at->second));
    }
    TRY(push.target.log_links(open.id, open.run.datasets, models_there(push, open.run.models_in),
                              models_there(push, open.run.models_out)));
    return push.target.finish_run(open.id, open.run);
  };
  TRY(note(push.report, "run " + open.run.id, close()));
  ++push.report.runs.carried;
  // What could not be pushed now is tried again the next time.
  if (open.is_whole && push.problems() == problems) TRY(push.target.set_tag(open.id, kPushedStateTag, open.state));
  if (open.run.deleted) TRY(push.target.delete_run(open.id));
  return {};
}

Result<void> push_logged_model(Push& push, const SourceLoggedModel& model, const std::string& experiment,
                               const Pushed* there) {
  const Owner owner{OwnerKind::logged_model, model.id, model.experiment_id};
  std::vector<SourceFile> files;
  if (push.options.files) files = TRY(push.source.files(owner));
  const std::string state = state_of_model(model, files);
  if (there != nullptr) {
    push.models[model.id] = there->id;
    push.files_at[there->id] = there->files_at;
  }
  if (there != nullptr && there->state == state && !push.options.again) {
    ++push.report.logged_models.unchanged;
    return {};
  }
  const std::int64_t problems = push.problems();
  const auto run = push.runs.find(model.source_run);
  const Pushed now =
      there != nullptr
          ? *there
          : TRY(push.target.create_logged_model(model, experiment, run == push.runs.end() ? "" : run->second));
  push.models[model.id] = now.id;
  push.files_at[now.id] = now.files_at;
  TRY(push_files(push, owner, files, {OwnerKind::logged_model, now.id, experiment}, now.files_at, !push.options.again));
  TRY(note(push.report, "metrics of logged model " + model.id, push_model_points(push, model, now.id)));
  ++push.report.logged_models.carried;
  if (push.problems() == problems) TRY(push.target.finish_logged_model(now.id, model.status, state));
  return {};
}

}  // namespace slipway::imports
