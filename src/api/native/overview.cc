#include "api/native/overview.h"

#include <functional>

#include "api/api.h"
#include "api/native/deployments.h"
#include "api/native/monitor.h"
#include "api/native/runs.h"
#include "base/text.h"

namespace slipway::api {
namespace {

constexpr size_t kRunsShown = 10;
constexpr size_t kFindingsShown = 20;
constexpr size_t kKeysShown = 20;
constexpr std::int64_t kNamesSearched = 1000;  // of each noun
constexpr size_t kResultsMax = 50;
constexpr size_t kExperimentsShown = 50;

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

Result<std::vector<tracking::Run>> newest_runs(AllRooms rooms, const ProjectId& project, const std::string& filter,
                                               std::int64_t* total) {
  tracking::RunQuery query;
  query.project = project;
  query.all_experiments = true;
  query.filter = TRY(parse_filter(filter));
  query.page_size = kRunsShown;
  query.count = total != nullptr;
  auto page = TRY(rooms.tracking.search().runs(query));
  if (total) *total = page.total.value_or(0);
  return std::move(page.items);
}

Json::Array runs_json(const std::vector<tracking::Run>& runs) {
  Json::Array items;
  for (const tracking::Run& run : runs) items.push_back(run_json(run, {}, kKeysShown));
  return items;
}

Result<Json> overview(AllRooms rooms, const http::Request& request) {
  const ProjectId project = project_of(request);
  std::int64_t runs = 0, running_count = 0;
  const auto recent = TRY(newest_runs(rooms, project, "", &runs));
  const auto running = TRY(newest_runs(rooms, project, "status = 'RUNNING'", &running_count));
  const auto models = TRY(rooms.registry.models().search(
      project, {.filter = "", .order_by = {}, .page_size = kNamesSearched, .page_token = ""}));
  const auto datasets = TRY(rooms.registry.datasets().list(project, kNamesSearched, ""));
  const auto findings = TRY(rooms.monitor.findings(project, "", true, kFindingsShown));
  Json::Array deployments, open_findings;
  for (const auto& deployment : TRY(rooms.serving.list(project)))
    deployments.push_back(
        deployment_json(deployment, TRY(rooms.monitor.traffic().totals(project, deployment.spec.name))));
  for (const auto& finding : findings) open_findings.push_back(finding_json(finding));
  const auto usage = TRY(rooms.registry.references().usage(project));
  const auto computing = TRY(rooms.runs.computing_time(project));

  Json counts{Json::Object{}};
  counts.set("runs", runs)
      .set("running_runs", running_count)
      .set("datasets", static_cast<std::int64_t>(datasets.items.size()))
      .set("models", static_cast<std::int64_t>(models.items.size()));
  counts.set("deployments", static_cast<std::int64_t>(deployments.size()))
      .set("open_cases", TRY(rooms.monitor.open_cases(project)));
  counts.set("open_findings", static_cast<std::int64_t>(open_findings.size()));
  Json json{Json::Object{}};
  json.set("running_runs", runs_json(running))
      .set("recent_runs", runs_json(recent))
      .set("deployments", std::move(deployments))
      .set("open_findings", std::move(open_findings));
  json.set("counts", std::move(counts));
  return json.set("usage", Json(Json::Object{})
                               .set("blob_bytes", usage.artifact_bytes + usage.dataset_bytes)
                               .set("computing_s", seconds(computing.time))
                               .set("cpu_s", computing.cpu_s));
}

/// Computing time by experiment: what a project's runs took, whoever executed them.
Result<Json> usage(AllRooms rooms, const http::Request& request) {
  const ProjectId project = project_of(request);
  const auto computing = TRY(rooms.runs.computing_time(project));
  Json::Array experiments;
  for (const auto& one : TRY(rooms.tracking.experiments().times(project, kExperimentsShown))) {
    experiments.push_back(Json()
                              .set("id", one.id.text)
                              .set("name", one.name)
                              .set("run_count", one.runs)
                              .set("running_count", one.running)
                              .set("duration_s", seconds(one.time)));
  }
  Json json;
  json.set("attempt_count", computing.attempts)
      .set("computing_s", seconds(computing.time))
      .set("cpu_s", computing.cpu_s);
  return json.set("experiments", std::move(experiments));
}

/// Collects things whose name contains what was typed.
class Palette {
 public:
  explicit Palette(std::string_view typed) : typed_(lower(typed)) {}

  void offer(const char* kind, const std::string& id, const std::string& shown_name, const std::string& url) {
    if (items_.size() >= kResultsMax || lower(shown_name).find(typed_) == std::string::npos) return;
    items_.push_back(Json(Json::Object{}).set("kind", kind).set("id", id).set("name", shown_name).set("url", url));
  }
  Json::Array take() { return std::move(items_); }

 private:
  const std::string typed_;
  Json::Array items_;
};

Result<Json> search(AllRooms rooms, tracking::Reports& reports, const http::Request& request) {
  const ProjectId project = project_of(request);
  const std::string typed(trim(request.query_value("q").value_or("")));
  Palette palette(typed);
  if (!typed.empty()) {
    for (const auto& dataset : TRY(rooms.registry.datasets().list(project, kNamesSearched, "")).items)
      palette.offer("dataset", dataset.name, dataset.name, "/datasets/" + http::url_encode(dataset.name));
    const auto models = TRY(rooms.registry.models().search(
        project, {.filter = "", .order_by = {}, .page_size = kNamesSearched, .page_token = ""}));
    for (const auto& model : models.items)
      palette.offer("model", model.name, model.name, "/models/" + http::url_encode(model.name));
    for (const auto& deployment : TRY(rooms.serving.list(project)))
      palette.offer("deployment", deployment.spec.name, deployment.spec.name,
                    "/deployments/" + http::url_encode(deployment.spec.name));
    for (const Report& report : TRY(reports.list(project)))
      palette.offer("report", report.id.text, report.title, "/reports/" + report.id.text);
    std::string quoted;
    for (char c : typed) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    for (const auto& run : TRY(newest_runs(rooms, project, "run_name ILIKE '%" + quoted + "%'", nullptr)))
      palette.offer("run", run.id.text, run.name, "/runs/" + run.id.text);
  }
  return Json(Json::Object{}).set("results", palette.take());
}

}  // namespace

void add_overview(http::Router& router, AllRooms rooms, const std::shared_ptr<tracking::Reports>& reports) {
  using Function = std::function<Result<Json>(const http::Request&)>;
  const auto add = [&](const char* pattern, Function function) {
    router.add(http::Method::get, pattern,
               [function = std::move(function)](http::Request& request, http::Responder responder) {
                 answer(responder, function(request),
                        [](const Json& json) { return http::Response::json(json.render()); });
               });
  };
  add("/api/v1/overview", [rooms](const http::Request& request) { return overview(rooms, request); });
  add("/api/v1/search", [rooms, reports](const http::Request& request) { return search(rooms, *reports, request); });
  add("/api/v1/usage", [rooms](const http::Request& request) { return usage(rooms, request); });
}

}  // namespace slipway::api
