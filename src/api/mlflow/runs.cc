#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "api/mlflow/validate.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kSearchDefault = 1000;
constexpr std::int64_t kSearchMax = 50'000;

/// RunStatus by name or number.
Result<std::optional<RunState>> status_of(const Call& call) {
  if (!call.has("status")) return std::optional<RunState>();
  static constexpr const char* kNumbers[] = {"", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
  std::string text = call.text("status");
  const auto number = call.integer("status");
  if (number && *number >= 1 && *number <= 5) text = kNumbers[*number];
  const auto state = parse_mlflow_run_state(text);
  if (!state)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid run status '{}'; expected RUNNING, SCHEDULED, FINISHED, FAILED or KILLED", text)};
  return state;
}

Result<std::string> whole_run(const Rooms& rooms, const Call& call, const tracking::Run& run) {
  const auto inputs = TRY(rooms.tracking.runs().inputs(call.project(), run.id));
  JsonWriter json;
  json.begin_object().key("run");
  write(json, run, inputs);
  json.end_object();
  return json.take();
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  ExperimentId experiment(call.has("experiment_id") ? call.text("experiment_id")
                                                    : std::string(tracking::kDefaultExperimentId));
  const bool may_be_missing = experiment.text == tracking::kDefaultExperimentId && call.project() != kDefaultProject;
  if (may_be_missing) experiment = TRY(rooms.tracking.experiments().get(call.project(), experiment)).id;
  tracking::NewRun run{.project = call.project(), .experiment = experiment};
  run.name = call.text("run_name");
  run.user_name = call.text("user_id");
  const Caller caller = caller_of(call.request());
  if (!caller.member.empty()) run.member = caller.member;
  if (const auto start = call.integer("start_time")) run.started_at = Time::from_millis(*start);
  run.tags = call.pairs("tags");
  for (size_t i = 0; i < run.tags.size(); ++i) TRY(clean_tag(run.tags[i], fmt::format("tags[{}]", i)));
  for (const auto& [key, value] : run.tags) {
    if (key != "mlflow.runName") continue;
    if (!run.name.empty() && run.name != value) {
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                      "(run_name='{}', mlflow.runName='{}').",
                      run.name, value)};
    }
    run.name = value;
  }
  return whole_run(rooms, call, TRY(rooms.tracking.runs().create(run)));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return whole_run(rooms, call, TRY(rooms.tracking.runs().get(call.project(), call.run())));
}

Result<std::string> update(const Rooms& rooms, const Call& call) {
  tracking::RunUpdate update{.by_client = true};
  update.state = TRY(status_of(call));
  if (const auto end = call.integer("end_time")) update.ended_at = Time::from_millis(*end);
  if (call.has("run_name")) update.name = call.text("run_name");
  TRY(rooms.tracking.runs().update(call.project(), call.run(), update));
  const auto run = TRY(rooms.tracking.runs().get(call.project(), call.run()));
  JsonWriter json;
  json.begin_object().key("run_info");
  write_info(json, run);
  json.end_object();
  return json.take();
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.runs().remove(call.project(), call.run()));
  return std::string("{}");
}

Result<std::string> restore(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.runs().restore(call.project(), call.run()));
  return std::string("{}");
}

Result<std::string> log_parameter(const Rooms& rooms, const Call& call) {
  std::pair param(call.text("key"), call.text("value"));
  TRY(clean_param(param, ""));
  TRY(rooms.tracking.runs().log_params(call.project(), call.run(), {param}));
  return std::string("{}");
}

Result<std::string> set_tag(const Rooms& rooms, const Call& call) {
  std::pair tag(call.text("key"), call.text("value"));
  TRY(clean_tag(tag, ""));
  TRY(rooms.tracking.runs().set_tags(call.project(), call.run(), {tag}));
  return std::string("{}");
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.runs().delete_tag(call.project(), call.run(), call.text("key")));
  return std::string("{}");
}

Result<tracking::InputDataset> dataset_of(const Json& input, size_t index) {
  const Json& dataset = input["dataset"];
  const std::string path = fmt::format("datasets[{}].dataset", index);
  for (const char* field : {"name", "digest", "source_type", "source"}) {
    if (dataset[field].string().empty()) return missing_value(path + "." + field);
  }
  tracking::InputDataset out{dataset["name"].string(),
                             dataset["digest"].string(),
                             dataset["source_type"].string(),
                             dataset["source"].string(),
                             {},
                             {},
                             {}};
  TRY(check_length(path + ".name", out.name, kDatasetNameMax));
  TRY(check_length(path + ".digest", out.digest, kDatasetDigestMax));
  TRY(check_length(path + ".source", out.source, kDatasetSourceMax));
  if (dataset["schema"].is_string()) out.schema = dataset["schema"].string();
  if (dataset["profile"].is_string()) out.profile = dataset["profile"].string();
  TRY(check_length(path + ".schema", out.schema.value_or(""), kDatasetSchemaMax));
  TRY(check_length(path + ".profile", out.profile.value_or(""), kDatasetProfileMax));
  for (const Json& tag : input["tags"].array()) {
    out.tags.emplace_back(tag["key"].string(), tag["value"].string());
    TRY(check_length(fmt::format("datasets[{}].tags.key", index), out.tags.back().first, kInputTagKeyMax));
    TRY(check_length(fmt::format("datasets[{}].tags.value", index), out.tags.back().second, kInputTagValueMax));
  }
  return out;
}

std::vector<tracking::RunModel> models_of(const Call& call) {
  std::vector<tracking::RunModel> out;
  for (const Json& model : call.list("models"))
    out.push_back({model["model_id"].string(), model["step"].integer().value_or(0)});
  return out;
}

Result<std::string> log_inputs(const Rooms& rooms, const Call& call) {
  TRY(check_run_id(call.text("run_id")));
  std::vector<tracking::InputDataset> datasets;
  for (const Json& input : call.list("datasets")) datasets.push_back(TRY(dataset_of(input, datasets.size())));
  TRY(rooms.tracking.runs().log_inputs(call.project(), call.run(), datasets, models_of(call)));
  return std::string("{}");
}

Result<std::string> log_outputs(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.runs().log_outputs(call.project(), call.run(), models_of(call)));
  return std::string("{}");
}

/// Appends the model's description to the tag mlflow.log-model.history, a JSON list.
Result<std::string> log_model(const Rooms& rooms, const Call& call) {
  const auto model = Json::parse(call.text("model_json"));
  if (!model.ok() || !model->is_object()) {
    return Error{ErrorCode::invalid_argument, fmt::format("Malformed model info. \n {} \n is not a valid JSON.",
                                                          clean_utf8(call.text("model_json"), 500))};
  }
  for (const char* field : {"artifact_path", "flavors", "utc_time_created", "run_id"}) {
    if (!model->find(field))
      return Error{ErrorCode::invalid_argument, fmt::format("Model json is missing mandatory fields: {{'{}'}}", field)};
  }
  constexpr const char* kHistory = "mlflow.log-model.history";
  const auto run = TRY(rooms.tracking.runs().get(call.project(), call.run()));
  Json history{Json::Array{}};
  for (const auto& [key, value] : run.tags) {
    if (key != kHistory) continue;
    auto old = Json::parse(value);
    if (old.ok() && old->is_array()) history = std::move(*old);
  }
  history.push(*model);
  TRY(rooms.tracking.runs().set_tags(call.project(), call.run(), {{kHistory, history.render()}}));
  return std::string("{}");
}

Result<tracking::View> view_of(const Call& call) {
  const std::string& name = call.text("run_view_type");
  const std::int64_t number = call.integer("run_view_type").value_or(0);
  if (name == "DELETED_ONLY" || number == 2) return tracking::View::deleted;
  if (name == "ALL" || number == 3) return tracking::View::all;
  if (name == "ACTIVE_ONLY" || number == 1 || (name.empty() && number == 0)) return tracking::View::active;
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid view type '{}'; expected ACTIVE_ONLY, DELETED_ONLY or ALL", name)};
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  tracking::RunQuery query{.project = call.project()};
  for (const std::string& id : call.texts("experiment_ids")) query.experiments.emplace_back(id);
  query.filter = TRY(parse_filter(call.text("filter")));
  for (const std::string& term : call.texts("order_by")) query.order.push_back(TRY(parse_order(term)));
  query.view = TRY(view_of(call));
  const std::int64_t most = call.integer("max_results").value_or(kSearchDefault);
  if (most < 1 || most > kSearchMax)
    return invalid_value("max_results", Json(most), fmt::format("it must be at least 1 and at most {}", kSearchMax));
  query.page_size = static_cast<size_t>(most);
  query.page_token = call.text("page_token");
  query.parts.metric_extremes = false;
  const auto page = TRY(rooms.tracking.search().runs(query));
  const auto inputs = TRY(rooms.tracking.runs().inputs(page.items));
  JsonWriter json;
  json.begin_object().key("runs").begin_array();
  for (size_t i = 0; i < page.items.size(); ++i) write(json, page.items[i], inputs[i]);
  json.end_array();
  if (page.next_page_token) json.member("next_page_token", *page.next_page_token);
  json.end_object();
  return json.take();
}

const Field kRunId{"run_id", FieldType::text, true};
const Field kKey{"key", FieldType::text, true};

}  // namespace

std::span<const Endpoint> run_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/runs/create",
       {{"experiment_id"}, {"user_id"}, {"run_name"}, {"start_time", FieldType::integer}, {"tags", FieldType::objects}},
       create},
      {Method::get, "mlflow/runs/get", {kRunId}, get},
      {Method::post,
       "mlflow/runs/update",
       {kRunId, {"status", FieldType::choice}, {"end_time", FieldType::integer}, {"run_name"}},
       update},
      {Method::post, "mlflow/runs/delete", {kRunId}, remove},
      {Method::post, "mlflow/runs/restore", {kRunId}, restore},
      {Method::post, "mlflow/runs/log-parameter", {kRunId, kKey, {"value"}}, log_parameter},
      {Method::post, "mlflow/runs/set-tag", {kRunId, kKey, {"value"}}, set_tag},
      {Method::post, "mlflow/runs/delete-tag", {kRunId, kKey}, delete_tag},
      {Method::post,
       "mlflow/runs/log-inputs",
       {kRunId, {"datasets", FieldType::objects}, {"models", FieldType::objects}},
       log_inputs},
      {Method::post, "mlflow/runs/outputs", {kRunId, {"models", FieldType::objects, true}}, log_outputs},
      {Method::post, "mlflow/runs/log-model", {kRunId, {"model_json", FieldType::text, true}}, log_model},
      {Method::post,
       "mlflow/runs/search",
       {{"experiment_ids", FieldType::texts},
        {"filter"},
        {"run_view_type", FieldType::choice},
        {"max_results", FieldType::integer},
        {"order_by", FieldType::texts},
        {"page_token"}},
       search},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
