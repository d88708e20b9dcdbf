#include "api/native/run_json.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using tracking::KeyValues;
using tracking::MetricSummary;
using tracking::Run;

using Pairs = std::span<const KeyValues::value_type>;
using Summaries = std::span<const MetricSummary>;

template <typename Items>
auto first(const Items& items, size_t most) {
  return std::span(items).first(std::min(items.size(), most));
}

std::string member_of(const Run& run, const RunExtras& extras) {
  std::string member = run.member && extras.member_name ? extras.member_name(*run.member) : "";
  return member.empty() ? run.user_name : member;
}

Json source_of(const Run& run) {
  Json source = Json::parse(run.source).value_or(Json(Json::Object{}));
  return source.set("kind", run.source_kind == tracking::SourceKind::step ? "step" : "client");
}

Json duration_of(const Run& run) {
  const bool has_begun = run.state != RunState::queued && run.state != RunState::scheduled;
  if (!has_begun) return {};
  const Time end = run.ended_at.value_or(system_clock().now());
  return static_cast<double>((end - run.started_at).count()) / 1e6;
}

/// The last members, to which other rooms add theirs.
Json more_of(const Run& run, const RunExtras& extras) {
  Json more = Json().set("attempt_count", nullptr).set("cost", nullptr).set("queue_message", nullptr);
  more.set("deleted", run.deleted);
  if (extras.enrich) extras.enrich(run, more);
  return more;
}

/// The one list of a run's members: put(key, value) for each.
template <typename Put>
void put_members(const Run& run, const RunExtras& extras, size_t keys_max, Put put) {
  put("id", std::string_view(run.id.text));
  put("name", std::string_view(run.name));
  put("experiment_id", std::string_view(run.experiment.text));
  put("experiment_name", std::string_view(run.experiment_name));
  put("state", name(run.state));
  const std::string member = member_of(run, extras);
  put("member", member.empty() ? std::nullopt : std::optional(member));
  put("source", source_of(run));
  put("parent_id", run.parent ? std::optional(run.parent->text) : std::nullopt);
  put("created_at", std::optional(run.created_at));
  put("started_at", std::optional(run.started_at));
  put("ended_at", run.ended_at);
  put("duration_s", duration_of(run));
  put("parameters", first(run.params, keys_max));
  put("tags", first(run.tags, keys_max));
  put("metrics", first(run.metrics, keys_max));
  const Json more = more_of(run, extras);
  for (const auto& [key, value] : more.object()) put(key, value);
}

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(render_double(value)); }

Json tree(const Json& value) { return value; }
Json tree(std::string_view text) { return text; }
Json tree(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }
Json tree(const std::optional<Time>& time) { return time_json(time); }
Json tree(Pairs pairs) {
  Json::Object object;
  for (const auto& [key, value] : pairs) object.emplace_back(key, value);
  return object;
}
Json tree(Summaries metrics) {
  Json::Object object;
  for (const MetricSummary& metric : metrics) object.emplace_back(metric.key, metric_json(metric));
  return object;
}

constexpr size_t kMetricBytesMax = 320;  // names 40, numbers 3 * 32 and 2 * 20, the time at most 80

/// A number as a JsonWriter writes it.
class NumberText {
 public:
  explicit NumberText(double number) {
    char* end = std::isfinite(number) ? fmt::format_to(bytes_, FMT_COMPILE("{}"), number)
                                      : fmt::format_to(bytes_, FMT_COMPILE("\"{}\""), render_double(number));
    const bool is_whole = std::all_of(bytes_, end, [](char c) { return c == '-' || ('0' <= c && c <= '9'); });
    for (const char c : std::string_view(is_whole ? ".0" : "")) *end++ = c;
    size_ = static_cast<size_t>(end - bytes_);
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  char bytes_[32];  // "-2.2250738585072014e-308" has 24
  size_t size_;
};

/// Writes the runs of a page.
class PageWriter {
 public:
  explicit PageWriter(JsonWriter& json) : json_(json) {}

  void write(const Run& run, const RunExtras& extras, size_t keys_max) {
    json_.begin_object();
    put_members(run, extras, keys_max, [&](std::string_view key, const auto& value) {
      json_.key(key);
      write(value);
    });
    json_.end_object();
  }

 private:
  void write(const Json& value) { json_.value(value); }
  void write(std::string_view text) { json_.value(text); }
  void write(const std::optional<std::string>& text) { text ? json_.value(*text) : json_.null(); }
  void write(const std::optional<Time>& time) { time ? json_.value(render(*time)) : json_.null(); }
  void write(Pairs pairs) {
    json_.begin_object();
    for (const auto& [key, value] : pairs) json_.member(key, value);
    json_.end_object();
  }
  void write(Summaries metrics) {
    json_.begin_object();
    for (const MetricSummary& metric : metrics) {
      json_.key(metric.key);
      write(metric);
    }
    json_.end_object();
  }

  void write(const MetricSummary& metric) {
    const NumberText last(metric.value);
    std::optional<NumberText> low, high;
    char piece[kMetricBytesMax];
    const char* const end = fmt::format_to(
        piece, FMT_COMPILE("{{\"last\":{},\"step\":{},\"at\":{},\"min\":{},\"max\":{},\"count\":{}}}"), last.view(),
        metric.step, quoted_time(metric.at_ms), extreme(metric.low, metric.value, last, low),
        extreme(metric.high, metric.value, last, high), metric.points);
    json_.raw({piece, static_cast<size_t>(end - piece)});
  }

  /// The latest value is often an extreme too: always when it was logged once. Otherwise `own` has the text.
  static std::string_view extreme(double value, double last, const NumberText& last_text,
                                  std::optional<NumberText>& own) {
    if (std::isnan(value)) return "null";
    if (std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(last)) return last_text.view();
    return own.emplace(value).view();
  }

  /// What is logged together has one time.
  std::string_view quoted_time(std::int64_t at_ms) {
    if (at_ms == at_ms_ && !at_.empty()) return at_;
    at_ms_ = at_ms;
    at_ = '"' + render(Time::from_millis(at_ms)) + '"';
    return at_;
  }

  JsonWriter& json_;
  std::int64_t at_ms_ = 0;
  std::string at_;  // of at_ms_
};

}  // namespace

Json metric_json(const MetricSummary& metric) {
  Json json;
  json.set("last", number_json(metric.value))
      .set("step", metric.step)
      .set("at", time_json(Time::from_millis(metric.at_ms)));
  json.set("min", std::isnan(metric.low) ? Json() : number_json(metric.low))
      .set("max", std::isnan(metric.high) ? Json() : number_json(metric.high));
  return json.set("count", metric.points);
}

Json run_json(const Run& run, const RunExtras& extras, size_t keys_max) {
  Json::Object object;
  put_members(run, extras, keys_max,
              [&](std::string_view key, const auto& value) { object.emplace_back(key, tree(value)); });
  return object;
}

std::string render_page(const tracking::RunPage& page, const RunExtras& extras, size_t keys_max) {
  JsonWriter json;
  PageWriter writer(json);
  json.begin_object().key("runs").begin_array();
  for (const Run& run : page.items) writer.write(run, extras, keys_max);
  json.end_array().key("next_page_token");
  page.next_page_token ? json.value(*page.next_page_token) : json.null();
  return json.member("total", page.total.value_or(0)).end_object().take();
}

}  // namespace slipway::api
