#include "api/native/run_tables.h"

#include <fmt/format.h>

#include <memory>
#include <semaphore>
#include <utility>

#include "api/api.h"
#include "api/native/run_files.h"
#include "base/text.h"
#include "catalog/parquet.h"

namespace slipway::api {
namespace {

using http::Request;
using http::Responder;

constexpr std::int64_t kRowsDefault = 100;

/// A place among those who read.
class Place {
 public:
  using Semaphore = std::counting_semaphore<kTablesReadMax>;
  static Result<Place> take(Semaphore& places) {
    if (places.try_acquire_for(kTableWaitMax)) return Place(places);
    return Error{ErrorCode::busy, fmt::format("{} tables are being read; try again in a moment", kTablesReadMax)};
  }
  Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
  ~Place() {
    if (places_) places_->release();
  }

 private:
  explicit Place(Semaphore& places) : places_(&places) {}
  Semaphore* places_;
};

struct Tables {
  tracking::Tracking& tracking;
  registry::Artifacts& artifacts;
  store::Store& store;
  Place::Semaphore places{kTablesReadMax};
};

Result<std::int64_t> number_of(const Request& request, const char* name, std::int64_t otherwise, std::int64_t most) {
  const auto given = request.query_value(name);
  if (!given) return otherwise;
  const auto number = parse_i64(*given);
  if (number && *number >= 0 && *number <= most) return *number;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' is '{}'; expected 0 to {}", name, clean_utf8(*given, 50), most)};
}

std::string table_json(const catalog::ParquetRows& table) {
  JsonWriter json;
  json.begin_object().key("columns").begin_array();
  for (const auto& column : table.columns)
    json.begin_object().member("name", column.name).member("type", column.type).end_object();
  json.end_array().key("rows").begin_array();
  for (const auto& row : table.rows) {
    json.begin_array();
    for (const auto& cell : row) {
      if (cell)
        json.value(*cell);
      else
        json.null();
    }
    json.end_array();
  }
  json.end_array().member("column_count", table.column_count).member("row_count", table.row_count).end_object();
  return json.take();
}

Result<std::string> read(Tables& tables, const Request& request) {
  const std::int64_t first = TRY(number_of(request, "offset", 0, INT64_MAX));
  const std::int64_t count = TRY(number_of(request, "rows", kRowsDefault, catalog::kParquetRowsMax));
  const auto owner = TRY(run_owner(tables.tracking, project_of(request), RunId(request.parameter("run"))));
  const auto artifact = TRY(tables.artifacts.get(owner, request.parameter("path")));
  const auto blob = TRY(tables.store.open_blob(artifact.hash));
  const auto file = blob->local_file();
  if (!file)
    return Error{ErrorCode::unavailable, "tables are only shown of files on the server's own disk; fetch the file"};
  const Place place = TRY(Place::take(tables.places));
  return table_json(TRY(catalog::read_parquet_rows(*file, first, count)));
}

}  // namespace

void add_run_tables(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                    store::Store& store) {
  // Shared by the handlers, which live as long as the router.
  const std::shared_ptr<Tables> tables(new Tables{tracking, artifacts, store});
  router.add(http::Method::get, "/api/v1/runs/{run}/artifacts/table/{path...}",
             [tables](Request& request, Responder responder) {
               answer(responder, read(*tables, request),
                      [](const std::string& json) { return http::Response::json(json); });
             });
}

}  // namespace slipway::api
