// slipway doctor: looks for what usually goes wrong, and says what to do about it.
#include <cstdio>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "cli.h"
#include "runner/environment.h"

namespace slipway::cli {
namespace {

struct Finding {
  std::string subject;
  bool good = false;
  std::string sentence;
};

constexpr std::uint64_t kDiskFreeWanted = 2ull << 30;

Finding check_tool(const std::string& subject, std::vector<std::string> command, const std::string& needed_for) {
  const auto output = run_command({.arguments = std::move(command), .directory = {}, .environment = {}, .inherit = {}},
                                  std::chrono::seconds(20));
  if (!output.ok() || !output->status.ok()) return {subject, false, "not found; it is needed for " + needed_for};
  return {subject, true, std::string(trim(split(output->out, '\n')[0]))};
}

Finding check_server(Context& context) {
  const auto server = context.get("/api/v1/server");
  if (!server.ok()) return {"server", false, server.error().message};
  if ((*server)["disk_low"].boolean().value_or(false)) {
    return {"server", false,
            context.settings().url + " answers, and writes nothing more: its disk has " +
                render_bytes(static_cast<std::uint64_t>((*server)["data_bytes_free"].integer().value_or(0))) +
                " free. `slipway gc` removes what nothing refers to"};
  }
  return {"server", true, context.settings().url + " answers, version " + (*server)["version"].string()};
}

Finding check_disk() {
  const auto free = free_disk_bytes(".");
  if (!free.ok()) return {"disk", false, free.error().message};
  if (*free < kDiskFreeWanted)
    return {"disk", false,
            render_bytes(*free) + " free here; at least " + render_bytes(kDiskFreeWanted) +
                " are wanted. `slipway gc` frees what nothing refers to"};
  return {"disk", true, render_bytes(*free) + " free here"};
}

/// The one that the runner would take.
std::string uv_program() {
  const auto found = runner::find_uv();
  return found.ok() ? found->string() : "uv";
}

Result<int> run_doctor(Context& context, const Arguments&) {
  const std::vector<Finding> findings = {
      check_server(context),
      check_disk(),
      check_tool("git", {"git", "--version"}, "recording the code of a run"),
      check_tool("uv", {uv_program(), "--version"}, "building Python environments (`tools/bootstrap` installs it)"),
      check_tool("python", {"python3", "--version"}, "steps that are written in Python"),
  };
  bool good = true;
  Json::Array items;
  for (const Finding& finding : findings) {
    good = good && finding.good;
    Json item{Json::Object{}};
    item.set("subject", finding.subject).set("good", finding.good).set("message", finding.sentence);
    items.push_back(std::move(item));
    if (!context.json())
      std::printf("%-4s %-8s %s\n", finding.good ? "ok" : "bad", finding.subject.c_str(), finding.sentence.c_str());
  }
  if (context.json()) {
    Json root{Json::Object{}};
    root.set("findings", std::move(items));
    print_json(root);
  }
  return good ? kExitOk : kExitFailed;
}

}  // namespace

void add_doctor(Commands& commands) {
  commands.push_back({.path = "doctor",
                      .summary = "Look for what usually goes wrong here",
                      .details = "",
                      .example = "slipway doctor",
                      .positionals = {},
                      .options = {},
                      .run = run_doctor});
}

}  // namespace slipway::cli
