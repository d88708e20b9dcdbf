#include "domain/run_spec.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

ProjectFile file() {
  auto parsed = parse_project_file(R"(
environments: {host: {interpreter: /usr/bin/python3}}
steps:
  train:
    environment: host
    command: python train.py --lr {lr} --name {name} --data {inputs.digits} --to {outputs.model}
    parameters:
      lr: {type: float, default: 0.01}
      name: {type: string}
    inputs: {digits: "dataset:digits@main"}
    outputs: {model: {path: model.onnx, model: digits}, plots: {optional: true}}
    resources: {cpus: 2, memory: 1GiB}
    limits: {time: 1h, silence: 90s}
    retry: {attempts: 2, on: [node_lost]}
)");
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return *parsed;
}

TEST(RunSpec, takes_given_values_over_defaults) {
  const auto spec = make_run_spec(file(), "train", {{"name", "x"}, {"lr", "0.5"}}, {{"digits", "dataset:digits@fix"}});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(find(spec->parameters, "lr")->number(), 0.5);
  EXPECT_EQ(spec->environment.interpreter, "/usr/bin/python3");
  EXPECT_EQ(spec->inputs[0].second.at, "fix");
}

TEST(RunSpec, mistakes_are_sentences) {
  EXPECT_EQ(make_run_spec(file(), "train", {}).error().message,
            "step 'train' needs a value for the parameter 'name', which has no default; give it with name=VALUE");
  EXPECT_EQ(make_run_spec(file(), "train", {{"nmae", "x"}}).error().message,
            "step 'train' has no parameter 'nmae'; did you mean 'name'?");
  EXPECT_EQ(make_run_spec(file(), "tarin", {}).error().code, ErrorCode::not_found);
  EXPECT_FALSE(make_run_spec(file(), "train", {{"name", "x"}}, {{"digit", "dataset:a"}}).ok());
}

TEST(RunSpec, round_trip) {
  auto spec = make_run_spec(file(), "train", {{"name", "x y"}});
  spec->snapshot = std::string(64, 'a');
  const auto again = parse_run_spec(*Json::parse(to_json(*spec).render()));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(*again == *spec) << to_json(*again).render() << "\n" << to_json(*spec).render();
}

TEST(RunSpec, a_body_that_makes_no_sense_is_refused) {
  for (const char* text :
       {"{}", R"({"command": " "})", R"({"command": "x {lr}"})", R"({"command": "x", "parameters": {"../a": 1}})",
        R"({"command": "x", "parameters": {"a": [1]}})", R"({"command": "x", "inputs": {"a": "nothing"}})",
        R"({"command": "x", "outputs": {"a": {"path": "/etc/passwd"}}})",
        R"({"command": "x", "limits": {"time_s": -1}})", R"({"command": "x", "limits": {"time_s": "6h"}})",
        R"({"command": "x", "snapshot": "../../etc"})", R"({"command": "x", "resources": {"cpus": "lots"}})",
        R"({"command": "x", "retry": {"attempts": 0}})", R"({"command": "x", "environment": {"pyhton": "3"}})"}) {
    EXPECT_FALSE(parse_run_spec(*Json::parse(text)).ok()) << text;
  }
}

TEST(RunSpec, an_error_names_the_member_of_the_body_and_no_file) {
  const auto said = [](const char* text) { return parse_run_spec(*Json::parse(text)).error().message; };
  EXPECT_EQ(said(R"({"command": "x", "inputs": {"a": "nothing"}})").find("inputs.a: "), 0u);
  EXPECT_EQ(said(R"({"command": "x", "outputs": {"a": {"path": "/etc/passwd"}}})").find("outputs.a"), 0u);
  EXPECT_EQ(said(R"({"command": "x", "resources": {"cpus": "lots"}})").find("resources.cpus: found text 'lots'"), 0u);
  EXPECT_EQ(said(R"({"command": "x", "retry": {"attempts": 0}})").find("retry.attempts: "), 0u);
  EXPECT_EQ(said(R"({"command": "x", "environment": {"pyhton": "3"}})")
                .find("environment.pyhton: unknown key 'pyhton'; did you mean 'python'?"),
            0u);
  EXPECT_EQ(said(R"({"command": "x", "environment": "torch"})"), "environment: found string; expected an object");
  EXPECT_EQ(said(R"({"command": "x", "parameters": [1]})"), "parameters: found array; expected an object");
  EXPECT_EQ(said(R"({"command": 5})"), "command: found integer; expected a string");
}

}  // namespace
}  // namespace slipway
