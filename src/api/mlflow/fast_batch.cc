#include "api/mlflow/log_requests.h"

#include <simdjson.h>

#include "api/mlflow/validate.h"

namespace slipway::api::mlflow {
namespace {

using simdjson::ondemand::field;
using simdjson::ondemand::object;
using simdjson::ondemand::value;
using tracking::LogRequest;
using tracking::MetricLog;
using tracking::MetricNames;

/// One per event loop: it keeps its buffers.
simdjson::ondemand::parser& parser() {
  thread_local simdjson::ondemand::parser kept;
  return kept;
}

bool read(value item, std::string_view& out) { return item.get_string().get(out) == simdjson::SUCCESS; }
bool read(value item, std::int64_t& out) { return item.get_int64().get(out) == simdjson::SUCCESS; }
bool read(value item, double& out) { return item.get_double().get(out) == simdjson::SUCCESS; }

struct Metric {
  std::string_view key;
  double number = 0;
  std::int64_t at_ms = -1, step = 0;
  bool has_number = false;

  /// False for a field that cannot be taken here.
  bool take(field& item) {
    const auto name = item.key();
    if (name == "key") return read(item.value(), key);
    if (name == "value") return has_number = read(item.value(), number);
    if (name == "timestamp") return read(item.value(), at_ms);
    if (name == "step") return read(item.value(), step);
    return false;
  }
  bool is_whole() const { return !key.empty() && has_number && at_ms >= 0; }
};

bool add(LogRequest& request, const MetricNames::Lookup& lookup, const Metric& metric) {
  const bool unchecked = MetricLog::add_point(request, lookup, metric.key, metric.step, metric.at_ms, metric.number);
  return !unchecked || check_metric(metric.key, metric.number, metric.at_ms, "").ok();
}

bool read_metrics(value list, LogRequest& request, const MetricNames::Lookup& lookup) {
  simdjson::ondemand::array items;
  if (list.get_array().get(items)) return false;
  for (auto item : items) {
    object fields;
    if (item.get_object().get(fields)) return false;
    Metric metric;
    for (auto part : fields) {
      field named;
      if (std::move(part).get(named) || !metric.take(named)) return false;
    }
    if (!metric.is_whole() || !add(request, lookup, metric)) return false;
    if (request.points.size() > kBatchMetricsMax) return false;
  }
  return true;
}

using Clean = Result<void> (*)(std::pair<std::string, std::string>&, std::string_view);

bool read_pairs(value list, tracking::KeyValues& out, Clean clean) {
  simdjson::ondemand::array items;
  if (list.get_array().get(items)) return false;
  for (auto item : items) {
    object fields;
    if (item.get_object().get(fields)) return false;
    std::string_view key, text;
    for (auto part : fields) {
      field named;
      if (std::move(part).get(named)) return false;
      const auto name = named.key();
      if (name == "key" ? !read(named.value(), key) : name == "value" ? !read(named.value(), text) : true) return false;
    }
    out.emplace_back(key, text);
    if (key.empty() || !clean(out.back(), "").ok()) return false;
  }
  return true;
}

/// Walks the body's object, and makes sure that nothing follows it.
template <typename Take>
bool walk(std::string& body, Take take) {
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  simdjson::ondemand::document document;
  object fields;
  if (parser().iterate(body.data(), body.size(), body.capacity()).get(document) || document.get_object().get(fields))
    return false;
  for (auto part : fields) {
    field named;
    if (std::move(part).get(named) || !take(named)) return false;
  }
  const char* rest = nullptr;
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

}  // namespace

std::optional<LogRequest> read_batch_fast(std::string& body, const ProjectId& project, const MetricNames& names) {
  if (body.size() > kBatchBytesMax) return std::nullopt;
  LogRequest request{project, {}, {}, {}, {}, {}, {}};
  const auto lookup = names.lookup(project);
  std::string_view run;
  const bool good = walk(body, [&](field& item) {
    const auto name = item.key();
    if (name == "run_id") return read(item.value(), run);
    if (name == "metrics") {
      request.points.reserve(std::min(kBatchMetricsMax, body.size() / 40));
      return read_metrics(item.value(), request, lookup);
    }
    if (name == "params") return read_pairs(item.value(), request.params, clean_param);
    if (name == "tags") return read_pairs(item.value(), request.tags, clean_tag);
    return false;
  });
  if (!good || !check_run_id(run).ok() || !check_distinct_params(request.params).ok()) return std::nullopt;
  if (!check_batch_sizes(request.points.size(), request.params.size(), request.tags.size()).ok()) return std::nullopt;
  request.run = RunId(run);
  return request;
}

std::optional<LogRequest> read_metric_fast(std::string& body, const ProjectId& project, const MetricNames& names) {
  LogRequest request{project, {}, {}, {}, {}, {}, {}};
  std::string_view run, again;
  Metric metric;
  const bool good = walk(body, [&](field& item) {
    const auto name = item.key();
    if (name == "run_id") return read(item.value(), run);
    if (name == "run_uuid") return read(item.value(), again);
    return metric.take(item);
  });
  if (!good || !metric.is_whole()) return std::nullopt;
  request.run = RunId(run.empty() ? again : run);
  if (request.run.empty() || !add(request, names.lookup(project), metric)) return std::nullopt;
  return request;
}

}  // namespace slipway::api::mlflow
