// slipway cases, findings, why: what production did, and the way back to the data.
#include <fmt/format.h>

#include <cstdio>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

std::string number(const Json& value) {
  const auto found = value.number();
  return found ? fmt::format("{:.3g}", *found) : "-";
}

std::string case_path(const Arguments& arguments) { return "/api/v1/cases/" + http::url_encode(arguments.get("case")); }

Result<int> list_cases(Context& context, const Arguments& arguments) {
  std::string path = "/api/v1/cases?state=" + http::url_encode(arguments.get("state"));
  if (arguments.has("deployment")) path += "&deployment=" + http::url_encode(arguments.get("deployment"));
  const Json::Array cases = TRY(context.list(path, "cases", static_cast<size_t>(std::max<std::int64_t>(1, TRY(arguments.integer("most"))))));
  if (context.json()) {
    print_json(Json(Json::Object{}).set("cases", cases));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& c : cases) {
    rows.push_back({c["id"].string(), c["deployment"].string(), c["reason"].string(), c["state"].string(), c["prediction"].string(), number(c["confidence"]), c["label"].string(), render_ago(c["at"])});
  }
  print_table({"ID", "DEPLOYMENT", "REASON", "STATE", "PREDICTION", "CONFIDENCE", "LABEL", "WHEN"}, rows);
  return kExitOk;
}

Result<int> label_case(Context& context, const Arguments& arguments) {
  const Json answer = TRY(context.patch(case_path(arguments), Json(Json::Object{}).set("label", arguments.get("label"))));
  if (context.json()) print_json(answer);
  return kExitOk;
}

Result<int> dismiss_case(Context& context, const Arguments& arguments) {
  const Json answer = TRY(context.patch(case_path(arguments), Json(Json::Object{}).set("state", "dismissed")));
  if (context.json()) print_json(answer);
  return kExitOk;
}

Result<int> send_cases(Context& context, const Arguments& arguments) {
  Json::Array ids;
  for (const std::string& id : arguments.all("case")) ids.emplace_back(id);
  Json body{Json::Object{}};
  body.set("case_ids", std::move(ids)).set("deployment", arguments.get("deployment")).set("dataset", arguments.get("dataset")).set("branch", arguments.get("branch"));
  body.set("hold_out", TRY(arguments.number("hold-out"))).set("hold_out_branch", arguments.get("hold-out-branch")).set("slice", arguments.get("slice"));
  const Json sent = TRY(context.post("/api/v1/cases/send", body));
  if (context.json()) {
    print_json(sent);
    return kExitOk;
  }
  std::printf("%zu cases are samples of %s@%s now, in commit %s\n", sent["sent"].array().size(), arguments.get("dataset").c_str(), arguments.get("branch").c_str(), sent["commit_id"].string().c_str());
  if (!sent["held_out"].array().empty()) {
    std::printf("%zu are held out on %s@%s, in commit %s\n", sent["held_out"].array().size(), arguments.get("dataset").c_str(), arguments.get("hold-out-branch").c_str(), sent["held_out_commit_id"].string().c_str());
  }
  return kExitOk;
}

Result<int> give_feedback(Context& context, const Arguments& arguments) {
  Json body{Json::Object{}};
  body.set("answer_id", arguments.get("answer"));
  if (arguments.has("label")) body.set("label", arguments.get("label"));
  if (arguments.has("right")) body.set("correct", true);
  if (arguments.has("wrong")) body.set("correct", false);
  if (arguments.has("comment")) body.set("comment", arguments.get("comment"));
  const Json answer = TRY(context.post("/api/v1/feedback", body));
  if (context.json()) {
    print_json(answer);
  } else {
    std::printf("kept as case %s\n", answer["case_id"].string().c_str());
  }
  return kExitOk;
}

Result<int> list_findings(Context& context, const Arguments& arguments) {
  const Json answer = TRY(context.get("/api/v1/findings" + std::string(arguments.has("all") ? "" : "?state=open")));
  if (context.json()) {
    print_json(answer);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& f : answer["findings"].array()) rows.push_back({f["id"].string(), f["kind"].string(), f["state"].string(), f["message"].string(), render_ago(f["created_at"])});
  print_table({"ID", "KIND", "STATE", "WHAT", "SINCE"}, rows);
  return kExitOk;
}

Result<int> close_finding(Context& context, const Arguments& arguments) {
  const Json answer = TRY(context.patch("/api/v1/findings/" + http::url_encode(arguments.get("finding")), Json(Json::Object{}).set("state", "closed")));
  if (context.json()) print_json(answer);
  return kExitOk;
}

Result<int> run_why(Context& context, const Arguments& arguments) {
  const Json why = TRY(context.get("/api/v1/why/" + http::url_encode(arguments.get("answer"))));
  if (context.json()) {
    print_json(why);
    return kExitOk;
  }
  for (const Json& link : why["chain"].array()) {
    std::printf("%-14s %s\n", link["kind"].string().c_str(), link["title"].string().c_str());
    if (!link["detail"].string().empty()) std::printf("%-14s %s\n", "", link["detail"].string().c_str());
    if (!link["url"].string().empty()) std::printf("%-14s %s\n", "", (context.settings().url + link["url"].string()).c_str());
  }
  return kExitOk;
}

}  // namespace

void add_cases(Commands& commands) {
  const Positional one_case{.name = "case", .help = "As `slipway cases list` shows it"};
  commands.push_back({.path = "cases list", .summary = "Requests of production that were kept", .details = "", .example = "slipway cases list --deployment digits --state open", .positionals = {},
                      .options = {{.name = "deployment", .value_name = "NAME", .help = "Only of this deployment"},
                                  {.name = "state", .value_name = "STATE", .help = "open, labelled, sent, held_out or dismissed [any]"},
                                  {.name = "most", .value_name = "N", .help = "How many at most", .otherwise = "100"}},
                      .run = list_cases});
  commands.push_back({.path = "cases label", .summary = "Say what the right answer is", .details = "", .example = "slipway cases label 01JC4ZT0M4W2V1E8Q7X9K3N5PB 7", .positionals = {one_case, {.name = "label", .help = "The right answer"}}, .options = {}, .run = label_case});
  commands.push_back({.path = "cases dismiss", .summary = "Nothing to learn from it", .details = "", .example = "slipway cases dismiss 01JC4ZT0M4W2V1E8Q7X9K3N5PB", .positionals = {one_case}, .options = {}, .run = dismiss_case});
  commands.push_back({.path = "cases send", .summary = "Put labelled cases on a branch of a dataset", .details = "Without case ids: all labelled ones of the deployment.",
                      .example = "slipway cases send digits --deployment digits --branch cases --hold-out 0.3 --slice inverted",
                      .positionals = {{.name = "dataset", .help = "The dataset's name"}, {.name = "case", .help = "Only these", .required = false, .repeatable = true}},
                      .options = {{.name = "deployment", .value_name = "NAME", .help = "Of which deployment"}, {.name = "branch", .value_name = "NAME", .help = "Where to", .otherwise = "cases"},
                                  {.name = "hold-out", .value_name = "SHARE", .help = "Share that training does not get", .otherwise = "0"},
                                  {.name = "hold-out-branch", .value_name = "NAME", .help = "Where those go", .otherwise = "test"},
                                  {.name = "slice", .value_name = "NAME", .help = "Value of their attribute `slice`"}},
                      .run = send_cases});
  commands.push_back({.path = "feedback", .summary = "Say whether an answer was right", .details = "", .example = "slipway feedback ANSWER --label 7",
                      .positionals = {{.name = "answer", .help = "The answer's id (header X-Slipway-Answer-Id)"}},
                      .options = {{.name = "label", .value_name = "TEXT", .help = "The right answer"}, {.name = "right", .help = "It was right"}, {.name = "wrong", .help = "It was wrong"}, {.name = "comment", .value_name = "TEXT", .help = "Anything else"}},
                      .run = give_feedback});
}

void add_findings(Commands& commands) {
  commands.push_back({.path = "findings list", .summary = "What the monitor noticed", .details = "", .example = "slipway findings list", .positionals = {}, .options = {{.name = "all", .help = "Closed ones, too"}}, .run = list_findings});
  commands.push_back({.path = "findings close", .summary = "It is taken care of", .details = "", .example = "slipway findings close 01JC4ZT0M4W2V1E8Q7X9K3N5PB", .positionals = {{.name = "finding", .help = "Its id"}}, .options = {}, .run = close_finding});
}

void add_why(Commands& commands) {
  commands.push_back({.path = "why", .summary = "Where an answer came from: model, run, code, data, environment, person, machine", .details = "", .example = "slipway why ANSWER", .positionals = {{.name = "answer", .help = "The answer's id (header X-Slipway-Answer-Id)"}}, .options = {}, .run = run_why});
}

}  // namespace slipway::cli
