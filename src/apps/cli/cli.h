// The command line as a table: one row per command, one file per noun. Parsing, help, completion and exit codes come
// from the table; a command's function only does its work.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "http/http.h"

namespace slipway::cli {

/// Exit codes, documented in docs/cli.md and at the end of `slipway --help`. `run`, `rerun` and `logs -f` answer the
/// command's own.
enum Exit : int {
  kExitOk = 0,
  kExitFailed = 1,         // the work itself failed: a run that ended badly, a check that did not hold
  kExitUsage = 2,          // wrong command line or wrong input
  kExitNotFound = 3,       // the named thing does not exist
  kExitDenied = 4,         // no credential, or not the right
  kExitUnavailable = 5,    // the server does not answer, or is busy
  kExitInterrupted = 130,  // Ctrl-C while watching; the run goes on
};

struct Option {
  std::string name;        // "experiment" is given as --experiment
  char letter = 0;         // and as -e, when set
  std::string value_name;  // "NAME"; empty: a flag
  std::string help;
  std::string otherwise;  // the default, shown in the help
  bool repeatable = false;
  bool required = false;
};

struct Positional {
  std::string name;
  std::string help;
  bool required = true;
  bool repeatable = false;
};

/// What the user typed for one command.
class Arguments {
 public:
  /// The option's or positional's value, its default, or empty.
  const std::string& get(const std::string& name) const;
  const std::vector<std::string>& all(const std::string& name) const;
  bool has(const std::string& name) const;  // a flag is set, or a value was given
  Result<std::int64_t> integer(const std::string& name) const;
  Result<double> number(const std::string& name) const;

  std::map<std::string, std::vector<std::string>> values;  // filled by the parser
  std::map<std::string, std::string> defaults;
};

/// What every command works with: where the server is, how to talk to it, how to print.
class Context {
 public:
  struct Settings {
    std::string url = "http://127.0.0.1:7070";  // --server, SLIPWAY_URL, configuration file
    std::string token;                          // SLIPWAY_TOKEN, `slipway login`
    std::string project = "default";            // --project, SLIPWAY_PROJECT
    bool json = false;                          // -o json
  };
  explicit Context(Settings settings);

  const Settings& settings() const { return settings_; }
  bool json() const { return settings_.json; }
  /// Colours and progress bars only where a person looks.
  bool stdout_is_terminal() const;
  bool stderr_is_terminal() const;

  /// One JSON request. A status of 400 or more becomes an Error with the server's own sentence.
  Result<Json> get(std::string_view path);
  Result<Json> post(std::string_view path, const Json& body);
  Result<Json> put(std::string_view path, const Json& body);
  Result<Json> patch(std::string_view path, const Json& body);
  Result<Json> del(std::string_view path);
  /// The connection itself, for streams; made on first use. Add headers() to every request.
  Result<http::Client*> client();
  http::Headers headers() const;

  /// Every item of a paged list, following next_page_token, at most `most`.
  Result<Json::Array> list(std::string_view path, std::string_view plural, size_t most);

 private:
  Result<Json> send(http::Method method, std::string_view path, const std::string& body);

  Settings settings_;
  std::optional<http::Client> client_;
};

/// An id as it was typed; for `latest`, `latest~1`, `latest~2`… the newest thing of a list, the one before it, and so
/// on. not_found when there are not so many.
Result<std::string> resolve_id(Context& context, const std::string& text, std::string_view list_path,
                               std::string_view plural);

/// Does the work and answers the exit code; errors are printed by the caller.
using Run = std::function<Result<int>(Context&, const Arguments&)>;

struct Command {
  std::string path;     // "models list", "run"
  std::string summary;  // one line
  std::string details;  // more help, may be empty
  std::string example;  // at least one real line
  std::vector<Positional> positionals;
  std::vector<Option> options;
  Run run;
};

using Commands = std::vector<Command>;

// One per file; main.cc calls them in the order of the help. Add a declaration here when you add a file.
void add_server(Commands& commands);
void add_init(Commands& commands);
void add_run(Commands& commands);
void add_runs(Commands& commands);
void add_runs_export(Commands& commands);
void add_status(Commands& commands);
void add_doctor(Commands& commands);
void add_login(Commands& commands);
void add_tokens(Commands& commands);
void add_evaluate(Commands& commands);
void add_deploy(Commands& commands);
void add_deployments(Commands& commands);
void add_data(Commands& commands);
void add_models(Commands& commands);
void add_cases(Commands& commands);
void add_findings(Commands& commands);
void add_pipelines(Commands& commands);
void add_why(Commands& commands);
void add_import(Commands& commands);
void add_import_series(Commands& commands);
void add_export(Commands& commands);
void add_sync(Commands& commands);
void add_gc(Commands& commands);
void add_retention(Commands& commands);
void add_usage(Commands& commands);
void add_audit(Commands& commands);
void add_backup(Commands& commands);
void add_restore(Commands& commands);
void add_completion(Commands& commands);
void add_runner(Commands& commands);

// --- printing ------------------------------------------------------------------------------------------------------

/// Aligned columns with a header line; columns whose cells all look like numbers stand right.
void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);
/// "name   value" lines.
void print_fields(const std::vector<std::pair<std::string, std::string>>& fields);
void print_json(const Json& json);
void print_error(const Error& error);

/// "2 h 13 min", "640 ms".
std::string render_duration_s(double seconds);
/// "3 min ago" for an RFC 3339 time, "" for null.
std::string render_ago(const Json& time);

/// A bar on standard error while a person looks, nothing in a pipe. `total` 0: unknown.
class Progress {
 public:
  Progress(const Context& context, std::string what, std::uint64_t total, bool bytes);
  ~Progress();
  void set(std::uint64_t done);

 private:
  void draw(std::uint64_t done, bool last);

  const bool visible_;
  const std::string what_;
  const std::uint64_t total_;
  const bool bytes_;
  std::uint64_t done_ = 0;
  const Time started_;
  Time drawn_;
};

}  // namespace slipway::cli
