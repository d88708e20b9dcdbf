#include "api/mlflow/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "api/mlflow/endpoint.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// `[/\w.\- :]` with Python's idea of \w: letters of any script.
bool is_key_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) || c == '_' || c == '/' || c == '.' || c == '-' || c == ' ' || c == ':';
}

Result<void> check_batch_size(std::string_view what, size_t most, size_t found) {
  if (found <= most) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "A batch logging request can contain at most {0} {1}. Got {2} {1}. Please split up {1} across multiple "
          "requests and try again.",
          most, what, found)};
}

}  // namespace

std::string normal_path(std::string_view path) {
  if (path.empty()) return ".";
  std::string prefix = path[0] == '/' ? "/" : "";
  if (path.starts_with("//") && !path.starts_with("///")) prefix = "//";
  std::vector<std::string> parts;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    const bool climbs = part == ".." && (!prefix.empty() || (!parts.empty() && parts.back() != ".."));
    if (!climbs)
      parts.push_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  const std::string out = prefix + join(parts, "/");
  return out.empty() ? "." : out;
}

bool climbs(std::string_view uri) {
  constexpr int kDecodingsMax = 10;
  std::string text(uri);
  for (int i = 0; i < kDecodingsMax; ++i) {
    if (text.find("..") != std::string::npos || text.find('\0') != std::string::npos) return true;
    std::string decoded = http::url_decode(text);
    if (decoded == text) return false;
    text = std::move(decoded);
  }
  return true;  // nobody who means well encodes that often
}

std::string scheme_of(std::string_view uri) {
  const size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon == 0 || !std::isalpha(static_cast<unsigned char>(uri[0]))) return "";
  const auto is_part = [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.' || c == '_'; };
  const std::string_view scheme = uri.substr(0, colon);
  return std::all_of(scheme.begin(), scheme.end(), is_part) ? lower(scheme) : "";
}

Result<void> check_artifact_location(std::string_view location) {
  TRY(check_length("artifact_location", location, kArtifactLocationMax));
  const std::string scheme = scheme_of(location);
  if (scheme == "runs") {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Artifact location cannot be a runs:/ URI. Given: '{}'", clean_utf8(location, 300))};
  }
  // "javascript:x" is a URI, too, but nothing can lie there.
  const bool is_place = scheme.empty() || scheme == "file" || location.substr(scheme.size() + 1).starts_with('/');
  if (is_place && !climbs(location) && location.find_first_of("#?") == std::string_view::npos) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid artifact_location '{}': expected a URI without '..', query or fragment",
                           clean_utf8(location, 300))};
}

Result<void> check_key(std::string_view key, std::string_view path) {
  if (!std::all_of(key.begin(), key.end(), is_key_character)) {
    return invalid_value(
        path, Json(key),
        "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).");
  }
  const std::string normal = normal_path(key);
  if (normal != key || normal == "." || normal.starts_with("..") || normal.starts_with("/")) {
    return invalid_value(
        path, Json(key),
        fmt::format(
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
            "This name would resolve to '{}'",
            normal));
  }
  return {};
}

Result<void> check_length(std::string_view what, std::string_view value, size_t characters_max) {
  if (value.size() <= characters_max || characters(value) <= characters_max) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' exceeds the maximum length of {} characters", what, characters_max)};
}

std::string truncated(std::string_view value, size_t characters_max) {
  if (value.size() <= characters_max) return std::string(value);
  size_t seen = 0, at = 0;
  while (at < value.size()) {
    const bool starts = (static_cast<unsigned char>(value[at]) & 0xc0) != 0x80;
    if (starts && seen++ == characters_max) break;
    ++at;
  }
  return std::string(value.substr(0, at));
}

Result<void> check_metric(std::string_view key, double value, std::int64_t at_ms, std::string_view path) {
  const std::string dot = path.empty() ? "" : std::string(path) + ".";
  TRY(check_key(key, dot + "name"));
  if (at_ms < 0) {
    return invalid_value(
        dot + "timestamp", Json(at_ms),
        fmt::format("metric '{}' (value={}). Timestamp must be a nonnegative long (64-bit integer) ", key, value));
  }
  return check_length("Metric name", key, kKeyMax);
}

Result<void> clean_param(std::pair<std::string, std::string>& param, std::string_view path) {
  TRY(check_key(param.first, path.empty() ? "key" : std::string(path) + ".key"));
  TRY(check_length("Param key", param.first, kKeyMax));
  param.second = truncated(param.second, kParamValueMax);
  return {};
}

Result<void> clean_tag(std::pair<std::string, std::string>& tag, std::string_view path) {
  const std::string name = path.empty() ? "key" : std::string(path) + ".key";
  TRY(check_key(tag.first, name));
  TRY(check_length(name, tag.first, kKeyMax));
  tag.second = truncated(tag.second, kTagValueMax);
  return {};
}

Result<void> check_experiment_tag(std::string_view key, std::string_view value) {
  TRY(check_key(key, "key"));
  TRY(check_length("key", key, kKeyMax));
  return check_length("value", value, kExperimentTagValueMax);
}

Result<void> check_experiment_name(std::string_view name) {
  if (name.empty()) return Error{ErrorCode::invalid_argument, "Invalid experiment name: ''"};
  return check_length("name", name, kExperimentNameMax);
}

Result<void> check_run_id(std::string_view id) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  const bool good = !id.empty() && id.size() <= 256 && std::isalnum(static_cast<unsigned char>(id[0])) &&
                    std::all_of(id.begin(), id.end(), is_word);
  if (good) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid value {} for parameter 'run_id' supplied.", Json(clean_utf8(id, 300)).render())};
}

Result<void> check_distinct_params(const tracking::KeyValues& params) {
  for (size_t i = 0; i < params.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (params[i].first != params[j].first) continue;
      return Error{
          ErrorCode::invalid_argument,
          fmt::format(
              "Duplicate parameter keys have been submitted: ['{}']. Please ensure the request contains only one param "
              "value per param key.",
              params[i].first)};
    }
  }
  return {};
}

Result<void> check_batch_sizes(size_t metrics, size_t params, size_t tags) {
  TRY(check_batch_size("metrics", kBatchMetricsMax, metrics));
  TRY(check_batch_size("params", kBatchParamsMax, params));
  TRY(check_batch_size("tags", kBatchTagsMax, tags));
  return check_batch_size("metrics, params, and tags", kBatchEntitiesMax, metrics + params + tags);
}

}  // namespace slipway::api::mlflow
