#include "domain/project_shapes.h"

#include "domain/project_file.h"

namespace slipway::shapes {
namespace {

using Kind = Shape::Kind;

ShapePtr make(Shape shape) { return std::make_shared<const Shape>(std::move(shape)); }

ShapePtr simple(Kind kind, std::string format = "") {
  Shape shape;
  shape.kind = kind;
  shape.format = std::move(format);
  return make(std::move(shape));
}

ShapePtr record(std::vector<Field> fields) {
  Shape shape;
  shape.kind = Kind::record;
  shape.fields = std::move(fields);
  return make(std::move(shape));
}

ShapePtr of(Kind kind, ShapePtr item) {
  Shape shape;
  shape.kind = kind;
  shape.item = std::move(item);
  return make(std::move(shape));
}

ShapePtr map_of(ShapePtr item) { return of(Kind::map, std::move(item)); }
ShapePtr list_of(ShapePtr item) { return of(Kind::list, std::move(item)); }

ShapePtr choice(std::vector<std::string> choices) {
  Shape shape;
  shape.kind = Kind::choice;
  shape.choices = std::move(choices);
  return make(std::move(shape));
}

ShapePtr ranged(Kind kind, double min, double max = 9e15) {
  Shape shape;
  shape.kind = kind;
  shape.min = min;
  shape.max = max;
  return make(std::move(shape));
}

ShapePtr either(std::vector<ShapePtr> alternatives) {
  Shape shape;
  shape.kind = Kind::either;
  shape.alternatives = std::move(alternatives);
  return make(std::move(shape));
}

ShapePtr text() { return simple(Kind::text); }
ShapePtr reference() { return simple(Kind::text, "a reference such as dataset:scenes@main"); }
ShapePtr number() { return simple(Kind::number); }
ShapePtr boolean() { return simple(Kind::boolean); }
ShapePtr duration() { return simple(Kind::duration); }
ShapePtr bytes() { return simple(Kind::bytes); }
ShapePtr fraction() { return simple(Kind::fraction); }
ShapePtr any() { return simple(Kind::any); }
ShapePtr count() { return ranged(Kind::integer, 0, 1e9); }
ShapePtr positive() { return ranged(Kind::integer, 1, 1e9); }
ShapePtr texts() { return list_of(text()); }

ShapePtr stream() {
  return record({
      {"files", text(), "pattern of the stream's files, with {fields} of the key", true},
      {"decode", choice({"image", "labels", "depth16", "label", "text", "json", "audio", "number", "bytes"}),
       "how the bytes are read"},
      {"optional", boolean(), "a sample may lack it"},
      {"align",
       record({{"to", text(), "the stream whose shape this one takes", true},
               {"resize", choice({"nearest", "linear", "area"}), "how it is resized"}}),
       "brings the stream to another one's shape"},
  });
}

ShapePtr attribute() {
  return record({
      {"type", choice({"text", "integer", "float", "boolean"}), "what its values are"},
      {"from_key", text(), "a field of the key pattern"},
      {"manifest", text(), "a CSV or Parquet file in the dataset's folder that has the key's fields as columns"},
      {"column", text(), "the column of the manifest"},
      {"compute", text(), "a statistic of a stream, such as brightness(rgb)"},
  });
}

ShapePtr parameter() {
  return record({
      {"type", choice({"float", "integer", "string", "boolean"}), "what its values are", true},
      {"default", any(), "taken when nobody gives a value; without it a value must be given"},
      {"min", number(), "smallest value"},
      {"max", number(), "largest value"},
      {"choices", list_of(any()), "the only values"},
      {"help", text(), "a sentence for people"},
  });
}

ShapePtr output() {
  return record({
      {"path", text(), "file or folder below the run's directory; without it $SLIPWAY_OUTPUTS/<name>"},
      {"model", text(), "becomes a version of this model"},
      {"dataset", text(), "becomes a commit of this dataset"},
      {"branch", text(), "branch of the dataset; main when absent"},
      {"optional", boolean(), "the run may end without it"},
  });
}

ShapePtr limits() {
  return record({
      {"time", duration(), "longest time of one attempt"},
      {"silence", duration(), "longest time without output"},
      {"grace", duration(), "between SIGTERM and SIGKILL; 10s when absent"},
  });
}

ShapePtr retry() {
  return record({
      {"attempts", ranged(Kind::integer, 1, 100), "how often the run is tried in all"},
      {"on", list_of(choice({"preempted", "node_lost", "failed"})), "after which ends it is tried again"},
  });
}

ShapePtr sweep() {
  const ShapePtr varied = record({
      {"type", choice({"uniform", "log", "integer", "choice"}), "how values are drawn"},
      {"min", number(), "smallest value"},
      {"max", number(), "largest value"},
      {"count", positive(), "points of a grid"},
      {"values", list_of(any()), "the values of a choice"},
  });
  return record({
      {"step", text(), "the step whose parameters are searched", true},
      {"metric",
       record({{"name", text(), "key of the metric", true},
               {"goal", choice({"maximize", "minimize"}), "which way is better"}}),
       "what decides", true},
      {"searcher",
       record({{"name", choice({"random", "grid", "asha", "adaptive_asha"}), "how the space is searched"},
               {"max_trials", positive(), "runs in all"},
               {"max_concurrent", positive(), "runs at once"},
               {"seed", simple(Kind::integer), "makes the search repeatable"}}),
       "how the space is searched"},
      {"parameters", map_of(varied), "what is varied", true},
  });
}

ShapePtr evaluation() {
  return record({
      {"task", choice({"classification", "segmentation", "detection", "regression"}), "what is measured", true},
      {"dataset", reference(), "the samples", true},
      {"input", text(), "the stream the model sees"},
      {"target", text(), "the stream or attribute it should answer"},
      {"slices", map_of(text()), "named queries over samples"},
  });
}

ShapePtr requirement() {
  return record({
      {"no_worse_than", number(), "may lose at most this against the other version"},
      {"better_by", number(), "must gain more than this against the other version"},
      {"at_least", number(), "smallest value"},
      {"at_most", number(), "largest value"},
      {"on", texts(), "slices; all when absent"},
  });
}

ShapePtr node() {
  return record({
      {"step", text(), "runs this step"},
      {"evaluate", text(), "makes this evaluation"},
      {"deploy", text(), "moves this deployment"},
      {"sweep", text(), "runs this sweep"},
      {"parameters", map_of(any()), "parameters of the step"},
      {"inputs", map_of(text()),
       "inputs in place of the step's own: references, or outputs of other nodes (train.model)"},
      {"model", text(), "what is evaluated: a reference or an output"},
      {"against", text(), "what it is compared with"},
      {"dataset", text(), "in place of the evaluation's own"},
      {"require", map_of(either({requirement(), list_of(requirement())})), "what each metric must satisfy"},
      {"version", text(), "what is deployed: a reference or an output"},
      {"strategy", choice({"replace", "canary", "blue_green", "shadow"}), "how the traffic moves"},
      {"alias", text(), "the alias that is moved; production when absent"},
      {"after", texts(), "nodes that must end first"},
  });
}

ShapePtr trigger() {
  return record({
      {"dataset", text(), "a commit on this branch: scenes@main"},
      {"cron", text(), "minute hour day month weekday, in UTC: 0 3 * * *"},
      {"finding", choice({"drift", "errors", "latency", "low_confidence"}), "a finding of this kind"},
      {"deployment", text(), "the deployment the finding is about; any when absent"},
      {"model", text(), "a new version of this model"},
  });
}

ShapePtr deployment() {
  return record({
      {"model", reference(), "what answers: model:segmenter@production", true},
      {"replicas",
       either({ranged(Kind::integer, 0, 1000), record({{"min", count(), "fewest"}, {"max", positive(), "most"}})}),
       "running copies"},
      {"batch", record({{"max", positive(), "largest batch"}, {"delay", duration(), "longest wait for others"}}),
       "dynamic batching"},
      {"capture",
       record({{"sample", fraction(), "share of requests kept"},
               {"always", list_of(choice({"error", "low_confidence", "flagged", "drift"})), "kept whatever the share"},
               {"low_confidence", fraction(), "below it an answer counts as unsure"}}),
       "which requests become cases"},
      {"alerts",
       list_of(record({{"when", text(), "a condition such as p99_latency > 50ms", true},
                       {"for", duration(), "how long it must hold"},
                       {"to", text(), "webhook:NAME or mail:ADDRESS", true}})),
       "who is told of what"},
      {"resources", resources(), "what each replica may use"},
  });
}

}  // namespace

const ShapePtr& environment() {
  static const ShapePtr shape = record({
      {"interpreter", text(), "the host's Python at this path, with the packages it has"},
      {"python", text(), "version or path of the Python that the packages of the lock are put on"},
      {"lock", text(), "uv.lock or pylock.toml"},
      {"requirements", text(), "requirements.txt"},
      {"site_packages", boolean(), "python: the interpreter's own packages are seen too"},
      {"image", text(), "an OCI image by digest"},
      {"variables", map_of(text()), "environment variables"},
  });
  return shape;
}

const ShapePtr& dataset() {
  static const ShapePtr shape = record({
      {"key", text(), "pattern that names a sample, such as {site}/{frame}", true},
      {"streams", map_of(stream()), "the aligned parts of a sample", true},
      {"checks", list_of(either({text(), map_of(any())})), "what must hold before a commit"},
      {"attributes", map_of(attribute()), "values to filter and slice by"},
      {"pack",
       record(
           {{"format", choice({"webdataset"}), "format of the shards"}, {"shard_size", bytes(), "bytes of a shard"}}),
       "how loaders read it"},
  });
  return shape;
}

const ShapePtr& resources() {
  static const ShapePtr shape = record({
      {"cpus", ranged(Kind::number, 0, 1e5), "cores"},
      {"memory", bytes(), "main memory"},
      {"gpus", count(), "accelerators"},
      {"nodes", positive(), "machines"},
      {"pool", text(), "the pool that may run it; any when absent"},
      {"spot", choice({"never", "allowed", "required"}), "machines that may be taken away"},
  });
  return shape;
}

const ShapePtr& step() {
  static const ShapePtr shape = record({
      {"description", text(), "a sentence for people"},
      {"environment", text(), "a name under environments"},
      {"command", text(), "what /bin/sh -c runs; {name}, {inputs.name} and {outputs.name} are replaced", true},
      {"parameters", map_of(parameter()), "typed values of the command"},
      {"inputs", map_of(reference()), "what lies under $SLIPWAY_INPUTS/<name>"},
      {"outputs", map_of(output()), "what is kept"},
      {"variables", map_of(text()), "environment variables"},
      {"resources", resources(), "what it may use"},
      {"limits", limits(), "when it is stopped"},
      {"retry", retry(), "when it is tried again"},
  });
  return shape;
}

const ShapePtr& pipeline() {
  static const ShapePtr shape = record({
      {"nodes", map_of(node()), "what is done", true},
      {"triggers", list_of(trigger()), "when it starts by itself"},
  });
  return shape;
}

const ShapePtr& project_file() {
  static const ShapePtr shape = record({
      {"project", text(), "the project on the server; default when absent"},
      {"environments", map_of(environment()), "what commands need to run"},
      {"datasets", map_of(dataset()), "named histories of samples"},
      {"steps", map_of(step()), "commands"},
      {"sweeps", map_of(sweep()), "searches over parameters"},
      {"evaluations", map_of(evaluation()), "how models are measured"},
      {"pipelines", map_of(pipeline()), "graphs of steps"},
      {"deployments", map_of(deployment()), "models behind endpoints"},
  });
  return shape;
}

}  // namespace slipway::shapes

namespace slipway {

std::string slipway_yaml_schema() {
  Json schema{Json::Object{}};
  schema.set("$schema", "https://json-schema.org/draft/2020-12/schema").set("title", "slipway.yaml");
  const Json grammar = json_schema(*shapes::project_file());
  for (const auto& [key, value] : grammar.object()) schema.set(key, value);
  return schema.render();
}

}  // namespace slipway
