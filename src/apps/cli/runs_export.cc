// slipway runs export: runs, or every point of them, as a table for other tools; or all of them as MLflow's folder.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "cli.h"
#include "runs_export_mlflow.h"
#include "transfer.h"

namespace slipway::cli {
namespace {

constexpr auto kPatience = std::chrono::hours(2);  // until the first byte of a large Parquet file

/// Where bytes go: a file, which is only there when it is whole, or standard output.
class Target {
 public:
  static Result<Target> open(const std::string& path) {
    Target target;
    target.path_ = path;
    if (path.empty()) return target;
    target.file_.open(path + ".part", std::ios::binary | std::ios::trunc);
    if (!target.file_) return Error{ErrorCode::permission_denied, "cannot write " + path + ".part"};
    return target;
  }

  bool write(std::string_view bytes) {
    for (const char c : bytes) {
      is_quoted_ = is_quoted_ != (c == '"');
      lines_ += c == '\n' && !is_quoted_;
    }
    if (path_.empty()) return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
    return static_cast<bool>(file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())));
  }

  void give_up() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_ + ".part", ignored);
  }

  Result<void> finish() {
    if (path_.empty()) return {};
    file_.close();
    std::error_code problem;
    if (!file_.fail()) std::filesystem::rename(path_ + ".part", path_, problem);
    if (!file_.fail() && !problem) return {};
    return Error{ErrorCode::internal, "writing " + path_ + " failed; is the disk full?"};
  }

  /// Of comma-separated values; a line break in a quoted cell is none.
  std::int64_t lines() const { return lines_; }

 private:
  std::string path_;
  std::ofstream file_;
  std::int64_t lines_ = 0;
  bool is_quoted_ = false;
};

std::string format_of(const Arguments& arguments) {
  if (arguments.has("format")) return arguments.get("format");
  return arguments.get("to").ends_with(".parquet") ? "parquet" : "csv";
}

/// The experiment's id by its name; empty for none.
Result<std::string> experiment_id(Context& context, const std::string& name) {
  const auto found = context.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=" + http::url_encode(name));
  if (!found.ok() && found.error().code == ErrorCode::not_found)
    return Error{ErrorCode::not_found, "there is no experiment '" + name + "'"};
  return TRY(found)["experiment"]["experiment_id"].string();
}

Result<std::string> table_path(Context& context, const Arguments& arguments, const std::string& format) {
  std::string path = "/api/v1/runs/export?format=" + format;
  path += arguments.has("histories") ? "&rows=points" : "&rows=runs";
  if (const std::string filter = export_filter(arguments); !filter.empty())
    path += "&filter=" + http::url_encode(filter);
  for (const char* name : {"order-by", "columns"}) {
    if (!arguments.has(name)) continue;
    path += (name == std::string_view("columns") ? "&columns=" : "&order_by=") + http::url_encode(arguments.get(name));
  }
  for (const std::string& name : arguments.all("experiment"))
    path += "&experiment=" + http::url_encode(TRY(experiment_id(context, name)));
  return path;
}

/// Answers how many rows came.
Result<std::int64_t> fetch(Context& context, const std::string& path, Target& target) {
  http::ClientOptions options;
  options.bearer_token = context.settings().token;
  options.read_timeout = kPatience;
  auto client = TRY(http::Client::open(context.settings().url, options));
  bool is_written = true;
  const auto answer = client.download(
      path, [&](std::string_view bytes) { return is_written = target.write(bytes); }, context.headers());
  if (!is_written) return Error{ErrorCode::internal, "writing the table failed; is the disk full?"};
  if (!answer.ok()) return answer.error();
  TRY(check_answer(*answer, "exporting runs"));
  return parse_i64(answer->headers.get("X-Slipway-Rows")).value_or(target.lines() - 1);
}

Result<int> export_table(Context& context, const Arguments& arguments, const std::string& format) {
  const std::string& to = arguments.get("to");
  if (to.empty() && (context.json() || format == "parquet"))
    return Error{ErrorCode::invalid_argument,
                 (format == "parquet" ? std::string("a Parquet file") : "with -o json the table") +
                     " needs a name; give one with --to"};
  const std::string path = TRY(table_path(context, arguments, format));
  Target target = TRY(Target::open(to));
  const auto fetched = fetch(context, path, target);
  if (!fetched.ok()) {
    target.give_up();
    return fetched.error();
  }
  TRY(target.finish());
  if (context.json()) print_json(Json().set("file", to).set("rows", *fetched));
  return kExitOk;
}

Result<int> runs_export(Context& context, const Arguments& arguments) {
  const std::string format = format_of(arguments);
  if (format == "mlflow") return runs_export_mlflow(context, arguments);
  if (format == "csv" || format == "parquet") {
    const std::string& to = arguments.get("to");
    if (to.empty() || to.ends_with("." + format) || arguments.has("format")) {
      return export_table(context, arguments, format);
    }
    return Error{ErrorCode::invalid_argument, "'" + to +
                                                  "' is no name of a table; expected one that ends with .csv or "
                                                  ".parquet, or say what it is with --format"};
  }
  return Error{ErrorCode::invalid_argument,
               "--format takes csv, parquet or mlflow, not '" + clean_utf8(format, 50) + "'"};
}

}  // namespace

std::string export_filter(const Arguments& arguments) {
  std::vector<std::string> parts;
  if (arguments.has("filter") && !trim(arguments.get("filter")).empty()) parts.push_back(arguments.get("filter"));
  std::vector<std::string> ids;
  for (const std::string& id : arguments.all("run")) {
    std::string quoted = "'";
    for (const char c : id) quoted += c == '\'' ? "''" : std::string(1, c);
    ids.push_back(quoted + "'");
  }
  if (!ids.empty()) parts.push_back("attributes.run_id IN (" + join(ids, ", ") + ")");
  return join(parts, " AND ");
}

void add_runs_export(Commands& commands) {
  commands.push_back(
      {.path = "runs export",
       .summary =
           "Runs with parameters, metrics and tags, or every point of them, as CSV or Parquet; or as an mlruns folder",
       .details =
           "CSV without --to is written to standard output. A file is only there when it is whole. --format mlflow "
           "writes a folder that MLflow reads, with histories, files and models; the same command again adds what is "
           "new. See docs/exports.md.",
       .example = "slipway runs export --experiment train --to runs.parquet\n"
                  "  slipway runs export --histories --to points.csv\n"
                  "  slipway runs export --format mlflow --to ./for-mlflow",
       .positionals = {},
       .options = {{.name = "filter", .letter = 'f', .value_name = "QUERY", .help = "as in metrics.loss < 0.1"},
                   {.name = "experiment",
                    .letter = 'e',
                    .value_name = "NAME",
                    .help = "only this one's; may be repeated",
                    .repeatable = true},
                   {.name = "run", .value_name = "ID", .help = "only this one; may be repeated", .repeatable = true},
                   {.name = "order-by", .value_name = "KEY", .help = "metrics.val_acc desc"},
                   {.name = "columns", .value_name = "KEYS", .help = "only these, as in metrics.loss,params.lr"},
                   {.name = "histories", .help = "a row for each point instead of each run"},
                   {.name = "format",
                    .value_name = "FORMAT",
                    .help = "csv, parquet or mlflow; by the name when absent"},
                   {.name = "no-files", .help = "with mlflow: leave artifacts out"},
                   {.name = "no-models", .help = "with mlflow: leave logged and registered models out"},
                   {.name = "deleted", .help = "with mlflow: deleted runs, too"},
                   {.name = "to", .value_name = "FILE", .help = "a file; with mlflow the folder"}},
       .run = runs_export});
}

}  // namespace slipway::cli
