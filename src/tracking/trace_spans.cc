// Spans on their way in. Everything that can be known from the spans alone is worked out before the database's writer
// is asked (Arrival); inside its transaction rows are only compared and written.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "base/text.h"
#include "domain/span_dialects.h"
#include "tracking/experiments.h"
#include "tracking/span_codec.h"
#include "tracking/trace_rows.h"
#include "tracking/traces.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;
using catalog::Value;

namespace {

constexpr std::int64_t kNanosPerMicro = 1000;
constexpr size_t kSpanNameMax = 4096, kSpanWordMax = 250;
constexpr size_t kTagKeyMax = 250;
constexpr std::string_view kTagAttributePrefix = "mlflow.traceTag.";

/// What came for one trace.
struct Arrival {
  TraceId id;
  std::vector<Span> spans;
  PackedSpans packed;
  std::int64_t first_ns = INT64_MAX, last_ns = 0;  // last_ns 0: none has ended
  TraceState state = TraceState::in_progress;
  bool has_sums = false;
  std::string name, session, user, request, response;
  KeyValues tags;
};

std::string text_of(const Json& value) { return value.is_string() ? value.string() : value.render(); }

std::string shortened(std::string text) {
  std::string cut = stored_text(text, kTracePreviewMax);
  if (cut.size() < text.size()) cut = stored_text(text, kTracePreviewMax - 3) + "...";
  return cut;
}

/// The last message of that role in what chat models are asked and answer; empty when it is no chat.
std::string chat_text(const Json& chat, std::string_view role) {
  std::string found = chat["choices"].array().empty() ? "" : chat["choices"].array()[0]["message"]["content"].string();
  for (const Json& message : chat["messages"].array()) {
    if (message["role"].string() == role) found = message["content"].string();
  }
  return found;
}

/// What a list shows of the inputs or outputs of a whole trace.
std::string preview(const Json& value, std::string_view role) {
  if (value.is_null()) return "";
  Json chat = value;
  if (value.is_string()) {
    if (auto parsed = Json::parse(value.string()); parsed.ok()) chat = std::move(*parsed);
  }
  const std::string text = chat_text(chat, role);
  return shortened(text.empty() ? text_of(value) : text);
}

/// The tags that a root span carries for its trace, and those from the origin of all its spans, which count less.
void add_tags(const Attributes& resource, const Span* root, KeyValues& tags) {
  for (const auto& [key, value] : resource) {
    if (key.empty() || key.starts_with("telemetry.sdk.") || key.starts_with("mlflow.")) continue;
    tags.emplace_back(stored_text(key, kTagKeyMax), text_of(value));
  }
  if (!root) return;
  for (const auto& [key, value] : root->attributes) {
    if (key.starts_with(kTagAttributePrefix) && key.size() > kTagAttributePrefix.size())
      tags.emplace_back(key.substr(kTagAttributePrefix.size()), text_of(value));
  }
}

void look_at(const Span& span, Arrival& arrival) {
  arrival.first_ns = std::min(arrival.first_ns, span.started_ns);
  arrival.last_ns = std::max(arrival.last_ns, span.ended_ns);
  if (!span.attribute(kSpanUsageKey).is_null() || !span.attribute(kSpanCostKey).is_null()) arrival.has_sums = true;
  if (arrival.session.empty()) arrival.session = span.attribute("session.id").string();
  if (arrival.session.empty()) arrival.session = span.attribute("gen_ai.conversation.id").string();
  if (arrival.user.empty()) arrival.user = span.attribute("user.id").string();
}

/// All that the writer needs to know of these spans.
void complete(const Attributes& resource, Arrival& arrival) {
  const Span* root = nullptr;
  for (Span& span : arrival.spans) {
    translate_dialects(span);
    look_at(span, arrival);
    if (span.is_root()) root = &span;
  }
  if (root && root->ended_ns != 0) arrival.state = after_root_span(TraceState::in_progress, root->status);
  if (root) {
    arrival.name = stored_text(root->name, kSpanNameMax);
    arrival.request = preview(root->attribute(kSpanInputsKey), "user");
    arrival.response = preview(root->attribute(kSpanOutputsKey), "assistant");
  }
  arrival.tags.emplace_back(kSpansLocationTag, kSpansHere);
  add_tags(resource, root, arrival.tags);
  arrival.packed = pack_spans(arrival.spans);
}

std::vector<Arrival> arrivals_of(std::vector<SpanBatch> batches) {
  std::vector<Arrival> arrivals;
  std::vector<Attributes> resources;
  std::unordered_map<std::string, size_t> places;
  for (SpanBatch& batch : batches) {
    for (Span& span : batch.spans) {
      const auto [place, is_new] = places.emplace(span.trace, arrivals.size());
      if (is_new) {
        arrivals.emplace_back().id = span.trace_id();
        resources.push_back(batch.resource);
      }
      arrivals[place->second].spans.push_back(std::move(span));
    }
  }
  for (size_t i = 0; i < arrivals.size(); ++i) complete(resources[i], arrivals[i]);
  return arrivals;
}

Duration between(Time from, std::int64_t to_ns) { return Time{to_ns / kNanosPerMicro} - from; }

Result<TraceRow> make_row(Connection& connection, const ProjectId& project, const Experiment& experiment,
                          const Arrival& arrival) {
  const Time started{arrival.first_ns / kNanosPerMicro};
  // Its client may be telling of it at this very moment.
  TRY(connection.run(
      "INSERT INTO traces (id, project_id, experiment, state, started_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (project_id, id) DO NOTHING",
      {arrival.id.text, project.text, experiment.number, std::string(name(TraceState::in_progress)), started.micros}));
  const TraceRow row = TRY(need_trace_row(connection, project, arrival.id));
  TRY(put_trace_tags(connection, row.number,
                     {{std::string(kArtifactLocationTag), trace_artifact_location(experiment, arrival.id)}}));
  return row;
}

/// Start, length, state and previews, where the client did not say them itself.
Result<void> update_row(Connection& connection, const TraceRow& row, const Arrival& arrival) {
  Time started = row.started_at;
  std::optional<Duration> duration = row.duration;
  if (!row.is_told) {
    started = std::min(started, Time{arrival.first_ns / kNanosPerMicro});
    const Time old_end = row.duration ? row.started_at + *row.duration : Time{0};
    if (arrival.last_ns > 0)
      duration = std::max(between(started, arrival.last_ns), old_end - started);
    else if (row.duration)
      duration = old_end - started;
  }
  const TraceState state = is_over(row.state) ? row.state : arrival.state;
  TRY(connection.run(
      "UPDATE traces SET started_at = ?, duration = ?, state = ?, name = COALESCE(name, ?), request_preview = COALESCE(request_preview, ?), "
      "response_preview = COALESCE(response_preview, ?), span_bytes = ? WHERE number = ?",
      {started.micros, duration ? Value(static_cast<std::int64_t>(duration->count())) : Value(nullptr),
       std::string(name(state)), arrival.name.empty() ? Value(nullptr) : Value(arrival.name),
       arrival.request.empty() ? Value(nullptr) : Value(arrival.request),
       arrival.response.empty() ? Value(nullptr) : Value(arrival.response),
       row.span_bytes + static_cast<std::int64_t>(arrival.packed.bytes), row.number}));
  return {};
}

Value cost(const Span& span, std::string_view key) {
  const Json& given = span.attribute(kSpanCostKey);
  const auto parsed = given.is_string() ? Json::parse(given.string()) : Result<Json>(given);
  const auto number = parsed.ok() ? (*parsed)[key].number() : std::nullopt;
  return number && std::isfinite(*number) ? Value(*number) : Value(nullptr);
}

Value word(const Span& span, std::string_view key) {
  const std::string& text = span.attribute(key).string();
  return text.empty() ? Value(nullptr) : Value(stored_text(text, kSpanWordMax));
}

Result<void> put_spans(Connection& connection, std::int64_t trace, const Arrival& arrival) {
  for (const Span& span : arrival.spans) {
    TRY(connection.run(
        "INSERT INTO trace_spans (trace, span, parent, name, type, status, started_ns, ended_ns, model, provider, input_cost, "
        "output_cost, total_cost) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trace, span) DO UPDATE SET "
        "parent = excluded.parent, name = excluded.name, type = excluded.type, status = excluded.status, started_ns = "
        "excluded.started_ns, ended_ns = excluded.ended_ns, model = excluded.model, provider = excluded.provider, "
        "input_cost = excluded.input_cost, output_cost = excluded.output_cost, total_cost = excluded.total_cost",
        {trace, span.id, span.parent, stored_text(span.name, kSpanNameMax), stored_text(span_type(span), kSpanWordMax),
         std::string(name(span.status)), span.started_ns, span.ended_ns, word(span, kSpanModelKey),
         word(span, kSpanProviderKey), cost(span, "input_cost"), cost(span, "output_cost"), cost(span, "total_cost")}));
  }
  TRY(connection.run("INSERT INTO trace_span_batches (trace, body) VALUES (?, ?)",
                     {trace, catalog::Blob{arrival.packed.body}}));
  return {};
}

/// Metadata that spans tell, unless it is there.
Result<void> add_metadata(Connection& connection, std::int64_t trace, const KeyValues& metadata) {
  KeyValues missing;
  for (const auto& [key, value] : metadata) {
    const auto old = TRY(connection.first("SELECT 1 FROM trace_metadata WHERE trace = ? AND key = ?", {trace, key},
                                          [](const Row&) { return true; }));
    if (!old) missing.emplace_back(key, value);
  }
  return put_trace_metadata(connection, trace, missing);
}

template <typename Number>
std::string render_object(const std::vector<std::pair<std::string, Number>>& numbers) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [key, number] : numbers) json.member(key, number);
  return json.end_object().take();
}

/// Tokens and costs of the whole trace so far, for a trace whose client does not say them.
Result<void> keep_sums(Connection& connection, const TraceRow& row, const Arrival& arrival, bool is_new) {
  const TraceSums sums = sum_up(is_new ? arrival.spans : TRY(read_spans(connection, row.number)));
  KeyValues metadata;
  if (!sums.tokens.empty()) metadata.emplace_back(kTokenUsageKey, render_object(sums.tokens));
  if (!sums.cost.empty()) metadata.emplace_back(kCostKey, render_object(sums.cost));
  return row.is_told ? add_metadata(connection, row.number, metadata)
                     : put_trace_metadata(connection, row.number, metadata);
}

Result<void> keep(Connection& connection, const ProjectId& project, const ExperimentId& experiment,
                  const Arrival& arrival) {
  const auto found = TRY(find_trace_row(connection, project, arrival.id));
  TraceRow row;
  if (found)
    row = *found;
  else
    row = TRY(make_row(connection, project, TRY(read_experiment(connection, project, experiment)), arrival));
  if (row.span_bytes + static_cast<std::int64_t>(arrival.packed.bytes) > kTraceBytesMax) {
    return Error{ErrorCode::too_large, fmt::format("trace '{}' would have more than {} of spans", arrival.id.text,
                                                   render_bytes(kTraceBytesMax))};
  }
  TRY(put_spans(connection, row.number, arrival));
  TRY(update_row(connection, row, arrival));
  KeyValues metadata;
  if (!arrival.session.empty()) metadata.emplace_back(kTraceSessionKey, stored_text(arrival.session, kSpanWordMax));
  if (!arrival.user.empty()) metadata.emplace_back(kTraceUserKey, arrival.user);
  TRY(add_metadata(connection, row.number, metadata));
  if (arrival.has_sums) TRY(keep_sums(connection, row, arrival, row.span_bytes == 0));
  return put_trace_tags(connection, row.number, arrival.tags);
}

}  // namespace

void Traces::log_spans(const ProjectId& project, const ExperimentId& experiment, std::vector<SpanBatch> batches,
                       catalog::Completion done) {
  auto arrivals = std::make_shared<const std::vector<Arrival>>(arrivals_of(std::move(batches)));
  database_.write(
      catalog::Durability::stream,
      [project, experiment, arrivals](Connection& connection) -> Result<void> {
        for (const Arrival& arrival : *arrivals) TRY(keep(connection, project, experiment, arrival));
        return {};
      },
      std::move(done));
}

}  // namespace slipway::tracking
