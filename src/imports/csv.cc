#include "imports/csv.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr double kMillisFrom = 1e11;  // larger numbers are milliseconds since 1970, smaller ones seconds

struct Columns {
  std::vector<std::string> names;
  size_t step = SIZE_MAX, time = SIZE_MAX, run = SIZE_MAX;
};

Columns columns_of(std::vector<std::string> names) {
  Columns columns;
  for (size_t i = 0; i < names.size(); ++i) {
    std::string name = lower(trim(names[i]));
    if (i == 0 && name.starts_with("\xEF\xBB\xBF")) name = names[0] = name.substr(3);  // a mark that spreadsheets write
    if (name == "step") columns.step = i;
    if (name == "time" || name == "timestamp") columns.time = i;
    if (name == "run") columns.run = i;
  }
  columns.names = std::move(names);
  return columns;
}

std::optional<std::int64_t> time_of(const std::string& cell) {
  if (const auto number = parse_double(trim(cell)); number && std::isfinite(*number) && std::abs(*number) < 1e15)
    return static_cast<std::int64_t>(std::llround(*number > kMillisFrom ? *number : *number * 1000));
  const auto time = parse_time(trim(cell));
  return time.ok() ? std::optional(time->millis()) : std::nullopt;
}

std::optional<std::int64_t> step_of(const std::string& cell) {
  const auto number = parse_double(trim(cell));
  if (!number || !std::isfinite(*number) || std::abs(*number) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// The file as it is read.
class Table {
 public:
  Table(const std::filesystem::path& file, std::string name, Columns columns, Destination& destination,
        const std::string& experiment)
      : file_(file),
        name_(std::move(name)),
        columns_(std::move(columns)),
        destination_(destination),
        experiment_(experiment) {}

  Result<void> take(const std::vector<std::string>& cells) {
    ++row_;
    if (cells.size() == 1 && trim(cells[0]).empty()) return {};
    if (cells.size() != columns_.names.size()) {
      report_.add_problem(fmt::format("row {} of {}: {} cells, where the first row names {} columns", row_ + 1,
                                      file_.string(), cells.size(), columns_.names.size()));
      return {};
    }
    Running& running = *TRY(run_of(cells));
    Point point;
    const auto step = columns_.step == SIZE_MAX ? std::optional(running.rows++) : step_of(cells[columns_.step]);
    const auto at = columns_.time == SIZE_MAX ? std::optional<std::int64_t>(0) : time_of(cells[columns_.time]);
    if (!step || !at) {
      report_.add_problem(
          fmt::format("row {} of {}: its {} is no number", row_ + 1, file_.string(), step ? "time" : "step"));
      return {};
    }
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i == columns_.step || i == columns_.time || i == columns_.run || trim(cells[i]).empty()) continue;
      const auto value = parse_double(trim(cells[i]));
      if (!value) {
        ++no_numbers_;
        continue;
      }
      TRY(running.run.add(destination_, experiment_, {std::string(trim(columns_.names[i])), *value, *at, *step}));
    }
    return {};
  }

  Result<Report> finish() {
    for (auto& [name, running] : runs_) {
      TRY(running.run.finish(destination_, experiment_));
      ++report_.runs.seen;
      ++report_.runs.carried;
      report_.points += running.run.points();
    }
    if (no_numbers_ > 0) report_.left_behind.push_back(fmt::format("{} cells that are no numbers", no_numbers_));
    return report_;
  }

 private:
  struct Running {
    SeriesRun run;
    std::int64_t rows = 0;
  };

  Result<Running*> run_of(const std::vector<std::string>& cells) {
    const std::string name = columns_.run == SIZE_MAX ? name_ : std::string(trim(cells[columns_.run]));
    const auto known = runs_.find(name);
    if (known != runs_.end()) return &known->second;
    if (runs_.size() >= kCsvRunsMax)
      return Error{ErrorCode::too_large, fmt::format("{} names more than {} runs", file_.string(), kCsvRunsMax)};
    const std::string id = id_of_origin("csv\n" + file_.filename().string() + "\n" + name_ + "\n" + name);
    return &runs_.try_emplace(name, Running{SeriesRun(id, name.empty() ? name_ : name, file_.string()), 0})
                .first->second;
  }

  const std::filesystem::path file_;
  const std::string name_;
  const Columns columns_;
  Destination& destination_;
  const std::string experiment_;
  std::map<std::string, Running> runs_;
  std::int64_t row_ = 0, no_numbers_ = 0;
  Report report_;
};

}  // namespace

Result<bool> read_csv_record(std::istream& in, std::vector<std::string>& cells) {
  cells.clear();
  std::string cell;
  bool quoted = false, any = false;
  for (int c = in.get(); c != EOF; c = in.get()) {
    any = true;
    if (cell.size() > kCsvCellBytesMax || cells.size() > kCsvColumnsMax)
      return Error{ErrorCode::too_large, "a row of the table has a cell over 1 MiB or more than 100,000 cells"};
    if (quoted && c == '"' && in.peek() == '"') {
      cell += static_cast<char>(in.get());
    } else if (c == '"' && (quoted || cell.empty())) {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      cells.push_back(std::move(cell));
      cell.clear();
    } else if (!quoted && c == '\n') {
      break;
    } else if (quoted || c != '\r' || in.peek() != '\n') {
      cell += static_cast<char>(c);
    }
  }
  if (any) cells.push_back(std::move(cell));
  return any;
}

Result<Report> carry_csv(const std::filesystem::path& file, const std::string& name, Destination& destination,
                         const std::string& experiment) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorCode::not_found, "there is no file " + file.string() + " that could be read"};
  std::vector<std::string> cells;
  if (!TRY(read_csv_record(in, cells)))
    return Error{ErrorCode::invalid_argument, file.string() + " is empty; expected a first row that names the columns"};
  Table table(file, name, columns_of(std::move(cells)), destination, experiment);
  while (TRY(read_csv_record(in, cells))) TRY(table.take(cells));
  return table.finish();
}

}  // namespace slipway::imports
