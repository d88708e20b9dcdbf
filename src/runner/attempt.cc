// One attempt, told straight: plan, prepare, run, collect, end. Each part may fail; the first failure is the end's
// message.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "domain/command_template.h"
#include "domain/grammar.h"
#include "runner/cache.h"
#include "runner/command.h"
#include "runner/gpu_watch.h"
#include "runner/machine_load.h"
#include "runner/node_folder.h"
#include "runner/output_metrics.h"
#include "runner/reporter.h"
#include "runner/runner.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr Duration kRetryPauseMax = std::chrono::seconds(5);
constexpr int kServerErrorsMax = 40;
constexpr Duration kFlushTime = std::chrono::seconds(10);

class Attempt {
 public:
  Attempt(const Ticket& ticket, Link& link, const RunnerOptions& options, const Clock& clock)
      : ticket_(ticket),
        link_(link),
        options_(options),
        clock_(clock),
        folder_(ticket.folder / "attempts" / ticket.attempt.text) {}

  AttemptResult run(std::unique_ptr<Link> reports) {
    AttemptResult result = execute(std::move(reports));
    if (reporter_) {
      if (!result.message.empty()) reporter_->say(result.message);
      reporter_->set_state("uploading", 0, {});  // and the last figures of what the command used
      finish_reports();
    }
    report_end(result);
    reporter_.reset();
    clean_up();
    if (result.ok()) remove_folder(checkpoints());  // a failed attempt's successor goes on from them
    return result;
  }

 private:
  AttemptResult execute(std::unique_ptr<Link> reports) {
    const Result<void> ready = begin(std::move(reports));
    if (!ready.ok()) return not_started(ready.error());
    const Result<CommandSpec> command = prepare();
    if (stop_asked()) return {AttemptEnd::stopped, 0, 0, "stopped on request before the command began"};
    if (!command.ok()) return not_started(command.error());
    AttemptResult result = watch(*command);
    if (!result.ok()) return result;
    if (const auto collected = collect(); !collected.ok()) result.message = collected.error().message;
    return result;
  }

  static AttemptResult not_started(const Error& error) { return {AttemptEnd::could_not_start, 0, 0, error.message}; }

  /// Folders, the reporter, and what there is to do.
  Result<void> begin(std::unique_ptr<Link> reports) {
    remove_folder(folder_);
    for (const fs::path& part :
         {folder_ / "code", folder_ / "inputs", folder_ / "outputs", folder_ / "scratch", checkpoints()}) {
      TRY(make_directories(part));
    }
    ReporterOptions report_options;
    report_options.folder = folder_;
    report_options.heartbeat_interval = options_.heartbeat_interval;
    reporter_ = TRY(Reporter::start(std::move(reports), report_options, clock_));
    plan_ = TRY(patiently([&] { return link_.plan(); }));
    return {};
  }

  /// Code, inputs, environment; then the command with nothing left to replace.
  Result<CommandSpec> prepare() {
    FileCache cache = TRY(FileCache::open(ticket_.folder / "cache"));
    TRY(patiently([&] { return lay_out_code(cache); }));
    for (const auto& [name, input] : plan_.inputs) {
      if (stop_asked()) return Error{ErrorCode::cancelled, "stopped"};
      const auto laid = patiently([&, &key = name, &in = input] { return lay_out_input(cache, key, in); });
      if (!laid.ok()) return context(laid.error(), fmt::format("the input '{}' ({})", name, input.label));
    }
    EnvironmentOptions environment_options;
    environment_options.node_folder = ticket_.folder;
    environment_options.scratch = folder_ / "scratch";
    environment_options.uv = options_.uv;
    environment_options.say = [&](const std::string& sentence) { reporter_->say(sentence); };
    const PreparedEnvironment environment =
        TRY(prepare_environment(plan_.spec.environment, folder_ / "code", environment_options));
    const Json documents(Json::Object{{"environment", environment.record}, {"machine", machine_with_limits()}});
    TRY(patiently([&] { return link_.record(documents); }));

    CommandSpec command;
    command.command = TRY(fill_template(plan_.spec.command, holes()));
    command.directory = folder_ / "code";
    command.environment = variables(environment);
    command.limits = plan_.spec.limits;
    command.memory_bytes_max = plan_.spec.resources.memory_bytes;
    command.group = group_ ? &*group_ : nullptr;
    command.sample_interval = options_.sample_interval;
    return command;
  }

  /// What the step asked for and who sees to it: the kernel, where a control group may be made, else the runner's own
  /// watching.
  Json machine_with_limits() {
    const Resources& asked = plan_.spec.resources;
    const auto place = own_group_place();
    if (place) {
      auto group = ControlGroup::create(*place, ticket_.attempt.text, {asked.memory_bytes, asked.cpus});
      if (group.ok()) group_.emplace(*std::move(group));
    }
    Json machine = describe_machine();
    const bool limited = asked.memory_bytes > 0;
    machine.set("memory_limit_bytes", limited ? Json(asked.memory_bytes) : Json());
    machine.set("memory_limit_by", !limited ? Json() : Json(group_ ? "control group" : "runner, every few seconds"));
    return machine.set("cpus_asked", asked.cpus)
        .set("cpus_shared_by", group_ && group_->shares_cpus() ? Json("control group") : Json());
  }

  Result<void> lay_out_code(FileCache& cache) {
    if (plan_.spec.snapshot.empty()) return {};
    remove_folder(folder_ / "code");  // a second try after a lost connection
    const Tree tree = TRY(parse_tree(TRY(cache.bytes(link_, TRY(parse_hash(plan_.spec.snapshot))))));
    return lay_out(cache, link_, tree, folder_ / "code", false);
  }

  Result<void> lay_out_input(FileCache& cache, const std::string& name, const ResolvedInput& input) {
    TRY(check_grammar_name(name));
    const fs::path path = folder_ / "inputs" / name;
    remove_folder(path);
    if (!input.is_tree) {
      TRY(cache.fetch(link_, {{input.hash, UINT64_MAX}}));
      return cache.place(input.hash, path, 0444);
    }
    const Tree tree = TRY(parse_tree(TRY(cache.bytes(link_, input.hash))));
    return lay_out(cache, link_, tree, path, true);
  }

  std::map<std::string, std::string> holes() const {
    std::map<std::string, std::string> values;
    for (const auto& [name, value] : plan_.spec.parameters)
      values[name] = value.is_string() ? value.string() : value.render();
    for (const auto& [name, input] : plan_.spec.inputs) values["inputs." + name] = (folder_ / "inputs" / name).string();
    for (const auto& [name, output] : plan_.spec.outputs) {
      values["outputs." + name] =
          output.path.empty() ? (folder_ / "outputs" / name).string() : (folder_ / "code" / output.path).string();
    }
    return values;
  }

  /// The machine's variables without those that speak for another run or for the runner itself, then the environment's,
  /// the step's, and the run contract's, which nobody overrides.
  std::map<std::string, std::string> variables(const PreparedEnvironment& environment) const {
    std::map<std::string, std::string> all;
    for (char** at = environ; *at; ++at) {
      const std::string_view variable = *at;
      const size_t equals = variable.find('=');
      if (equals == std::string_view::npos || variable.starts_with("SLIPWAY_") || variable.starts_with("MLFLOW_"))
        continue;
      all.emplace(variable.substr(0, equals), variable.substr(equals + 1));
    }
    std::string path = all.contains("PATH") ? all["PATH"] : "/usr/local/bin:/usr/bin:/bin";
    for (auto at = environment.path.rbegin(); at != environment.path.rend(); ++at) path = at->string() + ":" + path;
    all["PATH"] = path;
    all["PYTHONUNBUFFERED"] = "1";  // or the log of a Python program comes in blocks, minutes late
    for (const auto& [name, value] : environment.variables) all[name] = value;
    for (const auto& [name, value] : plan_.spec.variables) all[name] = value;
    for (const auto& [name, value] : plan_.variables) all[name] = value;
    all["SLIPWAY_RUN_ID"] = all["MLFLOW_RUN_ID"] = ticket_.run.text;
    all["SLIPWAY_ATTEMPT_ID"] = ticket_.attempt.text;
    all["SLIPWAY_URL"] = all["MLFLOW_TRACKING_URI"] = ticket_.server;
    all["SLIPWAY_TOKEN"] = all["MLFLOW_TRACKING_TOKEN"] = ticket_.token;
    all["SLIPWAY_INPUTS"] = (folder_ / "inputs").string();
    all["SLIPWAY_OUTPUTS"] = (folder_ / "outputs").string();
    all["SLIPWAY_CHECKPOINTS"] = checkpoints().string();
    return all;
  }

  AttemptResult watch(const CommandSpec& command) {
    pid_t pid = 0;
    std::int64_t step = 0;
    CommandHooks hooks;
    hooks.on_start = [&](pid_t started) {
      pid = started;
      reporter_->set_state("running", pid, {});
    };
    OutputMetrics printed;
    const auto setting = command.environment.find(kOutputMetricsVariable);
    const bool reads_metrics = setting == command.environment.end() || setting->second != "off";
    hooks.on_output = [&](std::string_view bytes) {
      reporter_->log(bytes);
      if (!reads_metrics) return;
      const auto points = printed.feed(bytes, clock_.now().millis());
      if (!points.empty()) reporter_->metrics(points);
    };
    hooks.stop_asked = [&] { return stop_asked(); };
    MachineLoad load;
    const auto visible = command.environment.find("CUDA_VISIBLE_DEVICES");
    auto gpus = GpuWatch::start(options_.gpu_program,
                                visible == command.environment.end() ? std::nullopt : std::optional(visible->second),
                                command.sample_interval);
    hooks.on_usage = [&](const Usage& usage) {
      reporter_->set_state("running", pid, usage);
      const std::int64_t now_ms = clock_.now().millis();
      reporter_->metrics(load.sample(usage, clock_.steady(), step, now_ms));
      if (gpus) reporter_->metrics(gpus->sample(step, now_ms));
      ++step;
    };
    AttemptResult result = watch_command(command, hooks, clock_);
    if (const auto points = printed.finish(clock_.now().millis()); !points.empty()) reporter_->metrics(points);
    return result;
  }

  Result<void> collect() {
    reporter_->set_state("uploading", 0, {});
    for (const auto& [name, output] : plan_.spec.outputs) {
      const auto report = TRY(patiently([&, &key = name, &out = output] {
        return upload_output(link_, key, out, folder_ / "code", folder_ / "outputs");
      }));
      if (!report) continue;
      for (const std::string& what : report->left_out)
        reporter_->say(fmt::format("left out of the output '{}': {}", name, what));
      const auto told = patiently([&, &what = report->report] { return link_.report_output(what); });
      if (!told.ok()) return context(told.error(), fmt::format("the output '{}'", name));
    }
    return {};
  }

  void finish_reports() {
    const Time until = clock_.steady() + options_.server_away_max;
    while (!reporter_->flush(kFlushTime) && !reporter_->is_disowned() && !is_told_to_go() && clock_.steady() < until) {
    }
  }

  void report_end(const AttemptResult& result) {
    const auto told = patiently([&] { return link_.end(result); }, false);
    if (told.ok()) return;
    told_ = false;
    log_error("runner", "the end could not be reported",
              {{"attempt", ticket_.attempt.text}, {"error", told.error().message}});
  }

  void clean_up() {
    if (options_.keep_folder || is_folder_gone()) return;
    // Log and metrics stay when the server never got them: they are all that is left of the attempt.
    for (const char* part : {"code", "inputs", "outputs", "scratch"}) remove_folder(folder_ / part);
    if (told_) remove_folder(folder_);
    const auto cache = FileCache::open(ticket_.folder / "cache");
    if (cache.ok()) (void)FileCache(*cache).trim(ticket_.cache_bytes_max, clock_.now() - std::chrono::hours(1));
    tidy_node_folder(ticket_.folder, clock_.now());
  }

  /// Somebody removed the node's folder: then the server that it belonged to is gone for good.
  bool is_folder_gone() const {
    std::error_code ignored;  // a disk in trouble is not the same
    return fs::status(folder_, ignored).type() == fs::file_type::not_found;
  }
  bool is_told_to_go() const { return (options_.stop && options_.stop->load()) || is_folder_gone(); }

  std::optional<StopRequest> stop_asked() const {
    if (is_told_to_go()) return StopRequest{};
    return reporter_ ? reporter_->stop_asked() : std::nullopt;
  }

  /// Tries again while the server is away, up to server_away_max (while it answers with errors of its own: a few
  /// minutes), or until somebody wants the attempt to end.
  template <typename Call>
  std::invoke_result_t<Call> patiently(Call call, bool until_stopped = true) {
    const Time until = clock_.steady() + options_.server_away_max;
    Duration pause = std::chrono::milliseconds(100);
    int errors_left = kServerErrorsMax;
    while (true) {
      auto result = call();
      if (result.ok() || !is_transient(result.error()) || clock_.steady() >= until) return result;
      if (result.error().code == ErrorCode::internal && --errors_left == 0) return result;
      if (until_stopped && stop_asked()) return result;
      if (!until_stopped && is_told_to_go() && pause >= kRetryPauseMax) return result;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, kRetryPauseMax);
    }
  }

  fs::path checkpoints() const { return ticket_.folder / "checkpoints" / ticket_.run.text; }

  const Ticket& ticket_;
  Link& link_;
  const RunnerOptions& options_;
  const Clock& clock_;
  const fs::path folder_;
  AttemptPlan plan_;
  std::unique_ptr<Reporter> reporter_;
  std::optional<ControlGroup> group_;
  bool told_ = true;
};

std::atomic<bool> stop_signalled{false};

}  // namespace

AttemptResult run_attempt(const Ticket& ticket, Link& link, std::unique_ptr<Link> reports, const RunnerOptions& options,
                          const Clock& clock) {
  return Attempt(ticket, link, options, clock).run(std::move(reports));
}

int runner_main(const fs::path& ticket_file) {
  const auto fail = [](const Error& error) {
    log_error("runner", "cannot begin", {{"error", error.message}});
    return 1;
  };
  const auto text = read_file(ticket_file, 1 << 20);
  if (!text.ok()) return fail(text.error());
  const auto ticket = parse_ticket(*text);
  if (!ticket.ok()) return fail(ticket.error());
  // It holds a token, and whoever removes it is the attempt's only runner.
  if (::unlink(ticket_file.c_str()) != 0) return fail(system_error("take", ticket_file, errno));

  struct sigaction action {};
  action.sa_handler = [](int) { stop_signalled = true; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);

  auto link = open_http_link(*ticket), reports = open_http_link(*ticket);
  if (!link.ok()) return fail(link.error());
  if (!reports.ok()) return fail(reports.error());
  RunnerOptions options;
  options.stop = &stop_signalled;
  options.gpu_program = GpuWatch::find_program();
  const AttemptResult result = run_attempt(*ticket, **link, std::move(*reports), options, system_clock());
  log_info("runner", "attempt over",
           {{"attempt", ticket->attempt.text}, {"end", std::string(slipway::name(result.end))}});
  return 0;
}

}  // namespace slipway::runner
