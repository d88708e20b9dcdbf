// Scorers (mlflow.genai.scorers): registered, versioned and read back; what would run them on the server is refused.
#include <fmt/format.h>

#include "api/mlflow/endpoint.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

ExperimentId experiment_of(const Call& call) { return ExperimentId(call.text("experiment_id")); }

tracking::Scorers& scorers(const Rooms& rooms) { return rooms.tracking.scorers(); }

/// The experiment of this message is a number (an int32); clients give it back as text, and Scorers takes it.
void write(JsonWriter& json, const Scorer& scorer) {
  json.begin_object().member("experiment_id", scorer.experiment_number).member("scorer_name", scorer.name);
  json.member("scorer_version", scorer.version).member("serialized_scorer", scorer.body);
  json.member("creation_time", scorer.created_at.millis()).member("scorer_id", scorer.id.text).end_object();
}

std::string answer_with(const std::vector<Scorer>& found) {
  JsonWriter json;
  json.begin_object().key("scorers").begin_array();
  for (const Scorer& scorer : found) write(json, scorer);
  json.end_array().end_object();
  return json.take();
}

void write(JsonWriter& json, const ScorerSampling& sampling) {
  json.begin_object().member("online_scoring_config_id", sampling.id.text).member("scorer_id", sampling.scorer.text);
  json.member("sample_rate", sampling.rate).member("experiment_id", sampling.experiment.text);
  if (sampling.filter) json.member("filter_string", *sampling.filter);
  json.end_object();
}

Result<std::string> add(const Rooms& rooms, const Call& call) {
  const Scorer made =
      TRY(scorers(rooms).add(call.project(), experiment_of(call), call.text("name"), call.text("serialized_scorer")));
  JsonWriter json;
  json.begin_object().member("version", made.version).member("scorer_id", made.id.text);
  json.member("experiment_id", made.experiment.text).member("name", made.name);
  json.member("serialized_scorer", made.body).member("creation_time", made.created_at.millis()).end_object();
  return json.take();
}

Result<std::string> list(const Rooms& rooms, const Call& call) {
  const bool has_one = !call.text("experiment_id").empty(), has_many = call.has("experiment_ids");
  if (has_one && has_many) {
    return Error{ErrorCode::invalid_argument,
                 "Cannot specify both 'experiment_id' and 'experiment_ids'; name one "
                 "experiment or a list of them"};
  }
  if (has_one) TRY(scorers(rooms).check_experiment(call.project(), experiment_of(call)));
  std::optional<std::vector<ExperimentId>> experiments;
  if (has_one) experiments = std::vector{experiment_of(call)};
  if (has_many) {
    experiments.emplace();
    for (const std::string& id : call.texts("experiment_ids")) experiments->emplace_back(id);
  }
  return answer_with(TRY(scorers(rooms).list(call.project(), experiments)));
}

Result<std::string> versions(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(scorers(rooms).versions(call.project(), experiment_of(call), call.text("name"))));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  const Scorer found =
      TRY(scorers(rooms).get(call.project(), experiment_of(call), call.text("name"), call.integer("version")));
  JsonWriter json;
  json.begin_object().key("scorer");
  write(json, found);
  json.end_object();
  return json.take();
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(scorers(rooms).remove(call.project(), experiment_of(call), call.text("name"), call.integer("version")));
  return std::string("{}");
}

Result<std::string> set_sampling(const Rooms& rooms, const Call& call) {
  std::optional<std::string> filter;
  if (call.has("filter_string")) filter = call.text("filter_string");
  if (filter) TRY(tracking::check_trace_filter(TRY(parse_pattern_filter(*filter))));
  const auto sampling = TRY(scorers(rooms).set_sampling(call.project(), experiment_of(call), call.text("name"),
                                                        call.number("sample_rate"), filter));
  JsonWriter json;
  json.begin_object().key("config");
  write(json, sampling);
  json.end_object();
  return json.take();
}

Result<std::string> sampling(const Rooms& rooms, const Call& call) {
  std::vector<ScorerId> ids;
  for (const std::string& id : call.texts("scorer_ids")) ids.emplace_back(id);
  JsonWriter json;
  json.begin_object().key("configs").begin_array();
  for (const ScorerSampling& one : TRY(scorers(rooms).sampling(call.project(), ids))) write(json, one);
  json.end_array().end_object();
  return json.take();
}

Result<std::string> refuse(const Rooms&, const Call&) {
  return Error{ErrorCode::unsupported,
               "scorers are not run on this server; call mlflow.genai.evaluate() where your "
               "code and its credentials are"};
}

const Field kExperiment{"experiment_id", FieldType::text, true}, kName{"name", FieldType::text, true};
const Field kVersion{"version", FieldType::integer};

}  // namespace

std::span<const Endpoint> scorer_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/scorers/register",
       {kExperiment, kName, {"serialized_scorer", FieldType::text, true}},
       add},
      {Method::get, "mlflow/scorers/list", {{"experiment_id"}, {"experiment_ids", FieldType::texts}}, list},
      {Method::get, "mlflow/scorers/versions", {kExperiment, kName}, versions},
      {Method::get, "mlflow/scorers/get", {kExperiment, kName, kVersion}, get},
      {Method::del, "mlflow/scorers/delete", {kExperiment, kName, kVersion}, remove},
      {Method::put,
       "mlflow/scorers/online-config",
       {kExperiment, kName, {"sample_rate", FieldType::number, true}, {"filter_string"}},
       set_sampling},
      {Method::get, "mlflow/scorers/online-configs", {{"scorer_ids", FieldType::texts, true}}, sampling},
      {Method::post, "mlflow/scorer/invoke", {}, refuse, false},
      {Method::post, "mlflow/genai/evaluate/invoke", {}, refuse, false},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
