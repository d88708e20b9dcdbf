// What MLflow's server accepts as keys, values and names, with its limits and messages. Lengths count characters.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "tracking/records.h"

namespace slipway::api::mlflow {

inline constexpr size_t kBatchMetricsMax = 1000;
inline constexpr size_t kBatchParamsMax = 100;
inline constexpr size_t kBatchTagsMax = 100;
inline constexpr size_t kBatchEntitiesMax = 1000;
inline constexpr size_t kBatchBytesMax = 1'000'000;
inline constexpr size_t kParamValueMax = 6000;
inline constexpr size_t kTagValueMax = 8000;
inline constexpr size_t kKeyMax = 250;
inline constexpr size_t kExperimentNameMax = 500;
inline constexpr size_t kExperimentTagValueMax = 20'000;
inline constexpr size_t kArtifactLocationMax = 2048;
inline constexpr size_t kDatasetNameMax = 500;
inline constexpr size_t kDatasetDigestMax = 36;
inline constexpr size_t kDatasetSchemaMax = 1'048'575;
inline constexpr size_t kDatasetSourceMax = 65'535;
inline constexpr size_t kDatasetProfileMax = 16'777'215;
inline constexpr size_t kInputTagKeyMax = 255;
inline constexpr size_t kInputTagValueMax = 500;

/// A metric's, parameter's or tag's key; `path` is what the message calls it ("metrics[3].name").
Result<void> check_key(std::string_view key, std::string_view path);
Result<void> check_length(std::string_view what, std::string_view value, size_t characters_max);
/// Cut to the limit, as MLflow does by default.
std::string truncated(std::string_view value, size_t characters_max);

Result<void> check_metric(std::string_view key, double value, std::int64_t at_ms, std::string_view path);
/// Checks the key, cuts the value.
Result<void> clean_param(std::pair<std::string, std::string>& param, std::string_view path);
Result<void> clean_tag(std::pair<std::string, std::string>& tag, std::string_view path);
Result<void> check_experiment_tag(std::string_view key, std::string_view value);
Result<void> check_experiment_name(std::string_view name);
Result<void> check_run_id(std::string_view id);
Result<void> check_distinct_params(const tracking::KeyValues& params);
Result<void> check_batch_sizes(size_t metrics, size_t params, size_t tags);

/// Whether a URI has a ".." or a NUL in it, also after decoding it as often as a careless reader might.
bool climbs(std::string_view uri);
/// "s3" of "S3://bucket", "file" of "file:x"; empty for a path.
std::string scheme_of(std::string_view uri);
Result<void> check_artifact_location(std::string_view location);

/// As Python's posixpath.normpath.
std::string normal_path(std::string_view path);

}  // namespace slipway::api::mlflow
