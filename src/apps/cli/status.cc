// slipway status: what runs, what answers, what is wrong, in ten lines.
#include <cstdio>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

std::string count(const Json& counts, const char* key) {
  const auto value = counts[key].integer();
  return value ? std::to_string(*value) : "-";
}

Result<int> run_status(Context& context, const Arguments&) {
  const Json server = TRY(context.get("/api/v1/server"));
  const Json overview = TRY(context.get("/api/v1/overview"));
  if (context.json()) {
    Json both{Json::Object{}};
    both.set("server", server).set("overview", overview);
    print_json(both);
    return kExitOk;
  }
  const Json& counts = overview["counts"];
  print_fields({
      {"server", context.settings().url + ", version " + server["version"].string() + ", started " +
                     render_ago(server["started_at"])},
      {"database", server["database"].string() + ", " +
                       render_bytes(static_cast<std::uint64_t>(server["data_bytes_free"].integer().value_or(0))) +
                       " free on its disk"},
      {"you", server["member"]["name"].string() + " (" + server["member"]["role"].string() + ")"},
      {"runs", count(counts, "runs") + ", " + std::to_string(overview["running_runs"].array().size()) + " running"},
      {"datasets", count(counts, "datasets")},
      {"models", count(counts, "models")},
      {"deployments", count(counts, "deployments")},
      {"open findings", count(counts, "open_findings")},
      {"open cases", count(counts, "open_cases")},
  });
  if (server["disk_low"].boolean().value_or(false)) {
    std::printf(
        "\ndisk     less than %s are free: nothing more is written until there is room (`slipway gc` removes what nothing refers to)\n",
        render_bytes(static_cast<std::uint64_t>(server["data_bytes_free_min"].integer().value_or(0))).c_str());
  }
  for (const Json& run : overview["running_runs"].array()) {
    std::printf("\nrunning  %s  %s  since %s", run["id"].string().c_str(), run["name"].string().c_str(),
                render_ago(run["started_at"]).c_str());
  }
  for (const Json& finding : overview["open_findings"].array()) {
    std::printf("\nfinding  %s  %s", finding["id"].string().c_str(), finding["message"].string().c_str());
  }
  if (!overview["running_runs"].array().empty() || !overview["open_findings"].array().empty()) std::puts("");
  return kExitOk;
}

}  // namespace

void add_status(Commands& commands) {
  commands.push_back({.path = "status",
                      .summary = "What runs, what answers, what is wrong",
                      .details = "",
                      .example = "slipway status",
                      .positionals = {},
                      .options = {},
                      .run = run_status});
}

}  // namespace slipway::cli
