#include <fmt/format.h>

#include <cmath>
#include <thread>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/trace_json.h"
#include "api/mlflow/validate.h"
#include "base/ids.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;
using tracking::Trace;

constexpr std::int64_t kSearchDefault = 100, kSearchMax = 500;
constexpr size_t kTracesAtOnceMax = 1000;  // by id, in one request
// How long a trace is waited for whose last spans are still on their way, and how often it is looked at.
constexpr Duration kSpansWaitMax = std::chrono::seconds(1);
constexpr auto kSpansWaitStep = std::chrono::milliseconds(20);

TraceId trace_of(const Call& call) { return TraceId(call.text("trace_id")); }

Result<std::vector<TraceId>> traces_of(const Call& call, std::string_view field) {
  std::vector<TraceId> ids;
  for (const std::string& id : call.texts(field)) ids.emplace_back(id);
  if (ids.size() <= kTracesAtOnceMax) return ids;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' has {} traces; at most {} are taken at a time", field, ids.size(), kTracesAtOnceMax)};
}

std::string answer_with(const Trace& trace) {
  JsonWriter json;
  json.begin_object().key("trace").begin_object().key("trace_info");
  write_trace(json, trace);
  json.end_object().end_object();
  return json.take();
}

/// Version 2 of this call has the fields of the trace in the body itself, and begins a trace that a later call ends.
Result<std::string> start_old(const Rooms& rooms, const Call& call) {
  Trace trace;
  trace.id = TraceId(std::string(kTraceIdPrefix) + new_hex_id_text(rooms.clock));
  trace.experiment = ExperimentId(call.text("experiment_id"));
  if (trace.experiment.empty()) return missing_parameter("experiment_id");
  trace.state = TraceState::in_progress;
  trace.started_at = time_of_millis(call.integer("timestamp_ms").value_or(rooms.clock.now().millis()));
  trace.metadata = call.pairs("request_metadata");
  trace.tags = call.pairs("tags");
  JsonWriter json;
  json.begin_object().key("trace_info");
  write_old_trace(json, TRY(rooms.tracking.traces().start(call.project(), trace)));
  json.end_object();
  return json.take();
}

Result<std::string> start(const Rooms& rooms, const Call& call) {
  if (!call.has("trace") && call.has("experiment_id")) return start_old(rooms, call);
  if (!call.has("trace")) return missing_parameter("trace");
  const Trace trace = TRY(read_trace(call.object("trace")["trace_info"]));
  return answer_with(TRY(rooms.tracking.traces().start(call.project(), trace)));
}

Result<std::string> get_info(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.traces().get(call.project(), trace_of(call))));
}

/// How many spans its client says that a trace has; 0 when it does not say.
size_t expected_spans(const Trace& trace) {
  for (const auto& [key, value] : trace.metadata) {
    if (key != tracking::kSizeStatsKey) continue;
    const auto json = Json::parse(value);
    return json.ok() ? static_cast<size_t>(std::max<std::int64_t>(0, (*json)["num_spans"].integer().value_or(0))) : 0;
  }
  return 0;
}

void write_whole(JsonWriter& json, const Trace& trace, const std::vector<Span>& spans) {
  json.begin_object().key("trace_info");
  write_trace(json, trace);
  json.key("spans").begin_array();
  for (const Span& span : spans) write_span(json, span);
  json.end_array().end_object();
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  tracking::Traces& traces = rooms.tracking.traces();
  const bool partly = call.boolean("allow_partial");
  const Time give_up = rooms.clock.steady() + kSpansWaitMax;
  while (true) {
    const Trace trace = TRY(traces.get(call.project(), trace_of(call)));
    const auto spans = TRY(traces.spans(trace));
    if (partly || (!spans.empty() && spans.size() >= expected_spans(trace))) {
      JsonWriter json;
      json.begin_object().key("trace");
      write_whole(json, trace, spans);
      json.end_object();
      return json.take();
    }
    if (rooms.clock.steady() >= give_up) {
      return Error{ErrorCode::not_found,
                   fmt::format("Trace with ID {} is not fully exported yet, please try again later.", trace.id.text)};
    }
    std::this_thread::sleep_for(kSpansWaitStep);
  }
}

/// Whether a trace is among what the caller asked for.
bool is_wanted(const Call& call, const Trace& trace) {
  if (!call.has("experiment_ids")) return true;
  for (const std::string& id : call.texts("experiment_ids")) {
    if (id == trace.experiment.text) return true;
  }
  return false;
}

/// Traces whose spans have not all come are left out.
Result<std::string> get_many(const Rooms& rooms, const Call& call) {
  tracking::Traces& traces = rooms.tracking.traces();
  JsonWriter json;
  json.begin_object().key("traces").begin_array();
  for (const Trace& trace : TRY(traces.get(call.project(), TRY(traces_of(call, "trace_ids"))))) {
    if (!is_wanted(call, trace)) continue;
    const auto spans = TRY(traces.spans(trace));
    if (!spans.empty() && spans.size() >= expected_spans(trace)) write_whole(json, trace, spans);
  }
  json.end_array().end_object();
  return json.take();
}

Result<std::string> get_infos(const Rooms& rooms, const Call& call) {
  JsonWriter json;
  json.begin_object().key("trace_infos").begin_array();
  for (const Trace& trace : TRY(rooms.tracking.traces().get(call.project(), TRY(traces_of(call, "trace_ids"))))) {
    if (is_wanted(call, trace)) write_trace(json, trace);
  }
  json.end_array().end_object();
  return json.take();
}

Result<tracking::TraceQuery> read_query(const Call& call) {
  tracking::TraceQuery query{.project = call.project()};
  query.filter = TRY(parse_pattern_filter(call.text("filter")));
  for (const std::string& term : call.texts("order_by")) query.order.push_back(TRY(parse_order(term)));
  const std::int64_t most = call.integer("max_results").value_or(kSearchDefault);
  if (most < 1 || most > kSearchMax)
    return invalid_value("max_results", Json(most),
                         fmt::format("it must be a positive integer of at most {}", kSearchMax));
  query.page_size = static_cast<size_t>(most);
  query.page_token = call.text("page_token");
  return query;
}

using WriteTrace = void (*)(JsonWriter&, const Trace&);

Result<std::string> answer_search(const Rooms& rooms, const tracking::TraceQuery& query, WriteTrace write_one) {
  const auto page = TRY(rooms.tracking.traces().search(query));
  JsonWriter json;
  json.begin_object().key("traces").begin_array();
  for (const Trace& trace : page.items) write_one(json, trace);
  json.end_array();
  if (page.next_page_token) json.member("next_page_token", *page.next_page_token);
  json.end_object();
  return json.take();
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  tracking::TraceQuery query = TRY(read_query(call));
  for (const Json& location : call.list("locations")) {
    const std::string& id = location["mlflow_experiment"]["experiment_id"].string();
    if (!id.empty()) query.experiments.emplace_back(id);
  }
  return answer_search(rooms, query, write_trace);
}

Result<std::string> search_old(const Rooms& rooms, const Call& call) {
  tracking::TraceQuery query = TRY(read_query(call));
  for (const std::string& id : call.texts("experiment_ids")) query.experiments.emplace_back(id);
  return answer_search(rooms, query, write_old_trace);
}

Result<std::string> set_tag(const Rooms& rooms, const Call& call) {
  TRY(check_trace_tag(call.text("key"), "set"));
  TRY(check_length("key", call.text("key"), kKeyMax));
  TRY(rooms.tracking.traces().set_tag(call.project(), trace_of(call), call.text("key"), call.text("value")));
  return std::string("{}");
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(check_trace_tag(call.text("key"), "deleted"));
  TRY(rooms.tracking.traces().delete_tag(call.project(), trace_of(call), call.text("key")));
  return std::string("{}");
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  tracking::TraceRemoval removal{.experiment = ExperimentId(call.text("experiment_id"))};
  removal.ids = TRY(traces_of(call, "request_ids"));
  removal.most = call.integer("max_traces");
  if (const auto until = call.integer("max_timestamp_millis")) removal.until = time_of_millis(*until, true);
  const auto wrong = [](const char* why) { return Error{ErrorCode::invalid_argument, why}; };
  if (!removal.until && removal.ids.empty())
    return wrong("Either `max_timestamp_millis` or `trace_ids` must be specified.");
  if (removal.until && !removal.ids.empty())
    return wrong("Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
  if (removal.most && !removal.ids.empty())
    return wrong("`max_traces` can't be specified if `trace_ids` is specified.");
  if (removal.most && *removal.most <= 0) return wrong("`max_traces` must be a positive integer.");
  JsonWriter json;
  json.begin_object().member("traces_deleted", TRY(rooms.tracking.traces().remove(call.project(), removal)));
  json.end_object();
  return json.take();
}

Result<std::string> link_to_run(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.traces().link_to_run(call.project(), TRY(traces_of(call, "trace_ids")), call.run()));
  return std::string("{}");
}

Result<std::string> link_prompts(const Rooms& rooms, const Call& call) {
  std::vector<std::string> prompts;
  for (const Json& one : call.list("prompt_versions"))
    prompts.push_back(fmt::format("{}/{}", one["name"].string(), one["version"].string()));
  TRY(rooms.tracking.traces().link_prompts(call.project(), trace_of(call), prompts));
  return std::string("{}");
}

/// Normalised pointwise mutual information of two events: 1 always together, 0 independent, -1 never together; NaN
/// where nothing can be said. `smoothing` is added to each of the four ways they can meet.
double npmi(const tracking::FilterCounts& counts, double smoothing) {
  const auto both = static_cast<double>(counts.both);
  const double only_first = static_cast<double>(counts.first) - both;
  const double only_second = static_cast<double>(counts.second) - both;
  const double neither = static_cast<double>(counts.total) - both - only_first - only_second;
  if (counts.first == 0 || counts.second == 0) return std::nan("");
  if (counts.both == 0 && smoothing == 0) return -1;
  if (only_first == 0 && only_second == 0 && neither == 0) return 1;
  const double total = static_cast<double>(counts.total) + 4 * smoothing;
  const double together = (both + smoothing) / total;
  const double first = (both + only_first + 2 * smoothing) / total;
  const double second = (both + only_second + 2 * smoothing) / total;
  return std::clamp(std::log(together / (first * second)) / -std::log(together), -1.0, 1.0);
}

Result<std::string> correlate(const Rooms& rooms, const Call& call) {
  constexpr double kJeffreysPrior = 0.5;
  std::vector<ExperimentId> experiments;
  for (const std::string& id : call.texts("experiment_ids")) experiments.emplace_back(id);
  const auto counts = TRY(rooms.tracking.traces().count(
      call.project(), experiments, TRY(parse_pattern_filter(call.text("base_filter"))),
      TRY(parse_pattern_filter(call.text("filter_string1"))), TRY(parse_pattern_filter(call.text("filter_string2")))));
  JsonWriter json;
  json.begin_object().member("npmi", npmi(counts, 0)).member("npmi_smoothed", npmi(counts, kJeffreysPrior));
  json.member("filter1_count", counts.first).member("filter2_count", counts.second);
  json.member("joint_count", counts.both).member("total_count", counts.total).end_object();
  return json.take();
}

Result<std::string> only_databricks(const Rooms&, const Call&) {
  return Error{
      ErrorCode::unsupported,
      "This endpoint belongs to Databricks' own tracking service; use mlflow/traces/search and mlflow/traces/get"};
}

const Field kTrace{"trace_id", FieldType::text, true};
const Field kTraces{"trace_ids", FieldType::texts, true};
const Field kExperiments{"experiment_ids", FieldType::texts};
const Field kFilter{"filter"}, kMaxResults{"max_results", FieldType::integer};
const Field kOrder{"order_by", FieldType::texts}, kToken{"page_token"};

}  // namespace

std::span<const Endpoint> trace_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/traces",
       {{"trace", FieldType::object},
        {"experiment_id"},
        {"timestamp_ms", FieldType::integer},
        {"request_metadata", FieldType::objects},
        {"tags", FieldType::objects}},
       start},
      {Method::get, "mlflow/traces", {kExperiments, kFilter, kMaxResults, kOrder, kToken}, search_old},
      {Method::get, "mlflow/traces/{trace_id}", {kTrace}, get_info},
      {Method::get, "mlflow/traces/get", {kTrace, {"allow_partial", FieldType::boolean}}, get},
      {Method::get, "mlflow/traces/batchGet", {kTraces, kExperiments}, get_many},
      {Method::post, "mlflow/traces/batchGetInfos", {kTraces, kExperiments}, get_infos},
      {Method::post,
       "mlflow/traces/search",
       {{"locations", FieldType::objects, true}, kFilter, kMaxResults, kOrder, kToken},
       search},
      {Method::post,
       "mlflow/traces/delete-traces",
       {{"experiment_id", FieldType::text, true},
        {"max_timestamp_millis", FieldType::integer},
        {"max_traces", FieldType::integer},
        {"request_ids", FieldType::texts}},
       remove},
      {Method::patch, "mlflow/traces/{trace_id}/tags", {kTrace, {"key", FieldType::text, true}, {"value"}}, set_tag},
      {Method::del, "mlflow/traces/{trace_id}/tags", {kTrace, {"key", FieldType::text, true}}, delete_tag},
      {Method::post, "mlflow/traces/link-to-run", {kTraces, {"run_id", FieldType::text, true}}, link_to_run},
      {Method::post,
       "mlflow/traces/link-prompts",
       {kTrace, {"prompt_versions", FieldType::objects, true}},
       link_prompts},
      {Method::post,
       "mlflow/traces/calculate-filter-correlation",
       {{"experiment_ids", FieldType::texts, true},
        {"filter_string1", FieldType::text, true},
        {"filter_string2", FieldType::text, true},
        {"base_filter"}},
       correlate},
      {Method::get, "mlflow/unified-traces", {}, only_databricks, false},
      {Method::get, "mlflow/get-online-trace-details", {}, only_databricks, false},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
