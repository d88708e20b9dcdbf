// Structs back to the grammar's own JSON, and from there to YAML. What equals its default is left out.
#include "domain/project_file.h"
#include "domain/units.h"
#include "domain/yaml.h"

namespace slipway {
namespace {

/// Appends to a record only what says something.
class Record {
 public:
  Record& text(std::string_view key, const std::string& value, std::string_view otherwise = "") {
    if (value != otherwise) json_.set(std::string(key), value);
    return *this;
  }
  template <typename T>
  Record& value(std::string_view key, const T& value, const T& otherwise) {
    if (value != otherwise) json_.set(std::string(key), Json(value));
    return *this;
  }
  template <typename T>
  Record& maybe(std::string_view key, const std::optional<T>& value) {
    if (value) json_.set(std::string(key), Json(*value));
    return *this;
  }
  Record& duration(std::string_view key, const std::optional<Duration>& value) {
    if (value) json_.set(std::string(key), render_duration(*value));
    return *this;
  }
  Record& texts(std::string_view key, const std::vector<std::string>& values) {
    Json list{Json::Array{}};
    for (const std::string& item : values) list.push(item);
    if (!values.empty()) json_.set(std::string(key), list);
    return *this;
  }
  Record& texts(std::string_view key, const Named<std::string>& values) {
    Json::Object members;
    for (const auto& [name, item] : values) members.emplace_back(name, item);
    if (!values.empty()) json_.set(std::string(key), members);
    return *this;
  }
  /// A member that is left out when it is an empty record or list.
  Record& part(std::string_view key, Json value) {
    const bool empty =
        value.is_null() || (value.is_object() && value.object().empty()) || (value.is_array() && value.array().empty());
    if (!empty) json_.set(std::string(key), std::move(value));
    return *this;
  }
  template <typename T, typename Render>
  Record& parts(std::string_view key, const Named<T>& things, Render render) {
    Json::Object members;
    for (const auto& [name, thing] : things) members.emplace_back(name, render(thing));
    return part(key, members);
  }
  Json take() { return std::move(json_); }

 private:
  Json json_{Json::Object{}};
};

Json list_of(const std::vector<Json>& values) { return Json(Json::Array(values)); }

Json stream_json(const Stream& stream) {
  return Record()
      .text("files", stream.files)
      .text("decode", stream.decode)
      .value("optional", stream.optional, false)
      .part("align", Record().text("to", stream.align_to).text("resize", stream.align_resize).take())
      .take();
}

Json attribute_json(const Attribute& attribute) {
  return Record()
      .text("type", attribute.type, "text")
      .text("from_key", attribute.from_key)
      .text("manifest", attribute.manifest)
      .text("column", attribute.column)
      .text("compute", attribute.compute)
      .take();
}

Json parameter_json(const Parameter& parameter) {
  return Record()
      .text("type", std::string(name(parameter.type)))
      .maybe("default", parameter.default_value)
      .maybe("min", parameter.min)
      .maybe("max", parameter.max)
      .part("choices", list_of(parameter.choices))
      .text("help", parameter.help)
      .take();
}

Json output_json(const StepOutput& output) {
  return Record()
      .text("path", output.path)
      .text("model", output.model)
      .text("dataset", output.dataset)
      .text("branch", output.branch)
      .value("optional", output.optional, false)
      .take();
}

Json limits_json(const Limits& limits) {
  const std::optional<Duration> grace = limits.grace == Limits().grace ? std::nullopt : std::optional(limits.grace);
  return Record().duration("time", limits.time).duration("silence", limits.silence).duration("grace", grace).take();
}

Json retry_json(const Retry& retry) {
  return Record().value("attempts", retry.attempts, std::int64_t{1}).texts("on", retry.on).take();
}

Json sweep_json(const Sweep& sweep) {
  const Sweep plain;
  const auto varied = [](const SweepParameter& parameter) {
    return Record()
        .text("type", parameter.type)
        .maybe("min", parameter.min)
        .maybe("max", parameter.max)
        .maybe("count", parameter.count)
        .part("values", list_of(parameter.values))
        .take();
  };
  return Record()
      .text("step", sweep.step)
      .part("metric", Record().text("name", sweep.metric).text("goal", sweep.maximize ? "maximize" : "minimize").take())
      .part("searcher", Record()
                            .text("name", sweep.searcher, plain.searcher)
                            .value("max_trials", sweep.max_trials, plain.max_trials)
                            .value("max_concurrent", sweep.max_concurrent, plain.max_concurrent)
                            .maybe("seed", sweep.seed)
                            .take())
      .parts("parameters", sweep.parameters, varied)
      .take();
}

Json evaluation_json(const EvaluationDeclaration& evaluation) {
  return Record()
      .text("task", evaluation.task)
      .text("dataset", render(evaluation.dataset))
      .text("input", evaluation.input)
      .text("target", evaluation.target)
      .texts("slices", evaluation.slices)
      .take();
}

Json require_json(const std::vector<Requirement>& requirements) {
  Json out{Json::Object{}};
  for (const Requirement& requirement : requirements) {
    Json rules = out[requirement.metric];
    rules.push(Record()
                   .maybe("no_worse_than", requirement.no_worse_than)
                   .maybe("better_by", requirement.better_by)
                   .maybe("at_least", requirement.at_least)
                   .maybe("at_most", requirement.at_most)
                   .texts("on", requirement.on)
                   .take());
    out.set(requirement.metric, rules);
  }
  return out;
}

Json node_json(const PipelineNode& node) {
  return Record()
      .text("step", node.step)
      .text("evaluate", node.evaluate)
      .text("deploy", node.deploy)
      .text("sweep", node.sweep)
      .part("parameters", Json(Json::Object(node.parameters)))
      .texts("inputs", node.inputs)
      .text("model", node.model)
      .text("against", node.against)
      .text("dataset", node.dataset)
      .part("require", require_json(node.require))
      .text("version", node.version)
      .text("strategy", node.strategy)
      .text("alias", node.alias)
      .texts("after", node.after)
      .take();
}

Json trigger_json(const Trigger& trigger) {
  return Record()
      .text("dataset", trigger.dataset)
      .text("cron", trigger.cron)
      .text("finding", trigger.finding)
      .text("deployment", trigger.deployment)
      .text("model", trigger.model)
      .take();
}

Json deployment_json(const DeploymentDeclaration& deployment) {
  const DeploymentDeclaration plain;
  Json alerts{Json::Array{}};
  for (const Alert& alert : deployment.alerts) {
    const std::optional<Duration> held = alert.held_for.count() == 0 ? std::nullopt : std::optional(alert.held_for);
    alerts.push(Record().text("when", alert.when).duration("for", held).text("to", alert.to).take());
  }
  const std::optional<Duration> delay =
      deployment.batch_delay.count() == 0 ? std::nullopt : std::optional(deployment.batch_delay);
  return Record()
      .text("model", render(deployment.model))
      .part("replicas", Json(Json::Object{{"min", deployment.replicas_min}, {"max", deployment.replicas_max}}))
      .part("batch", Record().value("max", deployment.batch_max, plain.batch_max).duration("delay", delay).take())
      .part("capture", Record()
                           .value("sample", deployment.capture_sample, plain.capture_sample)
                           .texts("always", deployment.capture_always)
                           .value("low_confidence", deployment.low_confidence, plain.low_confidence)
                           .take())
      .part("alerts", alerts)
      .part("resources", to_json(deployment.resources))
      .take();
}

}  // namespace

Json to_json(const Environment& environment) {
  return Record()
      .text("interpreter", environment.interpreter)
      .text("python", environment.python)
      .text("lock", environment.lock)
      .text("requirements", environment.requirements)
      .value("site_packages", environment.site_packages, false)
      .text("image", environment.image)
      .texts("variables", environment.variables)
      .take();
}

Json to_json(const DatasetDeclaration& declaration) {
  Json checks{Json::Array{}};
  for (const DatasetCheck& check : declaration.checks) {
    checks.push(check.arguments.is_null() ? Json(check.name) : Json(Json::Object{{check.name, check.arguments}}));
  }
  Record out;
  out.text("key", declaration.key)
      .parts("streams", declaration.streams, stream_json)
      .part("checks", checks)
      .parts("attributes", declaration.attributes, attribute_json);
  Json json = out.take();
  if (declaration.pack) {
    json.set("pack",
             Json(Json::Object{{"format", declaration.pack->format}, {"shard_size", declaration.pack->shard_bytes}}));
  }
  return json;
}

Json to_json(const Resources& resources) {
  const Resources plain;
  return Record()
      .value("cpus", resources.cpus, plain.cpus)
      .value("memory", resources.memory_bytes, plain.memory_bytes)
      .value("gpus", resources.gpus, plain.gpus)
      .value("nodes", resources.nodes, plain.nodes)
      .text("pool", resources.pool, plain.pool)
      .text("spot", resources.spot, plain.spot)
      .take();
}

Json to_json(const Step& step) {
  return Record()
      .text("description", step.description)
      .text("environment", step.environment)
      .part("command", step.command)
      .parts("parameters", step.parameters, parameter_json)
      .parts("inputs", step.inputs, [](const Reference& reference) { return Json(render(reference)); })
      .parts("outputs", step.outputs, output_json)
      .texts("variables", step.variables)
      .part("resources", to_json(step.resources))
      .part("limits", limits_json(step.limits))
      .part("retry", retry_json(step.retry))
      .take();
}

Json to_json(const Pipeline& pipeline) {
  Json triggers{Json::Array{}};
  for (const Trigger& trigger : pipeline.triggers) triggers.push(trigger_json(trigger));
  Json json = Record().parts("nodes", pipeline.nodes, node_json).part("triggers", triggers).take();
  if (pipeline.nodes.empty()) json.set("nodes", Json(Json::Object{}));
  return json;
}

std::string render(const ProjectFile& file) {
  const auto environment = [](const Environment& e) { return to_json(e); };
  const auto dataset = [](const DatasetDeclaration& d) { return to_json(d); };
  const auto step = [](const Step& s) { return to_json(s); };
  const auto pipeline = [](const Pipeline& p) { return to_json(p); };
  return render_yaml(Record()
                         .text("project", file.project)
                         .parts("environments", file.environments, environment)
                         .parts("datasets", file.datasets, dataset)
                         .parts("steps", file.steps, step)
                         .parts("sweeps", file.sweeps, sweep_json)
                         .parts("evaluations", file.evaluations, evaluation_json)
                         .parts("pipelines", file.pipelines, pipeline)
                         .parts("deployments", file.deployments, deployment_json)
                         .take());
}

}  // namespace slipway
