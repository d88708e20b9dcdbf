#include "api/native/runs_export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "api/api.h"
#include "api/native/csv_table.h"
#include "api/native/filter_query.h"
#include "base/file.h"
#include "base/text.h"
#include "catalog/parquet_file.h"
#include "tracking/export_table.h"

namespace slipway::api {
namespace {

namespace fs = std::filesystem;
using http::Request;
using http::Responder;

constexpr size_t kCsvColumnsMax = 100'000;
constexpr size_t kPieceBytes = 1 << 20;
constexpr std::int64_t kRowsBetweenDiskLooks = 100'000;

struct Exporter {
  tracking::Tracking& tracking;
  RunExtras extras;
  ExportPlace place;
  std::atomic<int> parquet_now{0};
};

struct Wanted {
  tracking::RunQuery query;
  bool points = false, parquet = false;
};

Result<bool> is_second(const Request& request, const char* name, const char* first, const char* second) {
  const std::string_view given = request.query_value(name).value_or(first);
  if (given == first || given == second) return given == second;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' is '{}'; expected {} or {}", name, clean_utf8(given, 50), first, second)};
}

/// Everything but the filter.
Result<void> read_request(const Request& request, Wanted& wanted) {
  wanted.points = TRY(is_second(request, "rows", "runs", "points"));
  wanted.parquet = TRY(is_second(request, "format", "csv", "parquet"));
  wanted.query.order = TRY(order_of(request));
  for (const auto& [key, value] : request.query) {
    if (key == "experiment" && !value.empty()) wanted.query.experiments.emplace_back(value);
  }
  wanted.query.all_experiments = wanted.query.experiments.empty();
  wanted.query.parts = TRY(run_parts_of(request));
  return {};
}

Result<void> write_table(Exporter& exporter, const Wanted& wanted, const tracking::OpenTable& open) {
  if (wanted.points)
    return tracking::export_points(exporter.tracking.search(), exporter.tracking.metrics(), wanted.query, open);
  const auto member = [&](const tracking::Run& run) {
    const std::string name = run.member && exporter.extras.member_name ? exporter.extras.member_name(*run.member) : "";
    return name.empty() ? run.user_name : name;
  };
  const size_t columns_max = wanted.parquet ? catalog::kParquetFileColumnsMax : kCsvColumnsMax;
  return tracking::export_runs(exporter.tracking.search(), wanted.query, columns_max, member, open);
}

http::Response file_head(const Wanted& wanted, const char* type) {
  http::Response head;
  head.compressible = !wanted.parquet;
  head.headers.set("Content-Type", type);
  head.headers.set("Content-Disposition",
                   fmt::format("attachment; filename=\"{}.{}\"", wanted.points ? "points" : "runs",
                               wanted.parquet ? "parquet" : "csv"));
  return head;
}

/// Goes out as it is read. An error after the first bytes cuts the answer short, which every client notices.
void send_csv(Exporter& exporter, const Wanted& wanted, const Responder& responder) {
  std::shared_ptr<http::BodyWriter> body;
  std::unique_ptr<CsvTable> table;
  auto written = write_table(exporter, wanted,
                             [&](const std::vector<catalog::TableColumn>& columns) -> Result<catalog::TableWriter*> {
                               body = responder.stream(file_head(wanted, "text/csv; charset=utf-8"));
                               table = std::make_unique<CsvTable>(body, columns);
                               return table.get();
                             });
  if (written.ok()) written = table->finish();
  if (written.ok()) return;
  if (body) return body->abort();
  responder.send(error_response(written.error()));
}

/// A folder of one export, gone with it.
class Scratch {
 public:
  static Result<std::unique_ptr<Scratch>> make(const fs::path& parent) {
    auto scratch = std::make_unique<Scratch>();
    scratch->path_ = parent / new_id_text(system_clock());
    TRY(make_directories(scratch->path_));
    return scratch;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// One of kParquetExportsMax places.
class Slot {
 public:
  explicit Slot(std::atomic<int>& taken) : taken_(taken), is_mine_(++taken <= kParquetExportsMax) {}
  ~Slot() { --taken_; }
  Slot(const Slot&) = delete;
  explicit operator bool() const { return is_mine_; }

 private:
  std::atomic<int>& taken_;
  const bool is_mine_;
};

/// Looks from time to time whether the disk has room for the rest, so that an export never takes what records need.
class CarefulTable : public catalog::TableWriter {
 public:
  CarefulTable(std::unique_ptr<catalog::ParquetFile> file, const ExportPlace& place)
      : file_(std::move(file)), place_(place) {}

  void text(std::string_view value) override { file_->text(value); }
  void integer(std::int64_t value) override { file_->integer(value); }
  void number(double value) override { file_->number(value); }
  void time(Time value) override { file_->time(value); }
  void null() override { file_->null(); }
  Result<void> end_row() override {
    TRY(file_->end_row());
    if (file_->rows() % kRowsBetweenDiskLooks != 0) return {};
    return check_disk();
  }
  Result<fs::path> finish() {
    TRY(check_disk());
    return file_->finish();
  }
  std::int64_t rows() const { return file_->rows(); }

 private:
  Result<void> check_disk() const {
    if (TRY(free_disk_bytes(place_.folder)) >= place_.disk_free_bytes_min) return {};
    return Error{ErrorCode::busy,
                 "the server's disk has too little room for this export; narrow the search, or export CSV, which needs "
                 "no room there"};
  }

  const std::unique_ptr<catalog::ParquetFile> file_;
  const ExportPlace& place_;
};

struct Written {
  fs::path file;
  std::int64_t rows = 0;
};

Result<Written> write_parquet(Exporter& exporter, const Wanted& wanted, const fs::path& folder) {
  std::unique_ptr<CarefulTable> table;
  TRY(write_table(
      exporter, wanted, [&](const std::vector<catalog::TableColumn>& columns) -> Result<catalog::TableWriter*> {
        table = std::make_unique<CarefulTable>(TRY(catalog::ParquetFile::create(folder, columns)), exporter.place);
        return table.get();
      }));
  return Written{TRY(table->finish()), table->rows()};
}

void send_file(const UniqueFd& file, std::uint64_t size, http::BodyWriter& body) {
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t sent = 0; sent < size;) {
    const ssize_t n = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(sent));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return body.abort();
    if (!body.write({piece.data(), static_cast<size_t>(n)}).ok()) return;
    sent += static_cast<std::uint64_t>(n);
  }
}

Result<void> send_parquet(Exporter& exporter, const Wanted& wanted, const Responder& responder) {
  const Slot slot(exporter.parquet_now);
  if (!slot)
    return Error{ErrorCode::busy,
                 fmt::format("{} Parquet files are being written; try again later", kParquetExportsMax)};
  const auto scratch = TRY(Scratch::make(exporter.place.folder));
  const Written written = TRY(write_parquet(exporter, wanted, scratch->path()));
  const UniqueFd file = TRY(open_file(written.file, O_RDONLY | O_CLOEXEC));
  std::error_code problem;
  const std::uint64_t size = fs::file_size(written.file, problem);
  if (problem) return system_error("measure", written.file, problem.value());
  http::Response head = file_head(wanted, "application/vnd.apache.parquet");
  head.headers.set("X-Slipway-Rows", std::to_string(written.rows));
  send_file(file, size, *responder.stream(std::move(head), size));
  return {};
}

void export_table(Exporter& exporter, const Request& request, const Responder& responder) {
  Wanted wanted{.query = {.project = project_of(request)}};
  if (auto refused = read_filter(request, wanted.query.filter)) return responder.send(std::move(*refused));
  auto done = read_request(request, wanted);
  if (done.ok() && !wanted.parquet) return send_csv(exporter, wanted, responder);
  if (done.ok()) done = send_parquet(exporter, wanted, responder);
  if (!done.ok()) responder.send(error_response(done.error()));
}

}  // namespace

void add_runs_export(http::Router& router, tracking::Tracking& tracking, RunExtras extras, ExportPlace place) {
  std::error_code ignored;
  fs::remove_all(place.folder, ignored);  // what a killed server left
  const std::shared_ptr<Exporter> exporter(new Exporter{tracking, std::move(extras), std::move(place)});
  router.add(http::Method::get, "/api/v1/runs/export",
             [exporter](Request& request, Responder responder) { export_table(*exporter, request, responder); });
}

}  // namespace slipway::api
