// slipway retention: what of a project's runs is deleted by itself.
#include <cstdio>

#include "base/text.h"
#include "cli.h"
#include "domain/units.h"

namespace slipway::cli {
namespace {

constexpr double kDay_us = 86'400'000'000.0;

std::string size_of(const Json& number) {
  return render_bytes(static_cast<std::uint64_t>(number.integer().value_or(0)));
}
long long whole(const Json& number) { return static_cast<long long>(number.integer().value_or(0)); }

void print_rules(const Json& retention) {
  const auto& sentences = retention["sentences"].array();
  if (sentences.empty()) std::puts("no rules: nothing is deleted by itself");
  for (size_t i = 0; i < sentences.size(); ++i) std::printf("%zu  %s\n", i + 1, sentences[i].string().c_str());
  if (!retention["member"].is_null())
    std::printf("\nset by %s %s%s\n", retention["member"].string().c_str(), render_ago(retention["updated_at"]).c_str(),
                retention["applied_at"].is_null() ? ", not applied yet"
                                                  : (", applied " + render_ago(retention["applied_at"])).c_str());
}

Result<int> tell(Context& context, const Json& retention) {
  if (context.json())
    print_json(retention);
  else
    print_rules(retention);
  return kExitOk;
}

Result<int> show(Context& context, const Arguments&) { return tell(context, TRY(context.get("/api/v1/retention"))); }

Result<Json> rule_of(const Arguments& arguments) {
  Json rule;
  rule.set("experiment", arguments.get("experiment"));
  if (arguments.has("best")) rule.set("keep_best", TRY(arguments.integer("best")));
  if (arguments.has("metric")) rule.set("metric", arguments.get("metric")).set("goal", arguments.get("goal"));
  if (arguments.has("last")) rule.set("keep_last", TRY(arguments.integer("last")));
  const auto after = parse_duration(arguments.get("after"));
  if (!after.ok()) return context(after.error(), "in --after");
  return rule.set("after_days", static_cast<double>(after->count()) / kDay_us).set("delete", arguments.get("delete"));
}

/// In front of the others when `first`, because the first rule that matches an experiment counts.
Result<int> add(Context& context, const Arguments& arguments) {
  const Json now = TRY(context.get("/api/v1/retention"));
  Json::Array rules = now["rules"].array();
  const Json rule = TRY(rule_of(arguments));
  rules.insert(arguments.has("first") ? rules.begin() : rules.end(), rule);
  return tell(context, TRY(context.put("/api/v1/retention", Json().set("rules", std::move(rules)))));
}

Result<int> remove(Context& context, const Arguments& arguments) {
  const Json now = TRY(context.get("/api/v1/retention"));
  Json::Array rules = now["rules"].array();
  const std::int64_t number = TRY(arguments.integer("number"));
  if (number < 1 || number > static_cast<std::int64_t>(rules.size()))
    return Error{ErrorCode::not_found, "there is no rule " + std::to_string(number) + "; the project has " +
                                           std::to_string(rules.size()) + ", `slipway retention show` lists them"};
  rules.erase(rules.begin() + (number - 1));
  return tell(context, TRY(context.put("/api/v1/retention", Json().set("rules", std::move(rules)))));
}

Result<int> print_choice(Context& context, const Json& choice, const char* done) {
  if (context.json()) {
    print_json(choice);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : choice["runs"].array())
    rows.push_back({run["id"].string(), clean_utf8(run["name"].string(), 40),
                    clean_utf8(run["experiment_name"].string(), 40),
                    run["deletes"].string() == "runs" ? "the run" : "its artifacts", size_of(run["bytes"])});
  if (!rows.empty()) {
    print_table({"RUN", "NAME", "EXPERIMENT", "WHAT", "SIZE"}, rows);
    std::puts("");
  }
  std::printf("%lld of %lld runs (%s) %s; %lld more stay because something needs them\n", whole(choice["run_count"]),
              whole(choice["looked_at"]), size_of(choice["bytes"]).c_str(), done, whole(choice["needed_count"]));
  return kExitOk;
}

Result<int> preview(Context& context, const Arguments&) {
  return print_choice(context, TRY(context.post("/api/v1/retention/preview", Json(Json::Object{}))),
                      "would be deleted");
}

Result<int> apply(Context& context, const Arguments&) {
  return print_choice(context, TRY(context.post("/api/v1/retention/apply", Json(Json::Object{}))), "were deleted");
}

}  // namespace

void add_retention(Commands& commands) {
  commands.push_back({.path = "retention show",
                      .summary = "What of the project's runs is deleted by itself",
                      .details = "",
                      .example = "slipway retention show",
                      .positionals = {},
                      .options = {},
                      .run = show});
  commands.push_back(
      {.path = "retention add",
       .summary = "Add a rule",
       .details =
           "Of each experiment that the rule is about some runs stay: the best, the last, pinned ones (with the tag "
           "slipway.pinned), those that are not over, and those that something needs. Of the others the artifacts, or the "
           "runs, are deleted some time after they ended. The first rule that matches an experiment counts. Deleted runs "
           "can be restored until `slipway gc` removes them for good. For admins.",
       .example = "slipway retention add --best 5 --metric val_loss --goal minimize --last 10 --after 30d\n"
                  "  slipway retention add --experiment 'tmp-*' --delete runs --after 7d --first",
       .positionals = {},
       .options =
           {{.name = "experiment", .value_name = "NAME", .help = "whose runs; * stands for any text", .otherwise = "*"},
            {.name = "best", .value_name = "N", .help = "so many of the best runs stay"},
            {.name = "metric", .value_name = "KEY", .help = "by whose latest value"},
            {.name = "goal", .value_name = "GOAL", .help = "minimize or maximize", .otherwise = "minimize"},
            {.name = "last", .value_name = "N", .help = "so many of the runs stay that started last"},
            {.name = "after",
             .value_name = "AGE",
             .help = "of the others goes what ended so long ago",
             .required = true},
            {.name = "delete", .value_name = "WHAT", .help = "artifacts or runs", .otherwise = "artifacts"},
            {.name = "first", .help = "before the other rules, not behind them"}},
       .run = add});
  commands.push_back({.path = "retention remove",
                      .summary = "Remove a rule",
                      .details = "",
                      .example = "slipway retention remove 1",
                      .positionals = {{.name = "number", .help = "as `slipway retention show` counts"}},
                      .options = {},
                      .run = remove});
  commands.push_back({.path = "retention preview",
                      .summary = "What the rules would delete now",
                      .details = "",
                      .example = "slipway retention preview",
                      .positionals = {},
                      .options = {},
                      .run = preview});
  commands.push_back({.path = "retention apply",
                      .summary = "Delete now what the rules let go, instead of within the hour",
                      .details = "",
                      .example = "slipway retention apply",
                      .positionals = {},
                      .options = {},
                      .run = apply});
}

}  // namespace slipway::cli
