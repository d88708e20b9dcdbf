#include "domain/project_file.h"

#include <fmt/format.h>

#include "base/text.h"
#include "domain/checked_values.h"
#include "domain/command_template.h"
#include "domain/cron.h"
#include "domain/project_shapes.h"
#include "domain/units.h"

namespace slipway {
namespace {

/// "scenes@main", or "scenes" for its branch main.
Result<void> check_branch(const std::string& text) {
  const size_t at = text.find('@');
  const bool fine = check_grammar_name(text.substr(0, at)).ok() &&
                    (at == std::string::npos || check_grammar_name(text.substr(at + 1)).ok());
  if (fine) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("found '{}'; expected a dataset and its branch, such as scenes@main", clean_utf8(text, 60))};
}

/// Turns a checked value into structs, and finds what the shapes cannot: references, and names that must exist.
class Reader {
 public:
  Reader(const Checked& checked, std::string_view file_name) : checked_(checked), file_name_(file_name) {}

  Result<ProjectFile> project_file();
  Result<Environment> environment(const Json& json, const std::string& path);
  Result<DatasetDeclaration> dataset(const Json& json, const std::string& path);
  Result<Step> step(const Json& json, const std::string& path);
  Resources resources(const Json& json);
  Result<Pipeline> pipeline(const Json& json, const std::string& path);

 private:
  Error at(const std::string& path, std::string_view sentence) const {
    const int line = checked_.line(path);
    const std::string place = line > 0 ? fmt::format("{}:{}: ", file_name_, line) : "";
    return Error{ErrorCode::invalid_argument, fmt::format("{}{}: {}", place, path, sentence)};
  }
  static std::string inside(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }
  /// An error of a pure check, put at its place in the file.
  template <typename T>
  Result<T> placed(const std::string& path, Result<T> result) const {
    if (!result.ok()) return at(path, result.error().message);
    return result;
  }
  Result<void> relative_path(const Json& json, std::string_view key, const std::string& path, std::string& into) {
    read(json, key, into);
    return into.empty() ? Result<void>() : placed(inside(path, key), check_relative_path(into));
  }
  /// `name` must be one of `things`, unless it is empty.
  template <typename T>
  Result<void> exists(const std::string& path, std::string_view what, const std::string& name,
                      const Named<T>& things) const;

  template <typename T, typename Make>
  Result<void> each(std::string_view section, Named<T>& into, Make make) {
    for (const auto& [name, value] : checked_.value[section].object()) {
      into.emplace_back(name, TRY((this->*make)(value, inside(std::string(section), name))));
    }
    return {};
  }

  Result<Parameter> parameter(const Json& json, const std::string& path);
  Result<Sweep> sweep(const Json& json, const std::string& path);
  Result<EvaluationDeclaration> evaluation(const Json& json, const std::string& path);
  Result<PipelineNode> node(const Json& json, const std::string& path);
  Result<Trigger> trigger(const Json& json, const std::string& path);
  Result<DeploymentDeclaration> deployment(const Json& json, const std::string& path);
  Result<void> cross_check(const ProjectFile& file);

  const Checked& checked_;
  const std::string file_name_;
};

template <typename T>
Result<void> Reader::exists(const std::string& path, std::string_view what, const std::string& name,
                            const Named<T>& things) const {
  if (name.empty() || find(things, name)) return {};
  std::vector<std::string> known;
  for (const auto& [key, thing] : things) known.push_back(key);
  const auto likely = nearest(name, known);
  return at(path, fmt::format("there is no {} '{}'{}", what, name,
                              likely          ? "; did you mean '" + *likely + "'?"
                              : known.empty() ? "; none is declared"
                                              : "; declared are " + join(known, ", ")));
}

Result<Environment> Reader::environment(const Json& json, const std::string& path) {
  Environment out;
  read(json, "interpreter", out.interpreter);
  read(json, "python", out.python);
  TRY(relative_path(json, "lock", path, out.lock));
  TRY(relative_path(json, "requirements", path, out.requirements));
  read(json, "site_packages", out.site_packages);
  read(json, "image", out.image);
  read(json, "variables", out.variables);
  const int kinds = !out.interpreter.empty() + !out.python.empty() + !out.image.empty();
  if (kinds != 1) return at(path, "expected exactly one of interpreter, python and image");
  if (out.python.empty() && (!out.lock.empty() || !out.requirements.empty() || out.site_packages)) {
    return at(path, "lock, requirements and site_packages go with python, which is missing");
  }
  if (!out.lock.empty() && !out.requirements.empty()) return at(path, "expected lock or requirements, not both");
  return out;
}

Result<DatasetDeclaration> Reader::dataset(const Json& json, const std::string& path) {
  DatasetDeclaration out;
  read(json, "key", out.key);
  for (const auto& [name, value] : json["streams"].object()) {
    Stream stream;
    read(value, "files", stream.files);
    read(value, "decode", stream.decode);
    read(value, "optional", stream.optional);
    read(value["align"], "to", stream.align_to);
    read(value["align"], "resize", stream.align_resize);
    out.streams.emplace_back(name, std::move(stream));
  }
  if (out.streams.empty()) return at(path, "a dataset needs at least one stream");
  for (const auto& [name, stream] : out.streams) {
    TRY(exists(inside(path, "streams." + name + ".align.to"), "stream", stream.align_to, out.streams));
    TRY(placed(inside(path, "streams." + name + ".files"), check_relative_path(stream.files)));
  }
  const auto& checks = json["checks"].array();
  for (size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].is_string()) {
      out.checks.push_back({checks[i].string(), nullptr});
    } else if (checks[i].object().size() == 1) {
      out.checks.push_back({checks[i].object()[0].first, checks[i].object()[0].second});
    } else {
      return at(fmt::format("{}.checks[{}]", path, i), "expected one check: its name, or its name with arguments");
    }
  }
  for (const auto& [name, value] : json["attributes"].object()) {
    Attribute attribute;
    read(value, "type", attribute.type);
    read(value, "from_key", attribute.from_key);
    read(value, "manifest", attribute.manifest);
    read(value, "column", attribute.column);
    read(value, "compute", attribute.compute);
    if (!attribute.from_key.empty() + !attribute.manifest.empty() + !attribute.compute.empty() != 1) {
      return at(inside(path, "attributes." + name), "expected exactly one of from_key, manifest and compute");
    }
    out.attributes.emplace_back(name, std::move(attribute));
  }
  if (const Json* pack = json.find("pack")) {
    out.pack.emplace();
    read(*pack, "format", out.pack->format);
    read(*pack, "shard_size", out.pack->shard_bytes);
  }
  return out;
}

Result<Parameter> Reader::parameter(const Json& json, const std::string& path) {
  Parameter out;
  const std::string& type = json["type"].string();
  out.type = type == "float"     ? ParameterType::real
             : type == "integer" ? ParameterType::integer
             : type == "boolean" ? ParameterType::boolean
                                 : ParameterType::text;
  read(json, "min", out.min);
  read(json, "max", out.max);
  read(json, "help", out.help);
  const std::string name = path.substr(path.rfind('.') + 1);
  Parameter unlimited;
  unlimited.type = out.type;
  for (const Json& choice : json["choices"].array()) {
    out.choices.push_back(TRY(placed(inside(path, "choices"), parameter_value(name, unlimited, choice))));
  }
  if (const Json* value = json.find("default"); value && !value->is_null()) {
    out.default_value = TRY(placed(inside(path, "default"), parameter_value(name, out, *value)));
  }
  return out;
}

Resources Reader::resources(const Json& json) {
  Resources out;
  read(json, "cpus", out.cpus);
  read(json, "memory", out.memory_bytes);
  read(json, "gpus", out.gpus);
  read(json, "nodes", out.nodes);
  read(json, "pool", out.pool);
  read(json, "spot", out.spot);
  return out;
}

Result<Step> Reader::step(const Json& json, const std::string& path) {
  Step out;
  read(json, "description", out.description);
  read(json, "environment", out.environment);
  read(json, "command", out.command);
  for (const auto& [name, value] : json["parameters"].object()) {
    out.parameters.emplace_back(name, TRY(parameter(value, inside(path, "parameters." + name))));
  }
  for (const auto& [name, value] : json["inputs"].object()) {
    out.inputs.emplace_back(name, TRY(placed(inside(path, "inputs." + name), parse_reference(value.string()))));
  }
  for (const auto& [name, value] : json["outputs"].object()) {
    StepOutput output;
    TRY(relative_path(value, "path", inside(path, "outputs." + name), output.path));
    read(value, "model", output.model);
    read(value, "dataset", output.dataset);
    read(value, "branch", output.branch);
    read(value, "optional", output.optional);
    if (!output.model.empty() && !output.dataset.empty())
      return at(inside(path, "outputs." + name), "expected model or dataset, not both");
    out.outputs.emplace_back(name, std::move(output));
  }
  read(json, "variables", out.variables);
  out.resources = resources(json["resources"]);
  read(json["limits"], "time", out.limits.time);
  read(json["limits"], "silence", out.limits.silence);
  read(json["limits"], "grace", out.limits.grace);
  read(json["retry"], "attempts", out.retry.attempts);
  read(json["retry"], "on", out.retry.on);

  std::map<std::string, std::string> holes;
  for (const auto& [name, value] : out.parameters) holes[name] = "";
  for (const auto& [name, value] : out.inputs) holes["inputs." + name] = "";
  for (const auto& [name, value] : out.outputs) holes["outputs." + name] = "";
  TRY(placed(inside(path, "command"), fill_template(out.command, holes)));
  return out;
}

Result<Sweep> Reader::sweep(const Json& json, const std::string& path) {
  Sweep out;
  read(json, "step", out.step);
  read(json["metric"], "name", out.metric);
  out.maximize = json["metric"]["goal"].string() == "maximize";
  read(json["searcher"], "name", out.searcher);
  read(json["searcher"], "max_trials", out.max_trials);
  read(json["searcher"], "max_concurrent", out.max_concurrent);
  read(json["searcher"], "seed", out.seed);
  for (const auto& [name, value] : json["parameters"].object()) {
    SweepParameter parameter;
    read(value, "type", parameter.type);
    read(value, "min", parameter.min);
    read(value, "max", parameter.max);
    read(value, "count", parameter.count);
    parameter.values = value["values"].array();
    const std::string where = inside(path, "parameters." + name);
    if (parameter.type == "choice" ? parameter.values.empty()
                                   : !parameter.min || !parameter.max || *parameter.min >= *parameter.max) {
      return at(where, parameter.type == "choice" ? "a choice needs values" : "expected min and max, min below max");
    }
    if (parameter.type == "log" && *parameter.min <= 0) return at(where, "a log range needs a min above 0");
    out.parameters.emplace_back(name, std::move(parameter));
  }
  return out;
}

Result<EvaluationDeclaration> Reader::evaluation(const Json& json, const std::string& path) {
  EvaluationDeclaration out;
  read(json, "task", out.task);
  out.dataset = TRY(placed(inside(path, "dataset"), parse_reference(json["dataset"].string())));
  if (out.dataset.kind != Reference::Kind::dataset)
    return at(inside(path, "dataset"), "expected a dataset, such as dataset:scenes@test");
  read(json, "input", out.input);
  read(json, "target", out.target);
  read(json, "slices", out.slices);
  return out;
}

Result<PipelineNode> Reader::node(const Json& json, const std::string& path) {
  PipelineNode out;
  read(json, "step", out.step);
  read(json, "evaluate", out.evaluate);
  read(json, "deploy", out.deploy);
  read(json, "sweep", out.sweep);
  if (!out.step.empty() + !out.evaluate.empty() + !out.deploy.empty() + !out.sweep.empty() != 1) {
    return at(path, "expected exactly one of step, evaluate, deploy and sweep");
  }
  for (const auto& [name, value] : json["parameters"].object()) out.parameters.emplace_back(name, value);
  read(json, "inputs", out.inputs);
  read(json, "model", out.model);
  read(json, "against", out.against);
  read(json, "dataset", out.dataset);
  for (const auto& [metric, rules] : json["require"].object()) {
    for (const Json& rule : rules.is_array() ? rules.array() : Json::Array{rules}) {
      Requirement requirement;
      requirement.metric = metric;
      read(rule, "no_worse_than", requirement.no_worse_than);
      read(rule, "better_by", requirement.better_by);
      read(rule, "at_least", requirement.at_least);
      read(rule, "at_most", requirement.at_most);
      read(rule, "on", requirement.on);
      out.require.push_back(std::move(requirement));
    }
  }
  read(json, "version", out.version);
  read(json, "strategy", out.strategy);
  read(json, "alias", out.alias);
  read(json, "after", out.after);
  if (!out.evaluate.empty() && out.model.empty()) return at(path, "the key 'model' is missing: what is evaluated");
  if (!out.deploy.empty() && out.version.empty()) return at(path, "the key 'version' is missing: what is deployed");
  return out;
}

Result<Trigger> Reader::trigger(const Json& json, const std::string& path) {
  Trigger out;
  read(json, "dataset", out.dataset);
  read(json, "cron", out.cron);
  read(json, "finding", out.finding);
  read(json, "deployment", out.deployment);
  read(json, "model", out.model);
  if (!out.dataset.empty() + !out.cron.empty() + !out.finding.empty() + !out.model.empty() != 1) {
    return at(path, "expected exactly one of dataset, cron, finding and model");
  }
  if (!out.deployment.empty() && out.finding.empty())
    return at(inside(path, "deployment"), "a deployment goes with a finding, which is missing");
  if (!out.dataset.empty()) TRY(placed(inside(path, "dataset"), check_branch(out.dataset)));
  if (!out.cron.empty()) TRY(placed(inside(path, "cron"), parse_cron(out.cron)));
  return out;
}

Result<Pipeline> Reader::pipeline(const Json& json, const std::string& path) {
  Pipeline out;
  for (const auto& [name, value] : json["nodes"].object()) {
    out.nodes.emplace_back(name, TRY(node(value, inside(path, "nodes." + name))));
  }
  const auto& triggers = json["triggers"].array();
  for (size_t i = 0; i < triggers.size(); ++i) {
    out.triggers.push_back(TRY(trigger(triggers[i], fmt::format("{}[{}]", inside(path, "triggers"), i))));
  }
  for (const auto& [name, value] : out.nodes) {
    for (const std::string& before : value.after)
      TRY(exists(inside(path, "nodes." + name + ".after"), "node", before, out.nodes));
  }
  return out;
}

Result<DeploymentDeclaration> Reader::deployment(const Json& json, const std::string& path) {
  DeploymentDeclaration out;
  out.model = TRY(placed(inside(path, "model"), parse_reference(json["model"].string())));
  if (out.model.kind != Reference::Kind::model)
    return at(inside(path, "model"), "expected a model, such as model:segmenter@production");
  if (const Json* replicas = json.find("replicas")) {
    if (replicas->is_integer()) out.replicas_min = out.replicas_max = *replicas->integer();
    read(*replicas, "min", out.replicas_min);
    out.replicas_max = std::max(out.replicas_max, out.replicas_min);
    read(*replicas, "max", out.replicas_max);
    if (out.replicas_min > out.replicas_max) return at(inside(path, "replicas"), "min is above max");
  }
  read(json["batch"], "max", out.batch_max);
  read(json["batch"], "delay", out.batch_delay);
  read(json["capture"], "sample", out.capture_sample);
  read(json["capture"], "always", out.capture_always);
  read(json["capture"], "low_confidence", out.low_confidence);
  for (const Json& value : json["alerts"].array()) {
    Alert alert;
    read(value, "when", alert.when);
    read(value, "for", alert.held_for);
    read(value, "to", alert.to);
    out.alerts.push_back(std::move(alert));
  }
  out.resources = resources(json["resources"]);
  return out;
}

Result<void> Reader::cross_check(const ProjectFile& file) {
  for (const auto& [name, step] : file.steps) {
    TRY(exists("steps." + name + ".environment", "environment", step.environment, file.environments));
  }
  for (const auto& [name, sweep] : file.sweeps) {
    TRY(exists("sweeps." + name + ".step", "step", sweep.step, file.steps));
    const Step* step = find(file.steps, sweep.step);
    for (const auto& [parameter, varied] : sweep.parameters) {
      TRY(exists("sweeps." + name + ".parameters." + parameter, "parameter", parameter, step->parameters));
    }
  }
  for (const auto& [name, pipeline] : file.pipelines) {
    for (const auto& [key, node] : pipeline.nodes) {
      const std::string path = "pipelines." + name + ".nodes." + key;
      TRY(exists(inside(path, "step"), "step", node.step, file.steps));
      TRY(exists(inside(path, "sweep"), "sweep", node.sweep, file.sweeps));
      TRY(exists(inside(path, "evaluate"), "evaluation", node.evaluate, file.evaluations));
      TRY(exists(inside(path, "deploy"), "deployment", node.deploy, file.deployments));
    }
  }
  return {};
}

Result<ProjectFile> Reader::project_file() {
  ProjectFile file;
  read(checked_.value, "project", file.project);
  TRY(placed("project", check_grammar_name(file.project)));
  TRY(each("environments", file.environments, &Reader::environment));
  TRY(each("datasets", file.datasets, &Reader::dataset));
  TRY(each("steps", file.steps, &Reader::step));
  TRY(each("sweeps", file.sweeps, &Reader::sweep));
  TRY(each("evaluations", file.evaluations, &Reader::evaluation));
  TRY(each("pipelines", file.pipelines, &Reader::pipeline));
  TRY(each("deployments", file.deployments, &Reader::deployment));
  TRY(cross_check(file));
  return file;
}

/// With lines of 0, as for everything that stood in no file.
YamlNode as_node(const Json& json) {
  YamlNode node;
  if (json.is_object()) {
    node.kind = YamlNode::Kind::map;
    for (const auto& [key, value] : json.object()) node.members.push_back({key, 0, as_node(value)});
  } else if (json.is_array()) {
    node.kind = YamlNode::Kind::list;
    for (const Json& item : json.array()) node.items.push_back(as_node(item));
  } else if (!json.is_null()) {
    node.kind = YamlNode::Kind::scalar;
    node.quoted = json.is_string();
    node.text = json.is_string() ? json.string() : json.render();
  }
  return node;
}

/// A part that stands alone. In errors its keys are called `path`.key, as the part lies in what the caller sent; ""
/// when it is that.
template <typename Read>
auto parse_part(const Json& json, const ShapePtr& shape, const std::string& path, Read read_part)
    -> std::invoke_result_t<Read, Reader&, const Json&> {
  Shape around{.kind = Shape::Kind::record};
  around.fields.push_back({path, shape, ""});
  const bool is_whole = path.empty();
  const Checked checked = TRY(
      check(as_node(is_whole ? json : Json(Json::Object{{path, json}})), is_whole ? *shape : around, "the request"));
  Reader reader(checked, "the request");
  return read_part(reader, is_whole ? checked.value : checked.value[path]);
}

}  // namespace

Result<const Step*> ProjectFile::step(std::string_view name) const {
  if (const Step* found = find(steps, name)) return found;
  std::vector<std::string> known;
  for (const auto& [key, value] : steps) known.push_back(key);
  const auto likely = nearest(name, known);
  return Error{ErrorCode::not_found,
               fmt::format("there is no step '{}' in slipway.yaml{}{}", clean_utf8(name, 100),
                           likely ? "; did you mean '" + *likely + "'?" : ";",
                           known.empty() ? " it declares no steps" : " there are " + join(known, ", "))};
}

Result<ProjectFile> parse_project_file(std::string_view text, std::string_view file_name) {
  if (text.size() > kProjectFileBytesMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("{}: is larger than {}", file_name, render_bytes(kProjectFileBytesMax))};
  }
  YamlNode root = TRY(parse_yaml(text, file_name));
  if (root.kind == YamlNode::Kind::null) root.kind = YamlNode::Kind::map;  // an empty file is an empty project
  const Checked checked = TRY(check(root, *shapes::project_file(), file_name));
  return Reader(checked, file_name).project_file();
}

Result<DatasetDeclaration> parse_dataset_declaration(const Json& json) {
  return parse_part(json, shapes::dataset(), "declaration",
                    [](Reader& r, const Json& v) { return r.dataset(v, "declaration"); });
}
Result<Environment> parse_environment(const Json& json) {
  return parse_part(json, shapes::environment(), "environment",
                    [](Reader& r, const Json& v) { return r.environment(v, "environment"); });
}
Result<Step> parse_step(const Json& json) {
  return parse_part(json, shapes::step(), "", [](Reader& r, const Json& v) { return r.step(v, ""); });
}
Result<Resources> parse_resources(const Json& json) {
  return parse_part(json, shapes::resources(), "resources",
                    [](Reader& r, const Json& v) -> Result<Resources> { return r.resources(v); });
}
Result<Pipeline> parse_pipeline(const Json& json) {
  return parse_part(json, shapes::pipeline(), "pipeline",
                    [](Reader& r, const Json& v) { return r.pipeline(v, "pipeline"); });
}

}  // namespace slipway
