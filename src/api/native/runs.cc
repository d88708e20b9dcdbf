#include "api/native/runs.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "api/api.h"
#include "api/native/filter_query.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::Run;
using tracking::Tracking;

constexpr size_t kKeysShownDefault = 50;
constexpr size_t kColumnsMax = 1'000;
constexpr size_t kColumnKeysMax = 10'000;

struct Context {
  Tracking& tracking;
  RunExtras extras;
};

RunId id_of(const Request& request) { return RunId(request.parameter("run")); }

Result<std::string> found_runs(Context& context, const Request& request, tracking::RunQuery& query) {
  const Page page = TRY(page_of(request));
  query.page_size = static_cast<size_t>(page.size);
  query.page_token = page.token;
  query.order = TRY(order_of(request));
  query.count = true;
  for (const auto& [key, value] : request.query) {
    if (key == "experiment" && !value.empty()) query.experiments.emplace_back(value);
  }
  query.all_experiments = query.experiments.empty();
  if (TRY(query_flag(request, "deleted"))) query.view = tracking::View::deleted;
  query.parts = TRY(run_parts_of(request));
  const size_t keys_max = request.query_value("columns") ? SIZE_MAX : kKeysShownDefault;
  const auto found = TRY(context.tracking.search().runs(query));
  return render_page(found, context.extras, keys_max);
}

void list(Context& context, const Request& request, const Responder& responder) {
  tracking::RunQuery query{.project = project_of(request)};
  if (auto refused = read_filter(request, query.filter)) return responder.send(std::move(*refused));
  answer(responder, found_runs(context, request, query),
         [](const std::string& json) { return http::Response::json(json); });
}

Json texts_json(const std::vector<std::string>& texts) {
  Json::Array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return Json(std::move(out));
}

Result<Json> columns(Context& context, const Request& request) {
  const ProjectId project = project_of(request);
  std::optional<ExperimentId> experiment;
  if (const auto id = request.query_value("experiment"); id && !id->empty()) experiment = ExperimentId(*id);
  const auto keys = [&](FilterEntity entity) {
    return context.tracking.search().keys(project, entity, experiment, kColumnKeysMax);
  };
  Json json;
  json.set("metrics", texts_json(TRY(keys(FilterEntity::metric))));
  json.set("parameters", texts_json(TRY(keys(FilterEntity::parameter))));
  return json.set("tags", texts_json(TRY(keys(FilterEntity::tag))));
}

Result<Json> get(Context& context, const Request& request) {
  return run_json(TRY(context.tracking.runs().get(project_of(request), id_of(request))), context.extras);
}

Result<Json> change(Context& context, const Request& request) {
  const Json body = TRY(json_body(request));
  const ProjectId project = project_of(request);
  tracking::RunUpdate update{.by_client = true};
  if (body.find("name")) update.name = TRY(required_string(body, "name"));
  if (body.find("state")) {
    const std::string text = TRY(required_string(body, "state"));
    update.state = parse_run_state(text);
    if (!update.state)
      return Error{ErrorCode::invalid_argument,
                   "'state' is '" + clean_utf8(text, 100) +
                       "'; expected queued, scheduled, running, stopping, finished, failed or killed"};
    const auto run = TRY(context.tracking.runs().get(project, id_of(request)));
    if (run.source_kind == tracking::SourceKind::step)
      return Error{ErrorCode::failed_precondition,
                   "Slipway executes this run, so its attempt decides the state; stop it with POST …/stop"};
    if (is_over(*update.state)) update.ended_at = system_clock().now();
  }
  if (update.name || update.state) TRY(context.tracking.runs().update(project, id_of(request), update));
  tracking::KeyValues set;
  const Json tags = TRY(optional_object(body, "tags"));
  for (const auto& [key, value] : tags.object()) {
    if (value.is_null()) {
      TRY(context.tracking.runs().delete_tag(project, id_of(request), key));
    } else if (value.is_string()) {
      set.emplace_back(key, value.string());
    } else {
      return Error{ErrorCode::invalid_argument,
                   "tag '" + key + "' is a " + value.type_name() + "; expected a string, or null to remove it"};
    }
  }
  if (!set.empty()) TRY(context.tracking.runs().set_tags(project, id_of(request), set));
  return get(context, request);
}

Result<Json> remove(Context& context, const Request& request) {
  TRY(context.tracking.runs().remove(project_of(request), id_of(request)));
  return Json(Json::Object{});
}

Result<Json> restore(Context& context, const Request& request) {
  TRY(context.tracking.runs().restore(project_of(request), id_of(request)));
  return get(context, request);
}

/// Keys whose values differ, absent as null.
Json differences(const std::map<std::string, Json>& left, const std::map<std::string, Json>& right,
                 const char* key_name) {
  std::set<std::string> keys;
  for (const auto& [key, value] : left) keys.insert(key);
  for (const auto& [key, value] : right) keys.insert(key);
  Json::Array out;
  for (const std::string& key : keys) {
    const auto l = left.find(key), r = right.find(key);
    const Json a = l == left.end() ? Json() : l->second, b = r == right.end() ? Json() : r->second;
    if (!(a == b)) out.push_back(Json().set(key_name, key).set("left", a).set("right", b));
  }
  return Json(std::move(out));
}

std::map<std::string, Json> pairs_map(const tracking::KeyValues& pairs) { return {pairs.begin(), pairs.end()}; }

std::map<std::string, Json> metrics_map(const Run& run) {
  std::map<std::string, Json> out;
  for (const auto& metric : run.metrics) out.emplace(metric.key, metric_json(metric)["last"]);
  return out;
}

std::map<std::string, Json> packages_map(const Context& context, const Run& run) {
  std::map<std::string, Json> out;
  if (!context.extras.document) return out;
  const Json environment = context.extras.document(run.project, run.id, "environment");
  for (const Json& package : environment["packages"].array()) out.emplace(package["name"].string(), package["version"]);
  if (environment["python_version"].is_string()) out.emplace("python", environment["python_version"]);
  return out;
}

/// What a step's inputs were pinned to, and what a client said it read.
std::map<std::string, Json> inputs_map(const Context& context, const Run& run, const tracking::RunInputs& inputs) {
  std::map<std::string, Json> out;
  if (context.extras.document) {
    const Json pinned = context.extras.document(run.project, run.id, "inputs");
    for (const auto& [name, input] : pinned.object()) out.emplace(name, input["label"]);
  }
  for (const auto& dataset : inputs.datasets) out.emplace(dataset.name, Json(dataset.digest));
  for (const auto& model : inputs.models_in) out.emplace("model " + model.model_id, Json(model.model_id));
  return out;
}

Result<Json> diff(Context& context, const Request& request) {
  const ProjectId project = project_of(request);
  const Run left = TRY(context.tracking.runs().get(project, id_of(request)));
  const Run right = TRY(context.tracking.runs().get(project, RunId(request.parameter("other"))));
  const auto source = [](const Run& run) { return Json::parse(run.source).value_or(Json(Json::Object{})); };
  Json json;
  json.set("parameters", differences(pairs_map(left.params), pairs_map(right.params), "key"));
  json.set("metrics", differences(metrics_map(left), metrics_map(right), "key"));
  json.set("tags", differences(pairs_map(left.tags), pairs_map(right.tags), "key"));
  json.set("code", Json()
                       .set("left_commit", source(left)["commit"])
                       .set("right_commit", source(right)["commit"])
                       .set("diff_of_diffs", nullptr));
  json.set("environment", differences(packages_map(context, left), packages_map(context, right), "name"));
  const auto inputs_left = TRY(context.tracking.runs().inputs(project, left.id)),
             inputs_right = TRY(context.tracking.runs().inputs(project, right.id));
  return json.set(
      "inputs", differences(inputs_map(context, left, inputs_left), inputs_map(context, right, inputs_right), "name"));
}

}  // namespace

Result<tracking::RunParts> run_parts_of(const Request& request) {
  tracking::RunParts parts;
  const std::string_view text = request.query_value("columns").value_or("*");
  if (text == "*") return parts;
  std::set<std::string> metrics, params, tags;
  for (const std::string& part : split(text, ',')) {
    if (trim(part).empty()) continue;
    const OrderTerm column = TRY(parse_order(trim(part)));
    if (column.entity == FilterEntity::metric) metrics.insert(column.key);
    if (column.entity == FilterEntity::parameter) params.insert(column.key);
    if (column.entity == FilterEntity::tag) tags.insert(column.key);
  }
  if (metrics.size() + params.size() + tags.size() > kColumnsMax)
    return Error{ErrorCode::too_large, fmt::format("'columns' names more than {} keys", kColumnsMax)};
  parts.metric_keys.emplace(metrics.begin(), metrics.end());
  parts.param_keys.emplace(params.begin(), params.end());
  parts.tag_keys.emplace(tags.begin(), tags.end());
  return parts;
}

void add_runs(http::Router& router, Tracking& tracking, RunExtras extras) {
  const auto context = std::make_shared<Context>(Context{tracking, std::move(extras)});
  using Function = Result<Json> (*)(Context&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function) {
    router.add(method, pattern, [context, function](Request& request, Responder responder) {
      answer(responder, function(*context, request),
             [](const Json& json) { return http::Response::json(json.render()); });
    });
  };
  router.add(Method::get, "/api/v1/runs",
             [context](Request& request, Responder responder) { list(*context, request, responder); });
  add(Method::get, "/api/v1/runs/columns", columns);
  add(Method::get, "/api/v1/runs/{run}", get);
  add(Method::patch, "/api/v1/runs/{run}", change);
  add(Method::del, "/api/v1/runs/{run}", remove);
  add(Method::post, "/api/v1/runs/{run}/restore", restore);
  add(Method::get, "/api/v1/runs/{run}/diff/{other}", diff);
}

}  // namespace slipway::api
