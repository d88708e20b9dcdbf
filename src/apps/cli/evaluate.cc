// slipway evaluate: how good a version is on a dataset, slice by slice.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

constexpr Duration kPollInterval = std::chrono::milliseconds(300);

std::string percent(const Json& value) {
  const auto number = value.number();
  return number ? fmt::format("{:.1f}%", *number * 100) : "-";
}

std::vector<std::string> score_row(const std::string& slice, const Json& metrics) {
  for (const auto& [metric, score] : metrics.object()) {
    return {slice,
            metric,
            percent(score["value"]),
            percent(score["low"]),
            percent(score["high"]),
            std::to_string(score["n"].integer().value_or(0))};
  }
  return {slice, "-", "-", "-", "-", "0"};
}

void print_evaluation(const Json& evaluation) {
  std::vector<std::vector<std::string>> rows = {score_row("all", evaluation["metrics"])};
  for (const Json& slice : evaluation["slices"].array())
    rows.push_back(score_row(slice["name"].string(), slice["metrics"]));
  print_table({"SLICE", "METRIC", "VALUE", "95% FROM", "TO", "SAMPLES"}, rows);
}

Result<Json> wait_for(Context& context, Json evaluation) {
  const std::string path = "/api/v1/evaluations/" + evaluation["id"].string();
  while (evaluation["state"].string() == "running") {
    std::this_thread::sleep_for(kPollInterval);
    evaluation = TRY(context.get(path));
  }
  return evaluation;
}

Result<Json> request_of(const Arguments& arguments) {
  Json slices{Json::Object{}};
  for (const std::string& slice : arguments.all("slice")) {
    const size_t equals = slice.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{ErrorCode::invalid_argument,
                   "--slice is NAME=QUERY, for example --slice \"thick=stroke > 4\"; found '" + slice + "'"};
    slices.set(slice.substr(0, equals), std::string(trim(std::string_view(slice).substr(equals + 1))));
  }
  Json::Array slice_by;
  for (const std::string& attribute : arguments.all("slice-by")) slice_by.emplace_back(attribute);
  Json body{Json::Object{}};
  body.set("model", arguments.get("model"))
      .set("dataset", arguments.get("dataset"))
      .set("task", arguments.get("task"))
      .set("slices", std::move(slices))
      .set("slice_by", std::move(slice_by));
  if (arguments.has("name")) body.set("name", arguments.get("name"));
  if (arguments.has("input")) body.set("input", arguments.get("input"));
  if (arguments.has("target")) body.set("target", arguments.get("target"));
  return body;
}

Result<int> run_evaluate(Context& context, const Arguments& arguments) {
  const Json evaluation = TRY(wait_for(context, TRY(context.post("/api/v1/evaluations", TRY(request_of(arguments))))));
  const bool finished = evaluation["state"].string() == "finished";
  if (context.json()) {
    print_json(evaluation);
  } else if (finished) {
    print_fields({{"evaluation", evaluation["id"].string()},
                  {"model", evaluation["model"].string() + " version " +
                                std::to_string(evaluation["version"].integer().value_or(0))},
                  {"dataset", evaluation["dataset"].string() + " at " + evaluation["commit_id"].string()},
                  {"page", context.settings().url + "/evaluations/" + evaluation["id"].string()}});
    print_evaluation(evaluation);
  } else {
    return Error{ErrorCode::internal, "the evaluation failed: " + evaluation["message"].string() + "; `slipway logs " +
                                          evaluation["run_id"].string() + "` shows what its run said"};
  }
  return finished ? kExitOk : kExitFailed;
}

Result<int> list_evaluations(Context& context, const Arguments& arguments) {
  std::string path = "/api/v1/evaluations";
  if (arguments.has("model")) path += "?model=" + http::url_encode(arguments.get("model"));
  const Json::Array evaluations = TRY(context.list(path, "evaluations", 1000));
  if (context.json()) {
    print_json(Json(Json::Object{}).set("evaluations", evaluations));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& e : evaluations) {
    const auto score = score_row("all", e["metrics"]);
    rows.push_back({e["id"].string(), e["model"].string() + "/" + std::to_string(e["version"].integer().value_or(0)),
                    e["dataset"].string(), e["state"].string(), score[1], score[2], render_ago(e["created_at"])});
  }
  print_table({"ID", "MODEL", "DATASET", "STATE", "METRIC", "VALUE", "WHEN"}, rows);
  return kExitOk;
}

Result<int> compare_evaluations(Context& context, const Arguments& arguments) {
  const std::string left = TRY(resolve_id(context, arguments.get("left"), "/api/v1/evaluations", "evaluations"));
  const std::string right = TRY(resolve_id(context, arguments.get("right"), "/api/v1/evaluations", "evaluations"));
  const Json comparison =
      TRY(context.get("/api/v1/evaluations/" + http::url_encode(left) + "/compare/" + http::url_encode(right)));
  if (context.json()) {
    print_json(comparison);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& slice : comparison["slices"].array()) {
    rows.push_back({slice["name"].string(), percent(slice["left"]["value"]), percent(slice["right"]["value"]),
                    percent(slice["low"]) + " to " + percent(slice["high"]), slice["verdict"].string(),
                    std::to_string(slice["n"].integer().value_or(0))});
  }
  print_table({"SLICE", "LEFT", "RIGHT", "CHANGE (95%)", "VERDICT", "SAMPLES"}, rows);
  return kExitOk;
}

}  // namespace

void add_evaluate(Commands& commands) {
  commands.push_back(
      {.path = "evaluate",
       .summary = "Evaluate a model version on a dataset, slice by slice",
       .details = "",
       .example =
           "slipway evaluate model:digits/1 dataset:digits@test --slice-by label --slice \"dark=brightness < 0.1\"",
       .positionals = {{.name = "model", .help = "model:NAME/VERSION or model:NAME@ALIAS"},
                       {.name = "dataset", .help = "dataset:NAME@BRANCH"}},
       .options =
           {{.name = "task",
             .value_name = "TASK",
             .help = "classification or segmentation",
             .otherwise = "classification"},
            {.name = "slice",
             .value_name = "NAME=QUERY",
             .help = "A slice by a query over attributes and results",
             .repeatable = true},
            {.name = "slice-by", .value_name = "ATTRIBUTE", .help = "A slice for each value of it", .repeatable = true},
            {.name = "input", .value_name = "STREAM", .help = "The stream the model sees [the only pictures]"},
            {.name = "target",
             .value_name = "STREAM",
             .help = "The stream that is right, for segmentation [the only other pictures]"},
            {.name = "name", .value_name = "TEXT", .help = "What to call it"}},
       .run = run_evaluate});
  commands.push_back({.path = "evaluations list",
                      .summary = "Evaluations, newest first",
                      .details = "",
                      .example = "slipway evaluations list --model digits",
                      .positionals = {},
                      .options = {{.name = "model", .value_name = "NAME", .help = "Only of this model"}},
                      .run = list_evaluations});
  commands.push_back({.path = "evaluations compare",
                      .summary = "Two evaluations on the samples both have",
                      .details = "",
                      .example = "slipway evaluations compare latest~1 latest",
                      .positionals = {{.name = "left", .help = "The one before: an id, or `latest~1`"},
                                      {.name = "right", .help = "The one after"}},
                      .options = {},
                      .run = compare_evaluations});
}

}  // namespace slipway::cli
