// slipway audit: who did what on this server.
#include <cstdio>

#include "base/text.h"
#include "cli.h"
#include "domain/units.h"

namespace slipway::cli {
namespace {

constexpr size_t kShownBytesMax = 60;  // of a cell; CSV and JSON have all of it
constexpr const char* kColumns[] = {"at", "member", "action", "kind", "subject", "project", "details"};

/// "2026-03-01", a whole time, or an age such as "7d", as the server takes it.
Result<std::string> time_of(const std::string& text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') return text + "T00:00:00Z";
  if (text.find('-') != std::string::npos) return render(TRY(parse_time(text)));
  return render(system_clock().now() - TRY(parse_duration(text)));
}

Result<std::string> path_of(const Arguments& arguments) {
  std::string path = "/api/v1/audit";
  const auto add = [&](const char* name, const std::string& value) {
    path += (path.find('?') == std::string::npos ? "?" : "&") + std::string(name) + "=" + http::url_encode(value);
  };
  for (const char* name : {"person", "action", "subject"}) {
    if (arguments.has(name)) add(name, arguments.get(name));
  }
  if (arguments.has("in-project")) add("in_project", arguments.get("in-project"));
  for (const char* name : {"since", "until"}) {
    if (!arguments.has(name)) continue;
    const auto time = time_of(arguments.get(name));
    if (!time.ok()) return context(time.error(), std::string("in --") + name);
    add(name, *time);
  }
  return path;
}

/// As spreadsheets read it (RFC 4180).
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

void print_csv(const Json::Array& entries) {
  std::string line;
  for (const char* column : kColumns) line += (line.empty() ? "" : ",") + std::string(column);
  std::puts(line.c_str());
  for (const Json& entry : entries) {
    line.clear();
    for (const char* column : kColumns) line += (column == kColumns[0] ? "" : ",") + csv_cell(entry[column].string());
    std::puts(line.c_str());
  }
}

void print_entries(const Json::Array& entries) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& entry : entries) {
    const std::string& at = entry["at"].string();
    std::vector<std::string> row = {at.substr(0, 10) + " " + at.substr(11, 8)};
    for (const char* column : {"member", "action", "subject", "project", "details"})
      row.push_back(clean_utf8(entry[column].string(), kShownBytesMax));
    rows.push_back(std::move(row));
  }
  print_table({"WHEN (UTC)", "WHO", "ACTION", "SUBJECT", "PROJECT", "DETAILS"}, rows);
}

Result<int> run_audit(Context& context, const Arguments& arguments) {
  const std::string& format = arguments.get("format");
  if (!format.empty() && format != "csv" && format != "json")
    return Error{ErrorCode::invalid_argument, "--format takes csv or json, not '" + clean_utf8(format, 50) + "'"};
  const std::int64_t most = TRY(arguments.integer("limit"));
  if (most < 1) return Error{ErrorCode::invalid_argument, "--limit must be at least 1"};
  Json::Array entries = TRY(context.list(TRY(path_of(arguments)), "entries", static_cast<size_t>(most)));
  if (format == "csv") {
    print_csv(entries);
  } else if (format == "json" || context.json()) {
    print_json(Json().set("entries", std::move(entries)));
  } else if (entries.empty()) {
    std::puts("nothing of this kind was done");
  } else {
    print_entries(entries);
  }
  return kExitOk;
}

}  // namespace

void add_audit(Commands& commands) {
  commands.push_back(
      {.path = "audit",
       .summary = "Who did what on this server, newest first",
       .details =
           "Of all projects, unless --in-project names one. For admins. docs/operations.md lists what is recorded.",
       .example = "slipway audit --since 7d --action delete\n"
                  "  slipway audit --person ada --in-project lab --limit 1000",
       .positionals = {},
       .options = {{.name = "person", .value_name = "NAME", .help = "only what this member did"},
                   {.name = "action",
                    .value_name = "ACTION",
                    .help = "only this, as in 'delete run'; delete is all that begins so"},
                   {.name = "subject", .value_name = "ID", .help = "only what was done to this id or name"},
                   {.name = "in-project", .value_name = "NAME", .help = "only in this project"},
                   {.name = "since", .value_name = "TIME", .help = "2026-03-01, a whole time, or an age such as 7d"},
                   {.name = "until", .value_name = "TIME", .help = "before that time"},
                   {.name = "limit", .value_name = "N", .help = "at most so many lines", .otherwise = "100"},
                   {.name = "format", .value_name = "FORMAT", .help = "csv or json instead of a table"}},
       .run = run_audit});
}

}  // namespace slipway::cli
