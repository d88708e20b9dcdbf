#include "api/native/gc.h"

#include <fmt/format.h>

#include <cmath>

#include "api/api.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using retention::Candidate;
using retention::Collector;

constexpr double kDeletedForMax_s = 100.0 * 365 * 86400;

struct Rooms {
  Collector& collector;
  registry::References& references;
};

Result<void> check_admin(const Request& request) {
  if (caller_of(request).admin) return {};
  return Error{ErrorCode::permission_denied, "only an admin may remove things for good; ask one of yours"};
}

/// `key` as ids of one kind, at most kNamedMax.
template <typename Id>
Result<std::vector<Id>> ids_of(const Json& body, const char* key) {
  std::vector<Id> ids;
  for (const std::string& id : TRY(optional_texts(body, key))) ids.emplace_back(id);
  if (ids.size() > retention::kNamedMax)
    return Error{ErrorCode::too_large, fmt::format("'{}' has {} ids; at most {} are taken in one request", key,
                                                   ids.size(), retention::kNamedMax)};
  return ids;
}

/// Something that is named goes however lately it was deleted, unless that is said.
Result<retention::Criteria> criteria_of(const Request& request, const Json& body) {
  retention::Criteria criteria;
  criteria.runs = TRY(ids_of<RunId>(body, "run_ids"));
  criteria.experiments = TRY(ids_of<ExperimentId>(body, "experiment_ids"));
  if (!TRY(optional_boolean(body, "all_projects", false))) criteria.project = project_of(request);
  const bool names = !criteria.runs.empty() || !criteria.experiments.empty();
  const double usual = names ? 0 : static_cast<double>(retention::kDeletedForDefault.count()) / 1e6;
  const double seconds = TRY(optional_number(body, "older_than_s", usual));
  if (!(seconds >= 0 && seconds <= kDeletedForMax_s))
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'older_than_s' is {}; expected seconds, from 0 to a hundred years", seconds)};
  criteria.deleted_for = Duration(std::llround(seconds * 1e6));
  return criteria;
}

// --- deleted things ------------------------------------------------------------------------------------------------

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json common_json(const Candidate& one) {
  Json json;
  json.set("id", one.id).set("name", one.name).set("project_id", one.project.text);
  return json.set("deleted_at", time_json(one.deleted_at)).set("kept_because", text_or_null(one.kept_because));
}

Json run_candidate_json(const Candidate& run) {
  Json json = common_json(run);
  json.set("experiment_name", run.experiment_name).set("artifact_bytes", run.bytes.artifacts);
  json.set("point_bytes", run.bytes.points).set("log_bytes", run.bytes.logs);
  return json.set("artifacts_at", text_or_null(run.artifacts_at));
}

Result<Json> remove_deleted(Rooms& rooms, const Request& request) {
  TRY(check_admin(request));
  const Json body = TRY(json_body(request));
  const retention::Criteria criteria = TRY(criteria_of(request, body));
  const bool dry_run = TRY(optional_boolean(body, "dry_run", false));
  const std::string token = TRY(optional_string(body, "page_token"));
  retention::Page page;
  if (dry_run) {
    page = TRY(rooms.collector.list(criteria, token));
  } else {
    page = TRY(rooms.collector.remove(criteria, token, caller_of(request).member.text));
  }
  Json::Array runs, experiments;
  for (const Candidate& run : page.runs) runs.push_back(run_candidate_json(run));
  for (const Candidate& experiment : page.experiments)
    experiments.push_back(common_json(experiment).set("run_count", experiment.runs));
  Json json;
  json.set("dry_run", dry_run).set("runs", std::move(runs)).set("experiments", std::move(experiments));
  json.set("total", page.total ? Json(*page.total) : Json());
  return json.set("next_page_token", page.next_page_token ? Json(*page.next_page_token) : Json());
}

// --- blobs ---------------------------------------------------------------------------------------------------------

Json sweep_json(const store::SweepReport& report, bool dry_run) {
  Json json;
  json.set("dry_run", dry_run).set("blobs_kept", report.blobs_kept).set("bytes_kept", report.bytes_kept);
  json.set("blobs_removed", report.blobs_removed).set("bytes_removed", report.bytes_removed);
  return json.set("uploads_removed", report.uploads_removed);
}

Result<Json> sweep(Rooms& rooms, const Request& request) {
  TRY(check_admin(request));
  const Json body = TRY(json_body(request));
  const bool dry_run = TRY(optional_boolean(body, "dry_run", false));
  const retention::Criteria criteria = TRY(criteria_of(request, body));  // also without them: nonsense is refused
  if (!TRY(optional_boolean(body, "without_deleted", false)))
    return sweep_json(TRY(rooms.references.sweep(dry_run)), dry_run);
  if (!dry_run)
    return Error{ErrorCode::invalid_argument,
                 "'without_deleted' looks ahead, so it needs 'dry_run': true; POST /api/v1/gc/deleted removes"};
  return sweep_json(TRY(rooms.collector.would_free(criteria)), true);
}

}  // namespace

void add_gc(http::Router& router, Collector& collector, registry::References& references) {
  const auto rooms = std::make_shared<Rooms>(Rooms{collector, references});
  using Function = Result<Json> (*)(Rooms&, const Request&);
  const auto add = [&](const char* pattern, Function function) {
    router.add(Method::post, pattern, [rooms, function](Request& request, Responder responder) {
      answer(responder, function(*rooms, request),
             [](const Json& json) { return http::Response::json(json.render()); });
    });
  };
  add("/api/v1/gc", sweep);
  add("/api/v1/gc/deleted", remove_deleted);
}

}  // namespace slipway::api
