#include "api/inference/wire.h"

#include "api/api.h"
#include "base/text.h"
#include "version.h"

namespace slipway::api::oip {
namespace {

constexpr const char* kPlatform = "onnxruntime_onnx";

/// TYPE_FP32 and its like; BYTES is TYPE_STRING there.
std::string config_type(inference::DataType type) {
  return "TYPE_" + (type == inference::DataType::bytes ? std::string("STRING") : std::string(inference::name(type)));
}

void append_infos(JsonWriter& json, const char* key, const std::vector<inference::TensorInfo>& infos) {
  json.key(key).begin_array();
  for (const inference::TensorInfo& info : infos) {
    json.begin_object()
        .member("name", info.name)
        .member("datatype", inference::name(info.type))
        .key("shape")
        .begin_array();
    for (const std::int64_t size : info.shape.sizes()) json.value(size);
    json.end_array().end_object();
  }
  json.end_array();
}

/// With a batch size the first dimension is understood and left out.
void append_config_infos(JsonWriter& json, const char* key, const std::vector<inference::TensorInfo>& infos,
                         bool batched, bool inputs) {
  json.key(key).begin_array();
  for (const inference::TensorInfo& info : infos) {
    json.begin_object().member("name", info.name).member("data_type", config_type(info.type));
    if (inputs) json.member("format", "FORMAT_NONE");
    json.key("dims").begin_array();
    for (int i = batched ? 1 : 0; i < info.shape.rank(); ++i) json.value(info.shape[i]);
    json.end_array();
    if (inputs)
      json.member("allow_ragged_batch", false).member("optional", false);
    else
      json.member("label_filename", "");
    json.member("is_shape_tensor", false).member("is_non_linear_format_io", false).end_object();
  }
  json.end_array();
}

void append_count(JsonWriter& json, const char* key, const serving::CountNs& figure) {
  json.key(key).begin_object().member("count", figure.count).member("ns", figure.ns).end_object();
}

/// One element of model_stats.
void append_statistics(JsonWriter& json, const std::string& name, const serving::VersionFigures& figures) {
  json.begin_object().member("name", name).member("version", std::to_string(figures.version));
  json.member("last_inference", figures.last_inference.millis())
      .member("inference_count", figures.inference_count)
      .member("execution_count", figures.execution_count);
  json.key("inference_stats").begin_object();
  append_count(json, "success", figures.success);
  append_count(json, "fail", figures.fail);
  append_count(json, "queue", figures.queue);
  append_count(json, "compute_input", figures.input);
  append_count(json, "compute_infer", figures.infer);
  append_count(json, "compute_output", figures.output);
  append_count(json, "cache_hit", {});
  append_count(json, "cache_miss", {});
  json.end_object().key("response_stats").begin_object().end_object();
  json.key("batch_stats").begin_array();
  for (const serving::BatchFigures& batch : figures.batches) {
    json.begin_object().member("batch_size", batch.size);
    append_count(json, "compute_input", batch.input);
    append_count(json, "compute_infer", batch.infer);
    append_count(json, "compute_output", batch.output);
    json.end_object();
  }
  json.end_array().key("memory_usage").begin_array();
  if (figures.memory_bytes > 0)
    json.begin_object().member("type", "CPU").member("id", 0).member("byte_size", figures.memory_bytes).end_object();
  json.end_array().end_object();
}

}  // namespace

Result<std::optional<std::int64_t>> parse_version(std::string_view text) {
  if (text.empty()) return std::optional<std::int64_t>();
  const auto version = parse_i64(text);
  if (!version)
    return Error{ErrorCode::invalid_argument,
                 "a model version is a whole number; found '" + clean_utf8(text, 40) + "'"};
  return version;
}

std::string server_json() {
  JsonWriter json;
  json.begin_object().member("name", "slipway").member("version", kVersion).key("extensions").begin_array();
  for (const char* extension : {"classification", "model_repository", "model_configuration", "binary_tensor_data",
                                "parameters", "statistics", "schedule_policy"})
    json.value(extension);
  return json.end_array().end_object().take();
}

http::Response error_response(const Error& error) {
  int status = http_status(error.code);
  if (error.code == ErrorCode::failed_precondition || error.code == ErrorCode::already_exists) status = 400;
  JsonWriter json;
  json.begin_object().member("error", error.message).end_object();
  http::Response response = http::Response::json(json.take(), status);
  if (status == 503 || status == 504) response.headers.set("Retry-After", "1");
  return response;
}

std::string metadata_json(const serving::Target& target) {
  JsonWriter json;
  json.begin_object()
      .member("name", target.deployment())
      .key("versions")
      .begin_array()
      .value(std::to_string(target.version()))
      .end_array();
  json.member("platform", kPlatform);
  append_infos(json, "inputs", target.signature().inputs);
  append_infos(json, "outputs", target.signature().outputs);
  return json.end_object().take();
}

std::string config_json(const serving::Target& target) {
  const inference::Signature& signature = target.signature();
  const bool batched = signature.is_batchable();
  JsonWriter json;
  json.begin_object()
      .member("name", target.deployment())
      .member("platform", kPlatform)
      .member("backend", "onnxruntime")
      .member("runtime", "");
  json.key("version_policy")
      .begin_object()
      .key("specific")
      .begin_object()
      .key("versions")
      .begin_array()
      .value(target.version())
      .end_array()
      .end_object()
      .end_object();
  json.member("max_batch_size", batched ? static_cast<std::int64_t>(inference::kBatchRequestsMax) : std::int64_t{0});
  append_config_infos(json, "input", signature.inputs, batched, true);
  append_config_infos(json, "output", signature.outputs, batched, false);
  json.key("batch_input").begin_array().end_array().key("batch_output").begin_array().end_array();
  json.key("optimization").begin_object().member("priority", "PRIORITY_DEFAULT");
  json.key("input_pinned_memory").begin_object().member("enable", false).end_object();
  json.key("output_pinned_memory").begin_object().member("enable", false).end_object();
  json.member("gather_kernel_buffer_threshold", 0).member("eager_batching", false).end_object();
  if (target.batch_max() > 1) {
    json.key("dynamic_batching")
        .begin_object()
        .key("preferred_batch_size")
        .begin_array()
        .value(target.batch_max())
        .end_array();
    json.member("max_queue_delay_microseconds", static_cast<std::int64_t>(target.batch_delay().count()));
    json.member("preserve_ordering", false).member("priority_levels", 0).member("default_priority_level", 0);
    json.key("priority_queue_policy").begin_object().end_object().end_object();
  }
  json.key("instance_group")
      .begin_array()
      .begin_object()
      .member("name", target.deployment())
      .member("kind", "KIND_CPU")
      .member("count", 1);
  json.key("gpus")
      .begin_array()
      .end_array()
      .key("secondary_devices")
      .begin_array()
      .end_array()
      .key("profile")
      .begin_array()
      .end_array();
  json.member("passive", false).member("host_policy", "").end_object().end_array();
  json.member("default_model_filename", "model.onnx").key("cc_model_filenames").begin_object().end_object();
  json.key("metric_tags")
      .begin_object()
      .end_object()
      .key("parameters")
      .begin_object()
      .end_object()
      .key("model_warmup")
      .begin_array()
      .end_array();
  json.key("model_transaction_policy").begin_object().member("decoupled", false).end_object();
  json.key("response_cache").begin_object().member("enable", false).end_object();
  return json.end_object().take();
}

Result<std::string> statistics_json(serving::Serving& serving, const ProjectId& project, std::string_view model,
                                    std::optional<std::int64_t> version) {
  if (!model.empty()) {
    const auto target = serving.target(project, model, version);
    if (!target.ok() && target.error().code == ErrorCode::not_found) return target.error();
  }
  JsonWriter json;
  json.begin_object().key("model_stats").begin_array();
  for (const auto& [deployment, active] : serving.endpoints(project)) {
    if (!model.empty() && deployment != model) continue;
    for (const serving::VersionFigures& figures : TRY(serving.figures(project, deployment))) {
      if (!version || figures.version == *version) append_statistics(json, deployment, figures);
    }
  }
  return json.end_array().end_object().take();
}

std::string index_json(serving::Serving& serving, const ProjectId& project, bool ready_only) {
  JsonWriter json;
  json.begin_array();
  for (const auto& [name, version] : serving.endpoints(project)) {
    const auto target = serving.target(project, name);
    if (ready_only && !target.ok()) continue;
    json.begin_object().member("name", name);
    if (version > 0) json.member("version", std::to_string(version));
    json.member("state", target.ok() ? "READY" : "UNAVAILABLE")
        .member("reason", target.ok() ? "" : target.error().message)
        .end_object();
  }
  return json.end_array().take();
}

http::Response infer_response(const inference::InferRequest& request,
                              const Result<inference::InferResponse>& response) {
  if (!response.ok()) return error_response(response.error());
  auto body = inference::encode_response(request, *response);
  if (!body.ok()) return error_response(body.error());
  http::Response out;
  out.body = std::move(body->bytes);
  if (body->json_bytes) {
    out.headers.add("Content-Type", "application/octet-stream");
    out.headers.add("Inference-Header-Content-Length", std::to_string(*body->json_bytes));
    out.compressible = false;
  } else {
    out.headers.add("Content-Type", "application/json");
  }
  out.headers.add("X-Slipway-Answer-Id", response->answer.text);
  return out;
}

}  // namespace slipway::api::oip
