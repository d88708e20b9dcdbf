#include "api/native/project_files.h"

#include "api/api.h"
#include "domain/project_file.h"

namespace slipway::api {
namespace {

// A file of the largest size, each of its bytes escaped.
constexpr std::uint64_t kBodyBytesMax = 6 * kProjectFileBytesMax + 1024;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json parameter_json(const std::string& key, const Parameter& parameter) {
  Json json;
  json.set("name", key)
      .set("type", name(parameter.type))
      .set("default", or_null(parameter.default_value))
      .set("min", or_null(parameter.min));
  return json.set("max", or_null(parameter.max))
      .set("choices", Json::Array(parameter.choices))
      .set("help", parameter.help);
}

Json step_json(const std::string& key, const Step& step) {
  Json::Array parameters, inputs, outputs;
  for (const auto& [one, parameter] : step.parameters) parameters.push_back(parameter_json(one, parameter));
  for (const auto& [one, reference] : step.inputs)
    inputs.push_back(Json().set("name", one).set("reference", render(reference)));
  for (const auto& [one, output] : step.outputs)
    outputs.push_back(Json().set("name", one).set("model", output.model).set("dataset", output.dataset));
  Json json;
  json.set("name", key)
      .set("description", step.description)
      .set("command", step.command)
      .set("environment", step.environment);
  return json.set("parameters", std::move(parameters))
      .set("inputs", std::move(inputs))
      .set("outputs", std::move(outputs))
      .set("resources", to_json(step.resources));
}

Result<Json> read(const http::Request& request) {
  const ProjectFile file = TRY(parse_project_file(TRY(required_string(TRY(json_body(request)), "text"))));
  Json::Array steps, pipelines;
  for (const auto& [key, step] : file.steps) steps.push_back(step_json(key, step));
  for (const auto& [key, pipeline] : file.pipelines)
    pipelines.push_back(Json().set("name", key).set("nodes", static_cast<std::int64_t>(pipeline.nodes.size())));
  return Json().set("project", file.project).set("steps", std::move(steps)).set("pipelines", std::move(pipelines));
}

}  // namespace

void add_project_files(http::Router& router) {
  router.add(http::Method::post, "/api/v1/project_files/read",
             [](http::Request& request, http::Responder responder) {
               answer(responder, read(request), [](const Json& json) { return http::Response::json(json.render()); });
             },
             {.where = http::Where::on_pool, .body_bytes_max = kBodyBytesMax});
}

}  // namespace slipway::api
