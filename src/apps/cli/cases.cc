// slipway cases, findings, why: what production did, and the way back to the data.
#include <fmt/format.h>

#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "transfer.h"

namespace slipway::cli {
namespace {

std::string number(const Json& value) {
  const auto found = value.number();
  return found ? fmt::format("{:.3g}", *found) : "-";
}

constexpr std::uint64_t kTargetBytesMax = 64 << 20;

/// Sends the picture that --target names and puts its hash into the body; does nothing without the option.
Result<void> add_target(Context& context, const Arguments& arguments, Json& body) {
  if (!arguments.has("target")) return {};
  const std::string bytes = TRY(read_file(arguments.get("target"), kTargetBytesMax));
  const Hash hash = hash_of(bytes);
  TRY(send_blobs(context, {{hash, bytes.size(), "", bytes}}, "sending"));
  body.set("target", render(hash));
  return {};
}

/// What a case's right answer is, in a table.
std::string answer_of(const Json& c) {
  if (!c["label"].string().empty()) return c["label"].string();
  return c["target_hash"].is_null() ? "" : "(a picture)";
}

Result<std::string> case_path(Context& context, const Arguments& arguments) {
  return "/api/v1/cases/" + http::url_encode(TRY(resolve_id(context, arguments.get("case"), "/api/v1/cases", "cases")));
}

/// An answer's id as it was typed; `latest` is the answer of the newest case.
Result<std::string> find_answer(Context& context, const std::string& text) {
  const std::string id = TRY(resolve_id(context, text, "/api/v1/cases", "cases"));
  if (id == text) return text;
  return TRY(context.get("/api/v1/cases/" + http::url_encode(id)))["answer_id"].string();
}

Result<int> list_cases(Context& context, const Arguments& arguments) {
  std::string path = "/api/v1/cases?state=" + http::url_encode(arguments.get("state"));
  if (arguments.has("deployment")) path += "&deployment=" + http::url_encode(arguments.get("deployment"));
  const Json::Array cases =
      TRY(context.list(path, "cases", static_cast<size_t>(std::max<std::int64_t>(1, TRY(arguments.integer("most"))))));
  if (context.json()) {
    print_json(Json(Json::Object{}).set("cases", cases));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& c : cases) {
    rows.push_back({c["id"].string(), c["deployment"].string(), c["reason"].string(), c["state"].string(),
                    c["prediction"].string(), number(c["confidence"]), answer_of(c), render_ago(c["at"])});
  }
  print_table({"ID", "DEPLOYMENT", "REASON", "STATE", "PREDICTION", "CONFIDENCE", "LABEL", "WHEN"}, rows);
  return kExitOk;
}

Result<int> print_case(Context& context, const Json& c) {
  if (context.json())
    print_json(c);
  else
    std::printf("the case %s is %s now\n", c["id"].string().c_str(), c["state"].string().c_str());
  return kExitOk;
}

Result<int> label_case(Context& context, const Arguments& arguments) {
  Json body{Json::Object{}};
  TRY(add_target(context, arguments, body));
  if (arguments.has("label")) body.set("label", arguments.get("label"));
  if (body.object().empty())
    return Error{ErrorCode::invalid_argument,
                 "say what the right answer is: LABEL, or --target FILE for a picture such as a mask"};
  return print_case(context, TRY(context.patch(TRY(case_path(context, arguments)), body)));
}

Result<int> dismiss_case(Context& context, const Arguments& arguments) {
  return print_case(
      context, TRY(context.patch(TRY(case_path(context, arguments)), Json(Json::Object{}).set("state", "dismissed"))));
}

Result<int> send_cases(Context& context, const Arguments& arguments) {
  Json::Array ids;
  for (const std::string& id : arguments.all("case"))
    ids.emplace_back(TRY(resolve_id(context, id, "/api/v1/cases", "cases")));
  Json body{Json::Object{}};
  body.set("case_ids", std::move(ids))
      .set("deployment", arguments.get("deployment"))
      .set("dataset", arguments.get("dataset"))
      .set("branch", arguments.get("branch"));
  body.set("hold_out", TRY(arguments.number("hold-out")))
      .set("hold_out_branch", arguments.get("hold-out-branch"))
      .set("slice", arguments.get("slice"));
  const Json sent = TRY(context.post("/api/v1/cases/send", body));
  if (context.json()) {
    print_json(sent);
    return kExitOk;
  }
  std::printf("%zu cases are samples of %s@%s now, in commit %s\n", sent["sent"].array().size(),
              arguments.get("dataset").c_str(), arguments.get("branch").c_str(), sent["commit_id"].string().c_str());
  if (!sent["held_out"].array().empty()) {
    std::printf("%zu are held out on %s@%s, in commit %s\n", sent["held_out"].array().size(),
                arguments.get("dataset").c_str(), arguments.get("hold-out-branch").c_str(),
                sent["held_out_commit_id"].string().c_str());
  }
  return kExitOk;
}

Result<int> give_feedback(Context& context, const Arguments& arguments) {
  Json body{Json::Object{}};
  body.set("answer_id", TRY(find_answer(context, arguments.get("answer"))));
  if (arguments.has("label")) body.set("label", arguments.get("label"));
  if (arguments.has("right")) body.set("correct", true);
  if (arguments.has("wrong")) body.set("correct", false);
  if (arguments.has("comment")) body.set("comment", arguments.get("comment"));
  TRY(add_target(context, arguments, body));
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
  for (const Json& f : answer["findings"].array())
    rows.push_back({f["id"].string(), f["kind"].string(), f["state"].string(), f["message"].string(),
                    render_ago(f["created_at"])});
  print_table({"ID", "KIND", "STATE", "WHAT", "SINCE"}, rows);
  return kExitOk;
}

Result<int> close_finding(Context& context, const Arguments& arguments) {
  const std::string id = TRY(resolve_id(context, arguments.get("finding"), "/api/v1/findings?state=open", "findings"));
  const Json answer =
      TRY(context.patch("/api/v1/findings/" + http::url_encode(id), Json(Json::Object{}).set("state", "closed")));
  if (context.json())
    print_json(answer);
  else
    std::printf("the finding %s is closed\n", id.c_str());
  return kExitOk;
}

Result<int> run_why(Context& context, const Arguments& arguments) {
  const Json why =
      TRY(context.get("/api/v1/why/" + http::url_encode(TRY(find_answer(context, arguments.get("answer"))))));
  if (context.json()) {
    print_json(why);
    return kExitOk;
  }
  for (const Json& link : why["chain"].array()) {
    std::printf("%-14s %s\n", link["kind"].string().c_str(), link["title"].string().c_str());
    if (!link["detail"].string().empty()) std::printf("%-14s %s\n", "", link["detail"].string().c_str());
    if (!link["url"].string().empty())
      std::printf("%-14s %s\n", "", (context.settings().url + link["url"].string()).c_str());
  }
  return kExitOk;
}

}  // namespace

void add_cases(Commands& commands) {
  const Positional one_case{.name = "case", .help = "As `slipway cases list` shows it, or `latest`"};
  const Option target{
      .name = "target", .value_name = "FILE", .help = "The right answer as a PNG, such as the mask of a segmentation"};
  commands.push_back({.path = "cases list",
                      .summary = "Requests of production that were kept",
                      .details = "",
                      .example = "slipway cases list --deployment digits --state open",
                      .positionals = {},
                      .options = {{.name = "deployment", .value_name = "NAME", .help = "Only of this deployment"},
                                  {.name = "state",
                                   .value_name = "STATE",
                                   .help = "open, labelled, sent, held_out or dismissed [any]"},
                                  {.name = "most", .value_name = "N", .help = "How many at most", .otherwise = "100"}},
                      .run = list_cases});
  commands.push_back({.path = "cases label",
                      .summary = "Say what the right answer is",
                      .details = "",
                      .example = "slipway cases label latest 7\n  slipway cases label latest~1 --target mask.png",
                      .positionals = {one_case, {.name = "label", .help = "The right answer", .required = false}},
                      .options = {target},
                      .run = label_case});
  commands.push_back({.path = "cases dismiss",
                      .summary = "Nothing to learn from it",
                      .details = "",
                      .example = "slipway cases dismiss latest",
                      .positionals = {one_case},
                      .options = {},
                      .run = dismiss_case});
  commands.push_back(
      {.path = "cases send",
       .summary = "Put labelled cases on a branch of a dataset",
       .details = "Without case ids: all labelled ones of the deployment.",
       .example = "slipway cases send digits --deployment digits --branch cases --hold-out 0.3 --slice inverted",
       .positionals = {{.name = "dataset", .help = "The dataset's name"},
                       {.name = "case", .help = "Only these", .required = false, .repeatable = true}},
       .options =
           {{.name = "deployment", .value_name = "NAME", .help = "Of which deployment"},
            {.name = "branch", .value_name = "NAME", .help = "Where to", .otherwise = "cases"},
            {.name = "hold-out", .value_name = "SHARE", .help = "Share that training does not get", .otherwise = "0"},
            {.name = "hold-out-branch", .value_name = "NAME", .help = "Where those go", .otherwise = "test"},
            {.name = "slice", .value_name = "NAME", .help = "Value of their attribute `slice`"}},
       .run = send_cases});
  commands.push_back(
      {.path = "feedback",
       .summary = "Say whether an answer was right",
       .details = "",
       .example = "slipway feedback latest --label 7\n  slipway feedback latest --wrong --target mask.png",
       .positionals = {{.name = "answer",
                        .help = "The answer's id (header X-Slipway-Answer-Id), or `latest` for the newest case's"}},
       .options = {{.name = "label", .value_name = "TEXT", .help = "The right answer"},
                   target,
                   {.name = "right", .help = "It was right"},
                   {.name = "wrong", .help = "It was wrong"},
                   {.name = "comment", .value_name = "TEXT", .help = "Anything else"}},
       .run = give_feedback});
}

void add_findings(Commands& commands) {
  commands.push_back({.path = "findings list",
                      .summary = "What the monitor noticed",
                      .details = "",
                      .example = "slipway findings list",
                      .positionals = {},
                      .options = {{.name = "all", .help = "Closed ones, too"}},
                      .run = list_findings});
  commands.push_back({.path = "findings close",
                      .summary = "It is taken care of",
                      .details = "",
                      .example = "slipway findings close latest",
                      .positionals = {{.name = "finding", .help = "Its id, or `latest`"}},
                      .options = {},
                      .run = close_finding});
}

void add_why(Commands& commands) {
  commands.push_back(
      {.path = "why",
       .summary = "Where an answer came from: model, run, code, data, environment, person, machine",
       .details = "",
       .example = "slipway why latest",
       .positionals = {{.name = "answer",
                        .help = "The answer's id (header X-Slipway-Answer-Id), or `latest` for the newest case's"}},
       .options = {},
       .run = run_why});
}

}  // namespace slipway::cli
