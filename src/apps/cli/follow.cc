#include "follow.h"

#include <unistd.h>

#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "interrupt.h"

namespace slipway::cli {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(200);
constexpr Duration kServerAwayMax = std::chrono::minutes(10);

/// What the command answered, as our own exit code.
Result<int> exit_code_of_run(Context& context, const std::string& path, const std::string& state) {
  if (state == "finished") return kExitOk;
  const Json attempts = TRY(context.get(path + "/attempts"));
  const Json::Array& all = attempts["attempts"].array();
  const std::int64_t code = all.empty() ? 0 : all.back()["exit_code"].integer().value_or(0);
  const std::int64_t signal = all.empty() ? 0 : all.back()["signal"].integer().value_or(0);
  if (code > 0 && code < 256) return static_cast<int>(code);
  return signal > 0 ? 128 + static_cast<int>(signal) : kExitFailed;
}

}  // namespace

Result<std::string> find_run(Context& context, const std::string& text) {
  return resolve_id(context, text, "/api/v1/runs", "runs");
}

Result<int> follow_run(Context& context, const std::string& run, const FollowOptions& options) {
  const std::string path = "/api/v1/runs/" + http::url_encode(run);
  const Interrupt interrupt;
  std::int64_t offset = options.offset;
  Time away_since{0};
  while (!Interrupt::came()) {
    http::Client* client = TRY(context.client());
    const auto answer =
        client->request(http::Method::get, path + "/log?raw=true&bytes_max=1048576&offset=" + std::to_string(offset),
                        "", "", context.headers());
    const bool away = !answer.ok() || answer->status >= 500;
    if (away) {
      // A server that restarts does not end the run, so it does not end the watching either.
      const Time now = system_clock().steady();
      if (away_since.micros == 0 && context.stderr_is_terminal())
        std::fputs("slipway: the server does not answer; the run goes on, waiting\n", stderr);
      if (away_since.micros == 0) away_since = now;
      if (!options.wait || now - away_since > kServerAwayMax) {
        return answer.ok() ? Error{ErrorCode::unavailable, "the server does not answer"} : answer.error();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      continue;
    }
    away_since = Time{0};
    if (answer->status >= 400) {
      TRY(context.get(path + "/attempts"));  // says in words what is wrong
      return Error{ErrorCode::internal, "the server answered " + std::to_string(answer->status)};
    }
    TRY(options.take ? options.take(answer->body) : write_all(STDOUT_FILENO, answer->body, "standard output"));
    if (const auto next = parse_i64(answer->headers.get("X-Slipway-Next-Offset"))) offset = *next;
    if (answer->headers.get("X-Slipway-End") == "true")
      return exit_code_of_run(context, path, std::string(answer->headers.get("X-Slipway-State")));
    if (!answer->body.empty()) continue;
    if (!options.wait) return kExitOk;
    std::this_thread::sleep_for(kPollInterval);
  }
  std::fprintf(
      stderr,
      "\nslipway: no longer watching; the run goes on. Watch again: slipway logs -f %s   End it: slipway stop %s\n",
      run.c_str(), run.c_str());
  return kExitInterrupted;
}

void tell_run(const Context& context, const Json& run) {
  const std::string& id = run["id"].string();
  std::fprintf(stderr, "run        %s  %s\n           %s/runs/%s\n", run["name"].string().c_str(), id.c_str(),
               context.settings().url.c_str(), id.c_str());
}

Result<int> watch_run(Context& context, const Json& run) {
  const std::string& id = run["id"].string();
  FollowOptions options;
  if (context.json()) {
    options.take = [](std::string_view bytes) { return write_all(STDERR_FILENO, bytes, "standard error"); };
  } else {
    tell_run(context, run);
  }
  const int code = TRY(follow_run(context, id, options));
  if (code == kExitInterrupted) return code;
  const Json ended = TRY(context.get("/api/v1/runs/" + id));
  if (context.json()) {
    print_json(ended);
  } else {
    std::fprintf(stderr, "%-10s %s\n", ended["state"].string().c_str(),
                 render_duration_s(ended["duration_s"].number().value_or(0)).c_str());
  }
  return code;
}

}  // namespace slipway::cli
