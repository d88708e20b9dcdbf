// slipway: the command line, and the node side.
#include <csignal>
#include <cstdio>

#include "cli.h"
#include "config.h"
#include "parse.h"

namespace slipway::cli {
namespace {

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::already_exists:
    case ErrorCode::failed_precondition:
    case ErrorCode::too_large:
    case ErrorCode::unsupported: return kExitUsage;
    case ErrorCode::not_found: return kExitNotFound;
    case ErrorCode::permission_denied:
    case ErrorCode::unauthenticated: return kExitDenied;
    case ErrorCode::busy:
    case ErrorCode::unavailable:
    case ErrorCode::timed_out: return kExitUnavailable;
    default: return kExitFailed;
  }
}

void add_all(Commands& commands) {
  add_server(commands);
  add_init(commands);
  add_run(commands);
  add_runs(commands);
  add_runs_export(commands);
  add_status(commands);
  add_doctor(commands);
  add_login(commands);
  add_tokens(commands);
  add_data(commands);
  add_models(commands);
  add_evaluate(commands);
  add_deploy(commands);
  add_deployments(commands);
  add_cases(commands);
  add_findings(commands);
  add_pipelines(commands);
  add_why(commands);
  add_import(commands);
  add_import_series(commands);
  add_export(commands);
  add_sync(commands);
  add_gc(commands);
  add_retention(commands);
  add_usage(commands);
  add_audit(commands);
  add_backup(commands);
  add_restore(commands);
  add_completion(commands);
  add_runner(commands);
}

Result<int> run(const Invocation& invocation) {
  Context context(TRY(read_settings(invocation)));
  return invocation.command->run(context, invocation.arguments);
}

int main_of(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Commands commands;
  add_all(commands);
  const auto parsed = parse(commands, std::vector<std::string>(argv + 1, argv + argc));
  if (const auto* end = std::get_if<EndNow>(&parsed)) {
    std::fputs(end->text.c_str(), end->exit_code == kExitOk ? stdout : stderr);
    return end->exit_code;
  }
  const Result<int> ended = run(std::get<Invocation>(parsed));
  if (ended.ok()) return *ended;
  print_error(ended.error());
  return exit_code_of(ended.error());
}

}  // namespace
}  // namespace slipway::cli

int main(int argc, char** argv) { return slipway::cli::main_of(argc, argv); }
