// slipway gc: what was deleted long enough ago goes for good, and then what nobody names any more; or everything is
// read to see whether it is still whole.
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "cli.h"
#include "domain/units.h"

namespace slipway::cli {
namespace {

constexpr size_t kNameBytesShown = 40;

std::string size_of(const Json& number) {
  return render_bytes(static_cast<std::uint64_t>(number.integer().value_or(0)));
}
long long whole(const Json& number) { return static_cast<long long>(number.integer().value_or(0)); }

Result<int> verify(Context& context) {
  const Json report = TRY(context.post("/api/v1/store/verify", Json(Json::Object{})));
  const auto& damaged = report["damaged"].array();
  if (context.json()) {
    print_json(report);
  } else {
    for (const Json& hash : damaged) std::printf("damaged  %s\n", hash.string().c_str());
    std::printf("%lld blobs (%s) were read, %zu are damaged%s\n", whole(report["blobs"]),
                size_of(report["bytes"]).c_str(), damaged.size(),
                damaged.empty() ? "" : "; restore them from a backup, or add the same files again");
  }
  return damaged.empty() ? kExitOk : kExitFailed;
}

// --- what is meant -------------------------------------------------------------------------------------------------

Json ids_of(const std::string& list) {
  Json::Array ids;
  for (const std::string& id : split(list, ',')) {
    if (!trim(id).empty()) ids.emplace_back(std::string(trim(id)));
  }
  return Json(std::move(ids));
}

/// The members that both requests share.
Result<Json> order_of(const Arguments& arguments) {
  Json order{Json::Object{}};
  order.set("dry_run", arguments.has("dry-run")).set("all_projects", arguments.has("all-projects"));
  if (arguments.has("run-ids")) order.set("run_ids", ids_of(arguments.get("run-ids")));
  if (arguments.has("experiment-ids")) order.set("experiment_ids", ids_of(arguments.get("experiment-ids")));
  if (arguments.has("older-than")) {
    const auto age = parse_duration(arguments.get("older-than"));
    if (!age.ok()) return context(age.error(), "in --older-than");
    order.set("older_than_s", static_cast<double>(age->count()) / 1e6);
  }
  return order;
}

// --- deleted runs and experiments ----------------------------------------------------------------------------------

/// What the pages said, together.
struct Deleted {
  Json::Array runs, experiments;
};

/// Page after page until all are listed, or gone.
Result<Deleted> work_through(Context& context, Json order) {
  Deleted out;
  std::uint64_t total = 0;
  std::optional<Progress> bar;
  while (true) {
    const Json page = TRY(context.post("/api/v1/gc/deleted", order));
    for (const Json& run : page["runs"].array()) out.runs.push_back(run);
    for (const Json& experiment : page["experiments"].array()) out.experiments.push_back(experiment);
    if (!bar) {
      total = static_cast<std::uint64_t>(whole(page["total"]));
      bar.emplace(context, order["dry_run"].boolean().value_or(false) ? "looking at runs" : "removing runs", total,
                  false);
    }
    bar->set(std::min<std::uint64_t>(out.runs.size(), total));
    if (page["next_page_token"].is_null()) return out;
    order.set("page_token", page["next_page_token"]);
  }
}

bool goes(const Json& one) { return one["kept_because"].is_null(); }

std::int64_t bytes_of(const Json& run) {
  return whole(run["artifact_bytes"]) + whole(run["point_bytes"]) + whole(run["log_bytes"]);
}

std::string shown(const Json& text) { return clean_utf8(text.string(), kNameBytesShown); }

void print_deleted(const Deleted& deleted, bool dry_run) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : deleted.runs) {
    if (!dry_run && goes(run)) continue;
    rows.push_back({"run", run["id"].string(), shown(run["name"]), shown(run["experiment_name"]),
                    render_ago(run["deleted_at"]), render_bytes(static_cast<std::uint64_t>(bytes_of(run))),
                    goes(run) ? "" : "stays: " + run["kept_because"].string()});
  }
  for (const Json& experiment : deleted.experiments) {
    if (!dry_run && goes(experiment)) continue;
    rows.push_back({"experiment", experiment["id"].string(), shown(experiment["name"]), "",
                    render_ago(experiment["deleted_at"]), "",
                    goes(experiment) ? "" : "stays: " + experiment["kept_because"].string()});
  }
  if (!rows.empty()) {
    print_table({"WHAT", "ID", "NAME", "EXPERIMENT", "DELETED", "SIZE", ""}, rows);
    std::puts("");
  }
}

void print_totals(const Deleted& deleted, bool dry_run) {
  long long runs = 0, experiments = 0, elsewhere = 0;
  std::int64_t bytes = 0;
  for (const Json& run : deleted.runs) {
    if (!goes(run)) continue;
    ++runs;
    bytes += bytes_of(run);
    elsewhere += run["artifacts_at"].is_null() ? 0 : 1;
  }
  for (const Json& experiment : deleted.experiments) experiments += goes(experiment) ? 1 : 0;
  const char* went = dry_run ? "would be removed for good" : "were removed for good";
  std::printf("%lld deleted runs (%s) and %lld experiments %s; %zu stay\n", runs,
              render_bytes(static_cast<std::uint64_t>(bytes)).c_str(), experiments, went,
              deleted.runs.size() + deleted.experiments.size() - static_cast<size_t>(runs + experiments));
  if (elsewhere > 0)
    std::printf("%lld of these runs keep their artifacts in a place of their client's; those stay there\n", elsewhere);
}

// --- all of it -----------------------------------------------------------------------------------------------------

void print_sweep(const Json& report, bool dry_run) {
  std::printf("%lld blobs (%s) %s; %lld (%s) are in use or younger than a day\n", whole(report["blobs_removed"]),
              size_of(report["bytes_removed"]).c_str(), dry_run ? "would be removed" : "were removed",
              whole(report["blobs_kept"]), size_of(report["bytes_kept"]).c_str());
  if (whole(report["uploads_removed"]) > 0)
    std::printf("%lld unfinished uploads %s\n", whole(report["uploads_removed"]), dry_run ? "would go" : "went");
}

Result<int> run_gc(Context& context, const Arguments& arguments) {
  if (arguments.has("verify")) return verify(context);
  const bool dry_run = arguments.has("dry-run");
  Json order = TRY(order_of(arguments));
  Deleted deleted;
  if (!arguments.has("blobs-only")) deleted = TRY(work_through(context, order));
  order.set("without_deleted", dry_run && !arguments.has("blobs-only"));
  Json report = TRY(context.post("/api/v1/gc", order));
  if (context.json()) {
    report.set("runs", std::move(deleted.runs)).set("experiments", std::move(deleted.experiments));
    print_json(report);
    return kExitOk;
  }
  if (!arguments.has("blobs-only")) {
    print_deleted(deleted, dry_run);
    print_totals(deleted, dry_run);
  }
  print_sweep(report, dry_run);
  return kExitOk;
}

}  // namespace

void add_gc(Commands& commands) {
  commands.push_back(
      {.path = "gc",
       .summary = "Remove for good what was deleted, and blobs that nothing names any more",
       .details =
           "Runs and experiments of the project that were deleted more than 30 days ago go with all that is kept of them, "
           "unless a model version, a commit, an evaluation or another run still needs them. Then blobs go that nothing names; "
           "those younger than a day stay, because somebody may be about to name them. For admins. It may be interrupted; "
           "the same command goes on.",
       .example = "slipway gc --dry-run\n  slipway gc --older-than 7d\n  slipway gc --verify",
       .positionals = {},
       .options = {{.name = "dry-run", .help = "only say what would be removed, and how much room that makes"},
                   {.name = "older-than", .value_name = "AGE", .help = "what was deleted so long ago, as 30d or 12h"},
                   {.name = "run-ids",
                    .value_name = "IDS",
                    .help = "only these deleted runs, with commas between them"},
                   {.name = "experiment-ids",
                    .value_name = "IDS",
                    .help = "only these deleted experiments and their runs, with commas between them"},
                   {.name = "all-projects", .help = "deleted runs and experiments of all projects"},
                   {.name = "blobs-only", .help = "leave deleted runs and experiments as they are"},
                   {.name = "verify", .help = "read every blob and name the damaged ones instead"}},
       .run = run_gc});
}

}  // namespace slipway::cli
