// The careful readers of log-metric and log-batch: they say exactly what is wrong with a request, or take what is
// merely unusual: NaN, numbers in quotes, values that belong to a model.
#include <fmt/format.h>

#include <cmath>

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/log_requests.h"
#include "api/mlflow/validate.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using tracking::LogRequest;
using tracking::MetricLog;
using tracking::MetricNames;

const std::vector<Field> kMetricFields{{"run_id", FieldType::text, true},
                                       {"key", FieldType::text, true},
                                       {"value", FieldType::number, true},
                                       {"timestamp", FieldType::integer, true},
                                       {"step", FieldType::integer},
                                       {"model_id"},
                                       {"dataset_name"},
                                       {"dataset_digest"}};
const std::vector<Field> kBatchFields{{"run_id", FieldType::text, true},
                                      {"metrics", FieldType::objects},
                                      {"params", FieldType::objects},
                                      {"tags", FieldType::objects}};
const std::vector<Field> kBatchMetricFields{{"key"},
                                            {"value", FieldType::number},
                                            {"timestamp", FieldType::integer},
                                            {"step", FieldType::integer},
                                            {"model_id"},
                                            {"dataset_name"},
                                            {"dataset_digest"}};

/// Adds one metric, with its logged model's if it names one.
Result<void> add_metric(LogRequest& request, const tracking::MetricNames::Lookup& lookup, const Json& metric,
                        std::string_view path) {
  const std::string& key = metric["key"].string();
  const double value = metric["value"].number().value_or(0);
  const std::int64_t at_ms = metric["timestamp"].integer().value_or(0), step = metric["step"].integer().value_or(0);
  TRY(check_metric(key, value, at_ms, path));
  MetricLog::add_point(request, lookup, key, step, at_ms, value);
  if (!metric["model_id"].string().empty()) {
    request.model_metrics.push_back({metric["model_id"].string(), key, metric["dataset_name"].string(),
                                     metric["dataset_digest"].string(), value, step, at_ms});
  }
  return {};
}

}  // namespace

Result<LogRequest> read_metric_carefully(const http::Request& request, const MetricNames& names) {
  const Json fields = TRY(read_fields(request, kMetricFields));
  LogRequest out{project_of(request), RunId(fields["run_id"].string()), {}, {}, {}, {}, {}};
  const auto lookup = names.lookup(out.project);
  TRY(add_metric(out, lookup, fields, ""));
  return out;
}

namespace {

/// The fields of one metric of a batch, with their types.
Result<Json> batch_metric(const Json& given, size_t index) {
  const std::string path = fmt::format("metrics[{}]", index);
  for (const char* field : {"key", "value", "timestamp"}) {
    const Json& value = given[field];
    if (value.is_null() || (value.is_string() && value.string().empty())) return missing_parameter(path + "." + field);
  }
  Json out{Json::Object{}};
  for (const Field& field : kBatchMetricFields) {
    const Json& value = given[field.name];
    if (value.is_null()) continue;
    if (field.type == FieldType::text) {
      if (!value.is_string()) return invalid_value(path + "." + field.name, value, "expected a text");
      out.set(field.name, value);
    } else if (field.type == FieldType::integer) {
      const auto number = value.is_string() ? parse_i64(value.string()) : value.integer();
      if (!number) return invalid_value(path + "." + field.name, value, "expected a 64-bit integer");
      out.set(field.name, *number);
    } else {
      const auto number = value.is_string() ? parse_double(value.string()) : value.number();
      if (!number)
        return invalid_value(
            path + ".value", value,
            fmt::format("(timestamp={}). Please specify value as a valid double (64-bit floating point)",
                        given["timestamp"].render()));
      out.set(field.name, *number);
    }
  }
  return out;
}

Result<tracking::KeyValues> batch_pairs(const Json& list, const char* name,
                                        Result<void> (*clean)(std::pair<std::string, std::string>&, std::string_view)) {
  tracking::KeyValues out;
  for (const Json& item : list.array()) {
    const std::string path = fmt::format("{}[{}]", name, out.size());
    if (item["key"].string().empty()) return missing_parameter(path + ".key");
    if (!item["value"].is_null() && !item["value"].is_string())
      return invalid_value(path + ".value", item["value"], "expected a text");
    out.emplace_back(item["key"].string(), item["value"].string());
    TRY(clean(out.back(), path));
  }
  return out;
}

}  // namespace

Result<LogRequest> read_batch_carefully(const http::Request& request, const MetricNames& names) {
  if (request.body.size() > kBatchBytesMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Batched logging API requests must be at most {} bytes, got a request of size {}.",
                             kBatchBytesMax, request.body.size())};
  }
  const Json fields = TRY(read_fields(request, kBatchFields));
  TRY(check_run_id(fields["run_id"].string()));
  LogRequest out{project_of(request), RunId(fields["run_id"].string()), {}, {}, {}, {}, {}};
  const auto& metrics = fields["metrics"].array();
  TRY(check_batch_sizes(metrics.size(), fields["params"].array().size(), fields["tags"].array().size()));
  out.params = TRY(batch_pairs(fields["params"], "params", clean_param));
  out.tags = TRY(batch_pairs(fields["tags"], "tags", clean_tag));
  TRY(check_distinct_params(out.params));
  const auto lookup = names.lookup(out.project);
  for (size_t i = 0; i < metrics.size(); ++i)
    TRY(add_metric(out, lookup, TRY(batch_metric(metrics[i], i)), fmt::format("metrics[{}]", i)));
  return out;
}

}  // namespace slipway::api::mlflow
