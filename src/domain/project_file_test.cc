#include "domain/project_file.h"

#include <gtest/gtest.h>

#include "domain/yaml.h"

namespace slipway {
namespace {

constexpr std::string_view kWhole = R"(project: inspection

environments:
  torch: {python: "3.11", lock: uv.lock}
  host:  {interpreter: /usr/bin/python3, variables: {OMP_NUM_THREADS: 1}}
  cuda:  {image: "registry.example/torch@sha256:0123"}

datasets:
  scenes:
    key: "{site}/{frame}"
    streams:
      rgb:   {files: "raw/{site}/{frame}.jpg", decode: image}
      mask:  {files: "labels/{site}/{frame}.png", decode: labels, optional: false}
      depth: {files: "depth/{site}/{frame}.png", decode: depth16, align: {to: rgb, resize: nearest}}
    checks: [all_streams_present, {same_size: [rgb, mask]}, {labels_in: {mask: [0, 1, 2]}}]
    attributes:
      site: {from_key: site}
      lux:  {manifest: meta.csv, column: lux, type: float}
      brightness: {compute: brightness(rgb), type: float}
    pack: {format: webdataset, shard_size: 128MiB}

steps:
  train:
    environment: torch
    command: python train.py --lr {lr} --epochs {epochs} --data {inputs.scenes}
    parameters:
      lr:     {type: float, default: 0.01, min: 0}
      epochs: {type: integer, default: 2}
      mode:   {type: string, choices: [fast, full], default: fast}
    inputs:  {scenes: "dataset:scenes@main"}
    outputs: {model: {path: model.onnx, model: segmenter}}
    resources: {cpus: 4, memory: 16GiB, gpus: 1, nodes: 1, pool: any, spot: allowed}
    limits:  {time: 6h, silence: 20m}
    retry:   {attempts: 3, on: [preempted, node_lost]}

sweeps:
  lr:
    step: train
    metric: {name: val_iou, goal: maximize}
    searcher: {name: adaptive_asha, max_trials: 32, max_concurrent: 4}
    parameters: {lr: {type: log, min: 1e-4, max: 1e-1}}

evaluations:
  segmentation:
    task: segmentation
    dataset: "dataset:scenes@test"
    slices: {night: "lux < 10", small: "mask_area < 0.01"}

pipelines:
  refresh:
    nodes:
      train:  {step: train}
      check:  {evaluate: segmentation, model: train.model, against: "model:segmenter@production",
               require: {iou: [{no_worse_than: 0.005, on: [all, night, small]}, {at_least: 0.5}]}}
      ship:   {deploy: segmenter, version: train.model, strategy: canary, after: [check]}
    triggers: [{dataset: scenes@main}, {cron: "0 3 * * *"}, {finding: drift, deployment: segmenter}]

deployments:
  segmenter:
    model: "model:segmenter@production"
    replicas: {min: 0, max: 4}
    batch: {max: 16, delay: 2ms}
    capture: {sample: 1%, always: [error, low_confidence, flagged]}
    alerts: [{when: p99_latency > 50ms, for: 5m, to: "webhook:ops"}]
)";

TEST(ProjectFile, the_whole_grammar_is_read) {
  const auto file = parse_project_file(kWhole);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->project, "inspection");
  EXPECT_EQ(find(file->environments, "torch")->python, "3.11");
  EXPECT_EQ(find(file->environments, "host")->variables[0].second, "1");
  const DatasetDeclaration& scenes = *find(file->datasets, "scenes");
  EXPECT_EQ(find(scenes.streams, "depth")->align_to, "rgb");
  EXPECT_EQ(scenes.checks[1].name, "same_size");
  EXPECT_EQ(scenes.pack->shard_bytes, 128ull << 20);
  const Step& train = *find(file->steps, "train");
  EXPECT_EQ(train.resources.memory_bytes, 16ull << 30);
  EXPECT_EQ(*train.limits.silence, std::chrono::minutes(20));
  EXPECT_EQ(find(train.parameters, "lr")->default_value->number(), 0.01);
  EXPECT_EQ(train.inputs[0].second.at, "main");
  const Pipeline& refresh = *find(file->pipelines, "refresh");
  EXPECT_EQ(find(refresh.nodes, "check")->require.size(), 2u);
  EXPECT_EQ(refresh.triggers[1].cron, "0 3 * * *");
  const DeploymentDeclaration& segmenter = *find(file->deployments, "segmenter");
  EXPECT_EQ(segmenter.batch_delay, std::chrono::milliseconds(2));
  EXPECT_DOUBLE_EQ(segmenter.capture_sample, 0.01);
  EXPECT_EQ(segmenter.alerts[0].held_for, std::chrono::minutes(5));
}

TEST(ProjectFile, what_is_rendered_reads_back_as_the_same) {
  const auto file = parse_project_file(kWhole);
  ASSERT_TRUE(file.ok());
  const std::string text = render(*file);
  const auto again = parse_project_file(text);
  ASSERT_TRUE(again.ok()) << again.error().message << "\n" << text;
  EXPECT_TRUE(*again == *file) << text;
  EXPECT_EQ(render(*again), text);
}

TEST(ProjectFile, parts_read_back_from_json) {
  const auto file = parse_project_file(kWhole);
  const Step& train = *find(file->steps, "train");
  const auto step = parse_step(*Json::parse(to_json(train).render()));
  ASSERT_TRUE(step.ok()) << step.error().message;
  EXPECT_TRUE(*step == train);
  const auto scenes = parse_dataset_declaration(to_json(file->datasets[0].second));
  ASSERT_TRUE(scenes.ok()) << scenes.error().message;
  EXPECT_TRUE(*scenes == file->datasets[0].second);
  const auto refresh = parse_pipeline(to_json(file->pipelines[0].second));
  ASSERT_TRUE(refresh.ok()) << refresh.error().message;
  EXPECT_TRUE(*refresh == file->pipelines[0].second);
  for (const auto& [name, environment] : file->environments)
    EXPECT_TRUE(*parse_environment(to_json(environment)) == environment);
}

TEST(ProjectFile, an_empty_file_is_an_empty_project) {
  EXPECT_EQ(parse_project_file("")->project, "default");
  EXPECT_TRUE(parse_project_file("# nothing\nsteps:\n")->steps.empty());
}

struct Bad {
  const char* text;
  const char* message;  // the start of the error
};

TEST(ProjectFile, every_mistake_names_file_line_path_and_what_was_meant) {
  const Bad all[] = {
      {"steps:\n  train:\n    comand: x\n",
       "slipway.yaml:3: steps.train.comand: unknown key 'comand'; did you mean 'command'?"},
      {"stepz: {}\n", "slipway.yaml:1: stepz: unknown key 'stepz'; did you mean 'steps'?"},
      {"qqqqqqqqqq: 1\n", "slipway.yaml:1: qqqqqqqqqq: unknown key 'qqqqqqqqqq'; known here: project, environments"},
      {"steps: 7\n", "slipway.yaml:1: steps: found an integer '7'; expected a map"},
      {"steps:\n  train: [a]\n", "slipway.yaml:2: steps.train: found a list; expected a map"},
      {"steps:\n  train: {}\n", "slipway.yaml:2: steps.train: the key 'command' is missing"},
      {"steps:\n  t:\n    command: {a: b}\n", "slipway.yaml:3: steps.t.command: found a map; expected text"},
      {"steps:\n  t:\n    command: x {lrr}\n    parameters: {lr: {type: float}}\n",
       "slipway.yaml:3: steps.t.command: the command names {lrr}, which is no parameter, input or output; did you mean {lr}?"},
      {"steps:\n  t:\n    command: x\n    parameters:\n      lr: {type: flaot}\n",
       "slipway.yaml:5: steps.t.parameters.lr.type: found 'flaot'; did you mean 'float'?"},
      {"steps:\n  t:\n    command: x\n    parameters:\n      lr: {type: float, default: fast}\n",
       "slipway.yaml:5: steps.t.parameters.lr.default: parameter 'lr': found 'fast'; expected a value of type float"},
      {"steps:\n  t:\n    command: x\n    parameters:\n      n: {type: integer, default: 5, max: 3}\n",
       "slipway.yaml:5: steps.t.parameters.n.default: parameter 'n': found 5; expected a value of type integer, at most 3"},
      {"steps:\n  t:\n    command: x\n    resources: {cpus: many}\n",
       "slipway.yaml:4: steps.t.resources.cpus: found text 'many'; expected a number of at least 0"},
      {"steps:\n  t:\n    command: x\n    resources: {cpus: -1}\n",
       "slipway.yaml:4: steps.t.resources.cpus: found an integer '-1'"},
      {"steps:\n  t:\n    command: x\n    resources: {gpus: 1.5}\n",
       "slipway.yaml:4: steps.t.resources.gpus: found a number '1.5'"},
      {"steps:\n  t:\n    command: x\n    resources: {memory: 16 apples}\n",
       "slipway.yaml:4: steps.t.resources.memory: '16 apples' is not a size"},
      {"steps:\n  t:\n    command: x\n    limits: {time: 6}\n",
       "slipway.yaml:4: steps.t.limits.time: '6' is not a duration"},
      {"steps:\n  t:\n    command: x\n    retry: {on: [moonlight]}\n",
       "slipway.yaml:4: steps.t.retry.on[0]: found text 'moonlight'; expected one of"},
      {"steps:\n  t:\n    command: x\n    inputs: {a: scenes}\n",
       "slipway.yaml:4: steps.t.inputs.a: 'scenes' does not say"},
      {"steps:\n  t:\n    command: x\n    outputs: {a: {path: ../up}}\n",
       "slipway.yaml:4: steps.t.outputs.a.path: the path '../up'"},
      {"steps:\n  t:\n    command: x\n    outputs: {a: {path: /abs}}\n",
       "slipway.yaml:4: steps.t.outputs.a.path: the path '/abs' is absolute"},
      {"steps:\n  t:\n    command: x\n    environment: torch\nenvironments:\n  torhc: {interpreter: /usr/bin/python3}\n",
       "slipway.yaml:4: steps.t.environment: there is no environment 'torch'; did you mean 'torhc'?"},
      {"steps:\n  a/b: {command: x}\n", "slipway.yaml:2: steps: 'a/b' cannot be a name"},
      {"environments:\n  a: {interpreter: x, python: y}\n", "slipway.yaml:2: environments.a: expected exactly one of"},
      {"environments:\n  a: {interpreter: x, lock: y}\n", "slipway.yaml:2: environments.a: lock, requirements"},
      {"environments:\n  a: {python: x, lock: ../y}\n", "slipway.yaml:2: environments.a.lock: the path '../y'"},
      {"environments:\n  a: {python: \"3\", site_packages: maybe}\n",
       "slipway.yaml:2: environments.a.site_packages: found text 'maybe'; expected true or false"},
      {"datasets:\n  d:\n    key: k\n    streams: {}\n",
       "slipway.yaml:2: datasets.d: a dataset needs at least one stream"},
      {"datasets:\n  d:\n    key: k\n    streams:\n      a: {files: x, align: {to: b}}\n",
       "slipway.yaml:5: datasets.d.streams.a.align.to: there is no stream 'b'"},
      {"deployments:\n  d: {model: \"dataset:x@y\"}\n", "slipway.yaml:2: deployments.d.model: expected a model"},
      {"deployments:\n  d: {model: \"model:x@y\", capture: {sample: 3}}\n",
       "slipway.yaml:2: deployments.d.capture.sample: '3' is not a share"},
      {"deployments:\n  d: {model: \"model:x@y\", replicas: {min: 3, max: 2}}\n",
       "slipway.yaml:2: deployments.d.replicas: min is above max"},
      {"pipelines:\n  p:\n    nodes:\n      a: {step: nope}\n",
       "slipway.yaml:4: pipelines.p.nodes.a.step: there is no step 'nope'; none is declared"},
      {"pipelines:\n  p:\n    nodes:\n      a: {}\n",
       "slipway.yaml:4: pipelines.p.nodes.a: expected exactly one of step"},
      {"pipelines:\n  p: {nodes: {}, triggers: [{}]}\n",
       "slipway.yaml:2: pipelines.p.triggers[0]: expected exactly one of"},
      {"pipelines:\n  p:\n    nodes: {}\n    triggers:\n      - {datset: a@main}\n",
       "slipway.yaml:5: pipelines.p.triggers[0].datset: unknown key 'datset'; did you mean 'dataset'?"},
      {"pipelines:\n  p: {nodes: {}, triggers: [{cron: 0 25 * * *}]}\n",
       "slipway.yaml:2: pipelines.p.triggers[0].cron: '25' is no hour; expected 0 to 23"},
      {"pipelines:\n  p: {nodes: {}, triggers: [{cron: daily}]}\n",
       "slipway.yaml:2: pipelines.p.triggers[0].cron: found 1 fields in 'daily'; expected five"},
      {"pipelines:\n  p: {nodes: {}, triggers: [{dataset: \"dataset:a@main\"}]}\n",
       "slipway.yaml:2: pipelines.p.triggers[0].dataset: found 'dataset:a@main'; expected a dataset and its branch"},
      {"pipelines:\n  p: {nodes: {}, triggers: [{finding: drfit}]}\n",
       "slipway.yaml:2: pipelines.p.triggers[0].finding: found 'drfit'; did you mean 'drift'?"},
      {"pipelines:\n  p: {nodes: {}, triggers: [{model: m, deployment: d}]}\n",
       "slipway.yaml:2: pipelines.p.triggers[0].deployment: a deployment goes with a finding"},
      {"sweeps:\n  s: {step: t, metric: {name: m}, parameters: {}}\n",
       "slipway.yaml:2: sweeps.s.step: there is no step 't'"},
      {"a: b\na: c\n", "slipway.yaml:2: the key 'a' appears twice (first in line 1)"},
      {"a: [1\n", "slipway.yaml:2: not valid YAML"},
      {"- a\n", "slipway.yaml:1: found a list; expected a map"},
      {"a: 1\n---\nb: 2\n", "slipway.yaml: holds more than one document"},
      {"\xff\xfe", "slipway.yaml: not valid UTF-8"},
      {"? [a]\n: b\n", "slipway.yaml:1: a key must be text"},
      {"project: ../x\n", "slipway.yaml:1: project: '../x' cannot be a name"},
  };
  for (const Bad& bad : all) {
    const auto file = parse_project_file(bad.text);
    ASSERT_FALSE(file.ok()) << bad.text;
    EXPECT_TRUE(file.error().message.starts_with(bad.message))
        << bad.text << "\n got: " << file.error().message << "\nwant: " << bad.message;
    EXPECT_EQ(file.error().code, ErrorCode::invalid_argument);
  }
}

TEST(ProjectFile, a_small_file_cannot_unfold_into_a_huge_one) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += (i ? ", *" : "*") + before;
    bomb += "]\n";
  }
  const auto file = parse_project_file(bomb);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::too_large) << file.error().message;
  EXPECT_EQ(parse_project_file("a: " + std::string(100, '[') + std::string(100, ']')).error().code,
            ErrorCode::too_large);
  EXPECT_FALSE(parse_project_file(std::string(10'000, '[')).ok());
  std::string dashes;
  for (int i = 0; i < 100'000; ++i) dashes += "- ";
  EXPECT_FALSE(parse_project_file(dashes).ok());
  EXPECT_EQ(parse_project_file(std::string(2 << 20, ' ')).error().code, ErrorCode::too_large);
}

TEST(ProjectFile, a_step_that_does_not_exist_names_the_ones_that_do) {
  const auto file = parse_project_file("steps:\n  train: {command: x}\n  test: {command: y}\n");
  EXPECT_TRUE(file->step("train").ok());
  const auto missing = file->step("trian");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message,
            "there is no step 'trian' in slipway.yaml; did you mean 'train'? there are train, test");
}

TEST(ProjectFile, merge_keys_are_obeyed) {
  const auto file =
      parse_project_file("steps:\n  a: &a {command: x, resources: {cpus: 3}}\n  b:\n    <<: *a\n    command: y\n");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(find(file->steps, "b")->command, "y");
  EXPECT_EQ(find(file->steps, "b")->resources.cpus, 3);
}

TEST(Parameter, values_are_read_as_their_type) {
  const Parameter real{ParameterType::real, {}, 0.0, 1.0, {}, ""};
  EXPECT_EQ(parameter_value("lr", real, Json("0.5"))->number(), 0.5);
  EXPECT_EQ(parameter_value("lr", real, Json(1))->number(), 1.0);
  EXPECT_FALSE(parameter_value("lr", real, Json("nan")).ok());
  EXPECT_FALSE(parameter_value("lr", real, Json("2")).ok());
  EXPECT_FALSE(parameter_value("lr", real, Json(true)).ok());
  const Parameter integer{ParameterType::integer, {}, {}, {}, {}, ""};
  EXPECT_FALSE(parameter_value("n", integer, Json("1.5")).ok());
  EXPECT_EQ(parameter_value("n", integer, Json("-3"))->integer(), -3);
  const Parameter text{ParameterType::text, {}, {}, {}, {}, ""};
  EXPECT_EQ(parameter_value("t", text, Json(3))->string(), "3");
  EXPECT_FALSE(parameter_value("t", text, Json(nullptr)).ok());
}

TEST(Reference, round_trip_and_mistakes) {
  for (const char* text : {"dataset:a@main", "model:m@production", "model:m/3", "run:0123abc/out/model.onnx"}) {
    const auto reference = parse_reference(text);
    ASSERT_TRUE(reference.ok()) << reference.error().message;
    EXPECT_EQ(render(*reference), text);
  }
  EXPECT_EQ(render(*parse_reference("dataset:a")), "dataset:a@main");
  for (const char* text :
       {"", "a", "dataset:", "dataset:@x", "dataset:a@", "dataset:a/3", "model:m", "model:m/0", "model:m/x", "run:x",
        "run:x/../y", "run:/y", "blob:x@y", "dataset:../x@main", "dataset:a@../b"}) {
    EXPECT_FALSE(parse_reference(text).ok()) << text;
  }
}

TEST(Schema, is_json_and_refuses_unknown_keys) {
  const auto schema = Json::parse(slipway_yaml_schema());
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ((*schema)["additionalProperties"].boolean(), false);
  EXPECT_FALSE((*schema)["properties"]["steps"]["additionalProperties"]["properties"]["command"].is_null());
}

TEST(Yaml, rendered_values_read_back) {
  const auto value = Json::parse(
      R"({"a": "plain", "b": "3.11", "c": 3.5, "d": [1, [], {}, {"x": "y: z"}, [1, [2]]], "e": {"f": null, "g": true},
      "true": "true", "h": "", "i": "- x", "j": "#c", "k": "a\nb", "l": "\u00e9 \u0001", "m": 1e300, "n": "~", "o": "1e5", "p": "a: b"})");
  ASSERT_TRUE(value.ok());
  const std::string text = render_yaml(*value);
  const auto node = parse_yaml(text, "t");
  ASSERT_TRUE(node.ok()) << node.error().message << "\n" << text;
  EXPECT_EQ(yaml_value(*node).render(), value->render()) << text;
}

}  // namespace
}  // namespace slipway
