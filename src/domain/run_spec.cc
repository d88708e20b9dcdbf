#include "domain/run_spec.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "domain/command_template.h"
#include "domain/grammar.h"

namespace slipway {
namespace {

Result<Named<Json>> fill_parameters(const Step& step, std::string_view step_name, const Named<Json>& given) {
  std::vector<std::string> known;
  for (const auto& [name, parameter] : step.parameters) known.push_back(name);
  for (const auto& [name, value] : given) {
    if (find(step.parameters, name)) continue;
    const auto likely = nearest(name, known);
    return Error{ErrorCode::invalid_argument,
                 fmt::format("step '{}' has no parameter '{}'{}", step_name, clean_utf8(name, 100),
                             likely          ? "; did you mean '" + *likely + "'?"
                             : known.empty() ? "; it has none"
                                             : "; it has " + join(known, ", "))};
  }
  Named<Json> filled;
  for (const auto& [name, parameter] : step.parameters) {
    if (const Json* value = find(given, name)) {
      filled.emplace_back(name, TRY(parameter_value(name, parameter, *value)));
    } else if (parameter.default_value) {
      filled.emplace_back(name, *parameter.default_value);
    } else {
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("step '{0}' needs a value for the parameter '{1}', which has no default; give it with {1}=VALUE",
                      step_name, name)};
    }
  }
  return filled;
}

Json seconds(const Duration& duration) { return Json(static_cast<double>(duration.count()) / 1e6); }

Result<std::optional<Duration>> read_seconds(const Json& json, std::string_view key) {
  const Json& value = json[key];
  if (value.is_null()) return std::optional<Duration>();
  const auto number = value.number();
  if (!number || !(*number >= 0 && *number <= 1e9)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("limits.{}: found {}; expected seconds", key, value.render())};
  }
  return std::optional(Duration(static_cast<std::int64_t>(*number * 1e6)));
}

Result<Limits> read_limits(const Json& json) {
  Limits limits;
  limits.time = TRY(read_seconds(json, "time_s"));
  limits.silence = TRY(read_seconds(json, "silence_s"));
  limits.grace = TRY(read_seconds(json, "grace_s")).value_or(limits.grace);
  return limits;
}

Json limits_json(const Limits& limits) {
  Json json{Json::Object{}};
  json.set("time_s", limits.time ? seconds(*limits.time) : Json());
  json.set("silence_s", limits.silence ? seconds(*limits.silence) : Json());
  json.set("grace_s", seconds(limits.grace));
  return json;
}

Json as_strings(const Named<std::string>& values) {
  Json json{Json::Object{}};
  for (const auto& [name, value] : values) json.set(name, value);
  return json;
}

/// The members that look the same in slipway.yaml are read by its grammar, so the API and the file cannot disagree.
Result<Step> read_step_part(const Json& json) {
  Json part{Json::Object{}};
  part.set("command", "");
  for (const char* key : {"inputs", "outputs", "variables", "resources", "retry"}) {
    if (const Json* value = json.find(key); value && !value->is_null()) part.set(key, *value);
  }
  return parse_step(part);
}

Result<void> check_member(const Json& json, std::string_view key, bool (Json::*is_expected)() const,
                          std::string_view expected) {
  const Json& value = json[key];
  if (value.is_null() || (value.*is_expected)()) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("{}: found {}; expected {}", key, value.type_name(), expected)};
}

}  // namespace

Result<RunSpec> make_run_spec(const ProjectFile& file, std::string_view step_name, const Named<Json>& given,
                              const Named<std::string>& inputs) {
  const Step& step = *TRY(file.step(step_name));
  RunSpec spec;
  spec.step = std::string(step_name);
  spec.command = step.command;
  spec.parameters = TRY(fill_parameters(step, step_name, given));
  spec.inputs = step.inputs;
  for (const auto& [name, text] : inputs) {
    const auto at =
        std::find_if(spec.inputs.begin(), spec.inputs.end(), [&](const auto& input) { return input.first == name; });
    if (at == spec.inputs.end()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("step '{}' has no input '{}'", step_name, clean_utf8(name, 100))};
    }
    at->second = TRY(parse_reference(text));
  }
  spec.outputs = step.outputs;
  if (const Environment* environment = find(file.environments, step.environment)) spec.environment = *environment;
  spec.variables = step.variables;
  spec.resources = step.resources;
  spec.limits = step.limits;
  spec.retry = step.retry;
  return spec;
}

Json to_json(const RunSpec& spec) {
  Step step;
  step.outputs = spec.outputs;
  const Json shared = to_json(step);
  Json json{Json::Object{}}, parameters{Json::Object{}}, inputs{Json::Object{}}, on{Json::Array{}};
  for (const auto& [name, value] : spec.parameters) parameters.set(name, value);
  for (const auto& [name, reference] : spec.inputs) inputs.set(name, render(reference));
  for (const std::string& end : spec.retry.on) on.push(end);
  const Json* outputs = shared.find("outputs");
  json.set("step", spec.step)
      .set("command", spec.command)
      .set("parameters", parameters)
      .set("inputs", inputs)
      .set("outputs", outputs ? *outputs : Json(Json::Object{}))
      .set("environment", to_json(spec.environment))
      .set("variables", as_strings(spec.variables))
      .set("resources", to_json(spec.resources))
      .set("limits", limits_json(spec.limits))
      .set("retry", Json(Json::Object{{"attempts", spec.retry.attempts}, {"on", on}}))
      .set("snapshot", spec.snapshot);
  return json;
}

Result<RunSpec> parse_run_spec(const Json& json) {
  for (const char* key : {"step", "command", "snapshot"}) TRY(check_member(json, key, &Json::is_string, "a string"));
  for (const char* key : {"parameters", "limits", "environment"})
    TRY(check_member(json, key, &Json::is_object, "an object"));
  RunSpec spec;
  spec.step = json["step"].string();
  spec.command = json["command"].string();
  if (trim(spec.command).empty()) {
    return Error{ErrorCode::invalid_argument, "the member 'command' is missing: what /bin/sh -c should run"};
  }
  if (spec.command.size() > kCommandBytesMax) return Error{ErrorCode::too_large, "the command is longer than 64 KiB"};
  if (json["parameters"].object().size() > kRunParametersMax)
    return Error{ErrorCode::too_large, "a run takes at most 1000 parameters"};
  for (const auto& [name, value] : json["parameters"].object()) {
    if (const auto named = check_grammar_name(name); !named.ok()) return context(named.error(), "parameters");
    if (value.is_array() || value.is_object() || value.is_null()) {
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("parameters.{}: found {}; expected a string, a number or a boolean", name, value.type_name())};
    }
    spec.parameters.emplace_back(name, value);
  }
  Step shared = TRY(read_step_part(json));
  spec.inputs = std::move(shared.inputs);
  spec.outputs = std::move(shared.outputs);
  spec.variables = std::move(shared.variables);
  spec.resources = std::move(shared.resources);
  spec.retry = std::move(shared.retry);
  spec.limits = TRY(read_limits(json["limits"]));
  if (!json["environment"].object().empty()) spec.environment = TRY(parse_environment(json["environment"]));
  spec.snapshot = json["snapshot"].string();
  if (!spec.snapshot.empty()) TRY(parse_hash(spec.snapshot));

  std::map<std::string, std::string> holes;
  for (const auto& [name, value] : spec.parameters) holes[name] = "";
  for (const auto& [name, value] : spec.inputs) holes["inputs." + name] = "";
  for (const auto& [name, value] : spec.outputs) holes["outputs." + name] = "";
  TRY(fill_template(spec.command, holes));
  return spec;
}

}  // namespace slipway
