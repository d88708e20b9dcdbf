// slipway gc: what nobody names any more is removed; or everything is read to see whether it is still whole.
#include <cstdio>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

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

Result<int> run_gc(Context& context, const Arguments& arguments) {
  if (arguments.has("verify")) return verify(context);
  const bool dry_run = arguments.has("dry-run");
  const Json report = TRY(context.post("/api/v1/gc", Json().set("dry_run", dry_run)));
  if (context.json()) {
    print_json(report);
    return kExitOk;
  }
  std::printf("%lld blobs (%s) %s; %lld (%s) are in use or younger than a day\n", whole(report["blobs_removed"]),
              size_of(report["bytes_removed"]).c_str(), dry_run ? "would be removed" : "were removed",
              whole(report["blobs_kept"]), size_of(report["bytes_kept"]).c_str());
  if (whole(report["uploads_removed"]) > 0)
    std::printf("%lld unfinished uploads %s\n", whole(report["uploads_removed"]), dry_run ? "would go" : "went");
  return kExitOk;
}

}  // namespace

void add_gc(Commands& commands) {
  commands.push_back(
      {.path = "gc",
       .summary = "Remove blobs that nothing names any more",
       .details = "Blobs younger than a day stay, because somebody may be about to name them. For admins.",
       .example = "slipway gc --dry-run\n  slipway gc --verify",
       .positionals = {},
       .options = {{.name = "dry-run", .help = "only say what would be removed"},
                   {.name = "verify", .help = "read every blob and name the damaged ones instead"}},
       .run = run_gc});
}

}  // namespace slipway::cli
