// slipway runs export: runs, or every point of them, as a table for other tools.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

constexpr size_t kRunsPerPage = 200;
constexpr size_t kPointsPerPage = 25'000;
constexpr const char* kAttributes[] = {"id", "name", "experiment_name", "state", "member", "started_at", "ended_at"};

/// Where rows go: a file, which is only there when it is whole, or standard output.
class Csv {
 public:
  static Result<Csv> open(const std::string& path) {
    Csv csv;
    csv.path_ = path;
    if (path.empty()) return csv;
    csv.file_.open(path + ".part", std::ios::binary | std::ios::trunc);
    if (!csv.file_) return Error{ErrorCode::permission_denied, "cannot write " + path + ".part"};
    return csv;
  }

  void row(const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) line += (i > 0 ? "," : "") + quoted(cells[i]);
    line += '\n';
    if (path_.empty()) {
      std::fwrite(line.data(), 1, line.size(), stdout);
    } else {
      file_ << line;
    }
    ++rows_;
  }

  void give_up() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_ + ".part", ignored);
  }

  Result<std::int64_t> finish() {
    if (path_.empty()) return rows_;
    file_.close();
    std::error_code problem;
    if (file_.fail() || (std::filesystem::rename(path_ + ".part", path_, problem), problem))
      return Error{ErrorCode::internal, "writing " + path_ + " failed; is the disk full?"};
    return rows_;
  }

 private:
  static std::string quoted(const std::string& cell) {
    if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
    std::string out = "\"";
    for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
  }

  std::string path_;
  std::ofstream file_;
  std::int64_t rows_ = 0;
};

std::string cell_of(const Json& value) {
  return value.is_string() ? value.string() : value.is_null() ? "" : value.render();
}

/// The query of the runs that are wanted.
struct Wanted {
  std::string filter;      // "&filter=…&order_by=…"
  std::string experiment;  // "experiment=…&", or empty
};

Result<Wanted> wanted_runs(Context& context, const Arguments& arguments) {
  Wanted wanted;
  if (arguments.has("filter")) wanted.filter += "&filter=" + http::url_encode(arguments.get("filter"));
  if (arguments.has("order-by")) wanted.filter += "&order_by=" + http::url_encode(arguments.get("order-by"));
  const std::string& name = arguments.get("experiment");
  if (name.empty()) return wanted;
  const auto found = context.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=" + http::url_encode(name));
  if (!found.ok() && found.error().code == ErrorCode::not_found)
    return Error{ErrorCode::not_found, "there is no experiment '" + name + "'"};
  const Json experiment = TRY(found)["experiment"];
  wanted.experiment = "experiment=" + http::url_encode(experiment["experiment_id"].string()) + "&";
  return wanted;
}

/// Every run that is wanted, page by page.
Result<void> each_run(Context& context, const Wanted& wanted, const std::function<Result<void>(const Json&)>& visit) {
  const std::string path =
      "/api/v1/runs?" + wanted.experiment + "columns=*&page_size=" + std::to_string(kRunsPerPage) + wanted.filter;
  std::string token;
  do {
    const Json page = TRY(context.get(path + (token.empty() ? "" : "&page_token=" + http::url_encode(token))));
    for (const Json& run : page["runs"].array()) TRY(visit(run));
    token = page["next_page_token"].string();
  } while (!token.empty());
  return {};
}

Result<void> export_runs(Context& context, const Wanted& wanted, Csv& csv) {
  std::string path = "/api/v1/runs/columns?" + wanted.experiment;
  path.pop_back();
  const Json keys = TRY(context.get(path));
  std::vector<std::string> head(std::begin(kAttributes), std::end(kAttributes));
  for (const char* kind : {"parameters", "metrics", "tags"}) {
    for (const Json& key : keys[kind].array()) head.push_back(std::string(kind) + "." + key.string());
  }
  csv.row(head);
  return each_run(context, wanted, [&](const Json& run) -> Result<void> {
    std::vector<std::string> cells;
    for (const char* attribute : kAttributes) cells.push_back(cell_of(run[attribute]));
    for (const char* kind : {"parameters", "metrics", "tags"}) {
      for (const Json& key : keys[kind].array()) {
        const Json& value = run[kind][key.string()];
        cells.push_back(cell_of(value.is_object() ? value["last"] : value));
      }
    }
    csv.row(cells);
    return {};
  });
}

Result<void> export_history(Context& context, const Json& run, const std::string& key, Csv& csv) {
  const std::string path = "/api/2.0/mlflow/metrics/get-history?run_id=" + run["id"].string() +
                           "&metric_key=" + http::url_encode(key) + "&max_results=" + std::to_string(kPointsPerPage);
  std::string token;
  do {
    const Json page = TRY(context.get(path + (token.empty() ? "" : "&page_token=" + http::url_encode(token))));
    for (const Json& point : page["metrics"].array()) {
      const Time at = Time::from_millis(point["timestamp"].integer().value_or(0));
      csv.row(
          {run["id"].string(), run["name"].string(), key, cell_of(point["step"]), render(at), cell_of(point["value"])});
    }
    token = page["next_page_token"].string();
  } while (!token.empty());
  return {};
}

Result<void> export_histories(Context& context, const Wanted& wanted, Csv& csv) {
  csv.row({"run", "name", "metric", "step", "time", "value"});
  return each_run(context, wanted, [&](const Json& run) -> Result<void> {
    for (const auto& [key, metric] : run["metrics"].object()) TRY(export_history(context, run, key, csv));
    return {};
  });
}

Result<int> runs_export(Context& context, const Arguments& arguments) {
  const std::string& path = arguments.get("to");
  if (!path.empty() && !path.ends_with(".csv"))
    return Error{ErrorCode::invalid_argument, "'" + path + "' is no name of a table; expected one that ends with .csv"};
  if (path.empty() && context.json())
    return Error{ErrorCode::invalid_argument, "with -o json the table needs a file; give one with --to"};
  const Wanted wanted = TRY(wanted_runs(context, arguments));
  Csv csv = TRY(Csv::open(path));
  const auto written =
      arguments.has("histories") ? export_histories(context, wanted, csv) : export_runs(context, wanted, csv);
  if (!written.ok()) {
    csv.give_up();
    return written.error();
  }
  const std::int64_t rows = TRY(csv.finish()) - 1;
  if (context.json() && !path.empty()) print_json(Json().set("file", path).set("rows", rows));
  return kExitOk;
}

}  // namespace

void add_runs_export(Commands& commands) {
  commands.push_back(
      {.path = "runs export",
       .summary = "Runs with parameters, metrics and tags, or every point of them, as CSV",
       .details = "Without --to it is written to standard output. A file is only there when it is whole.",
       .example =
           "slipway runs export --experiment train --to runs.csv\n  slipway runs export --histories --to points.csv",
       .positionals = {},
       .options = {{.name = "filter", .letter = 'f', .value_name = "QUERY", .help = "as in metrics.loss < 0.1"},
                   {.name = "experiment", .letter = 'e', .value_name = "NAME", .help = "only this one's"},
                   {.name = "order-by", .value_name = "KEY", .help = "metrics.val_acc desc"},
                   {.name = "histories", .help = "a row for each point instead of each run"},
                   {.name = "to", .value_name = "FILE", .help = "a name that ends with .csv"}},
       .run = runs_export});
}

}  // namespace slipway::cli
