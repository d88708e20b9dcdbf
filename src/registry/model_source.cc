// Pure: where a version's files are, and what its MLmodel file says of its inputs and outputs.
#include <fmt/format.h>

#include "base/text.h"
#include "domain/yaml.h"
#include "registry/models.h"

namespace slipway::registry {
namespace {

/// Takes `prefix` off the front of `text`, if it is there.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The first part of a path, which is taken off.
std::string_view take_part(std::string_view& path) {
  const size_t slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return part;
}

std::optional<SourceLocation> located(OwnerKind kind, std::string_view id, std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!looks_like_id(id) || (!path.empty() && !check_relative_path(path).ok())) return std::nullopt;
  return SourceLocation{kind, std::string(id), std::string(path)};
}

/// <experiment>/<run>/artifacts/<path> or <experiment>/models/<model>/artifacts/<path>.
std::optional<SourceLocation> locate_proxied(std::string_view path) {
  while (take(path, "/")) {
  }
  take_part(path);  // the experiment
  std::string_view id = take_part(path);
  OwnerKind kind = OwnerKind::run;
  if (id == "models") {
    id = take_part(path);
    kind = OwnerKind::logged_model;
  }
  if (take_part(path) != "artifacts") return std::nullopt;
  return located(kind, id, path);
}

/// Names of numpy, as signatures have them, in the words of the Open Inference Protocol.
std::string datatype_of(std::string_view numpy) {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"float16", "FP16"},  {"float32", "FP32"},  {"float64", "FP64"},  {"int8", "INT8"},
      {"int16", "INT16"},   {"int32", "INT32"},   {"int64", "INT64"},   {"uint8", "UINT8"},
      {"uint16", "UINT16"}, {"uint32", "UINT32"}, {"uint64", "UINT64"}, {"bool", "BOOL"}};
  const auto found = kNames.find(numpy);
  return std::string(found != kNames.end() ? found->second : "BYTES");
}

/// Signatures list tensors ({"type":"tensor","tensor-spec":{dtype,shape}}) or columns ({"type":"double","name":…}).
Json tensors_of(const Json& list) {
  Json::Array tensors;
  for (const Json& item : list.array()) {
    Json tensor{Json::Object{}};
    tensor.set("name", item["name"].string());
    if (const Json& spec = item["tensor-spec"]; spec.is_object()) {
      tensor.set("datatype", datatype_of(spec["dtype"].string()));
      tensor.set("shape", spec["shape"].is_array() ? spec["shape"] : Json(Json::Array{}));
    } else {
      static const std::map<std::string_view, std::string_view> kColumns = {
          {"double", "FP64"}, {"float", "FP32"}, {"long", "INT64"}, {"integer", "INT32"}, {"boolean", "BOOL"}};
      const auto found = kColumns.find(item["type"].string());
      tensor.set("datatype", found != kColumns.end() ? std::string(found->second) : "BYTES");
      tensor.set("shape", Json::Array{Json(-1)});
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

std::optional<SourceLocation> locate_source(std::string_view source) {
  std::string_view rest = source;
  if (take(rest, "models:/")) {
    while (take(rest, "/")) {
    }
    const std::string_view id = take_part(rest);
    return id.starts_with("m-") ? located(OwnerKind::logged_model, id, rest) : std::nullopt;
  }
  if (take(rest, "runs:/")) {
    while (take(rest, "/")) {
    }
    const std::string_view id = take_part(rest);
    return located(OwnerKind::run, id, rest);
  }
  if (take(rest, "mlflow-artifacts:")) {
    if (take(rest, "//")) take_part(rest);  // the host
    return locate_proxied(rest);
  }
  return std::nullopt;
}

Json details_of_mlmodel(std::string_view mlmodel_yaml) {
  const auto node = parse_yaml(mlmodel_yaml, "MLmodel");
  if (!node.ok()) return nullptr;
  const Json file = yaml_value(*node);
  Json details{Json::Object{}};
  for (const char* side : {"inputs", "outputs"}) {
    const auto list = Json::parse(file["signature"][side].string());
    if (list.ok() && list->is_array()) details.set(side, tensors_of(*list));
  }
  return details.object().empty() ? Json() : details;
}

}  // namespace slipway::registry
