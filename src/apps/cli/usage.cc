// slipway usage: what a project takes, in bytes.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

constexpr size_t kBarCharacters = 30;
constexpr size_t kNameBytesShown = 40;

std::int64_t whole(const Json& number) { return number.integer().value_or(0); }
std::string size_of(const Json& number) { return render_bytes(static_cast<std::uint64_t>(whole(number))); }

/// As long as its share of `most`; something for everything that is there.
std::string bar(std::int64_t bytes, std::int64_t most) {
  if (bytes <= 0 || most <= 0) return "";
  const double share = static_cast<double>(bytes) / static_cast<double>(most);
  return std::string(std::max<size_t>(1, static_cast<size_t>(std::lround(share * kBarCharacters))), '#');
}

void print_bars(const char* what, const Json::Array& lines, const char* name, bool with_runs) {
  if (lines.empty()) return;
  std::int64_t most = 0;
  for (const Json& line : lines) most = std::max(most, whole(line["bytes"]));
  std::vector<std::vector<std::string>> rows;
  for (const Json& line : lines) {
    std::vector<std::string> row = {clean_utf8(line[name].string(), kNameBytesShown), size_of(line["bytes"])};
    if (row[0].empty()) row[0] = "(nobody said)";
    if (with_runs) row.push_back(std::to_string(whole(line["run_count"])));
    row.push_back(bar(whole(line["bytes"]), most));
    rows.push_back(std::move(row));
  }
  if (with_runs)
    print_table({what, "SIZE", "RUNS", ""}, rows);
  else
    print_table({what, "SIZE", ""}, rows);
  std::puts("");
}

void print_usage(const std::string& project, const Json& usage) {
  std::printf("%s takes %s\n\n", project.c_str(), size_of(usage["bytes"]).c_str());
  print_bars("KIND", usage["kinds"].array(), "kind", false);
  print_bars("EXPERIMENT", usage["experiments"].array(), "name", true);
  print_bars("USER", usage["users"].array(), "name", true);
  std::printf(
      "Each content counts once in the project; without that %s more. Below, files count for each run that names them.\n",
      size_of(usage["shared_bytes"]).c_str());
  if (whole(usage["deleted_bytes"]) > 0)
    std::printf("%s of it are of deleted runs; `slipway gc --dry-run` says what can go.\n",
                size_of(usage["deleted_bytes"]).c_str());
  const long long waiting = whole(usage["waiting_run_count"]), measured = whole(usage["run_count"]);
  if (waiting > 0) std::printf("%lld of %lld runs are still to be measured.\n", waiting, measured + waiting);
}

/// The projects that were asked for, by name.
Result<std::vector<std::string>> projects_of(Context& context, const Arguments& arguments) {
  if (!arguments.has("all-projects")) return std::vector<std::string>{context.settings().project};
  std::vector<std::string> names;
  const Json server = TRY(context.get("/api/v1/server"));
  for (const Json& project : server["projects"].array()) names.push_back(project["name"].string());
  return names;
}

Result<int> run_usage(Context& context, const Arguments& arguments) {
  Json::Array all;
  for (const std::string& project : TRY(projects_of(context, arguments))) {
    Context::Settings settings = context.settings();
    settings.project = project;
    Context one(settings);
    Json usage = TRY(one.get("/api/v1/usage/bytes"));
    if (context.json()) {
      all.push_back(usage.set("project", project));
    } else {
      print_usage(project, usage);
      if (arguments.has("all-projects")) std::puts("");
    }
  }
  if (!context.json()) return kExitOk;
  if (arguments.has("all-projects"))
    print_json(Json().set("projects", std::move(all)));
  else
    print_json(all.front());
  return kExitOk;
}

}  // namespace

void add_usage(Commands& commands) {
  commands.push_back({.path = "usage",
                      .summary = "What the project takes in bytes, by kind, experiment and user",
                      .details = "",
                      .example = "slipway usage\n  slipway usage --all-projects",
                      .positionals = {},
                      .options = {{.name = "all-projects", .help = "one after the other"}},
                      .run = run_usage});
}

}  // namespace slipway::cli
