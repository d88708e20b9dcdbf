#include "tracking/trace_files.h"

#include <fmt/format.h>

#include "base/text.h"
#include "tracking/trace_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

namespace {

/// A hash that we wrote ourselves always parses.
Hash hash_of_text(std::string_view text) {
  const auto hash = parse_hash(text);
  return hash.ok() ? *hash : Hash{};
}

TraceFile make_file(const Row& row) {
  return {std::string(row.text(0)),
          hash_of_text(row.text(1)),
          static_cast<std::uint64_t>(row.integer(2)),
          {row.integer(3)}};
}

bool is_below(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

Result<std::vector<TraceFile>> read_files(Connection& connection, std::int64_t trace) {
  return connection.rows("SELECT path, hash, size, created_at FROM trace_files WHERE trace = ? ORDER BY path", {trace},
                         make_file);
}

Result<void> check_room(Connection& connection, std::int64_t trace) {
  const auto count = TRY(connection.first("SELECT COUNT(*) FROM trace_files WHERE trace = ?", {trace},
                                          [](const Row& row) { return row.integer(0); }));
  if (count.value_or(0) <= kTraceFilesMax) return {};
  return Error{ErrorCode::failed_precondition,
               fmt::format("the trace has {} files, which is the most there may be", kTraceFilesMax)};
}

}  // namespace

Result<void> TraceFiles::put(const ProjectId& project, const TraceId& trace, const std::string& path, const Hash& hash,
                             std::uint64_t size) {
  TRY(check_relative_path(path));
  const Time now = clock_.now();
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const TraceRow row = TRY(need_trace_row(connection, project, trace));
    TRY(connection.run(
        "INSERT INTO trace_files (trace, path, hash, size, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
        "(trace, path) DO UPDATE SET hash = excluded.hash, size = excluded.size, created_at = "
        "excluded.created_at",
        {row.number, path, render(hash), static_cast<std::int64_t>(size), now.micros}));
    return check_room(connection, row.number);
  });
}

Result<TraceFile> TraceFiles::get(const ProjectId& project, const TraceId& trace, const std::string& path) {
  return database_.read_value([&](Connection& connection) -> Result<TraceFile> {
    const TraceRow row = TRY(need_trace_row(connection, project, trace));
    auto file =
        TRY(connection.first("SELECT path, hash, size, created_at FROM trace_files WHERE trace = ? AND path = ?",
                             {row.number, path}, make_file));
    if (file) return std::move(*file);
    return Error{ErrorCode::not_found,
                 fmt::format("the trace {} has no file '{}'", clean_utf8(trace.text, 100), clean_utf8(path, 300))};
  });
}

Result<std::vector<TraceFile>> TraceFiles::all(const ProjectId& project, const TraceId& trace,
                                               const std::string& folder) {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<TraceFile>> {
    const TraceRow row = TRY(need_trace_row(connection, project, trace));
    auto files = TRY(read_files(connection, row.number));
    std::erase_if(files, [&](const TraceFile& file) { return !is_below(file.path, folder); });
    return files;
  });
}

Result<void> TraceFiles::remove(const ProjectId& project, const TraceId& trace, const std::string& path) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const TraceRow row = TRY(need_trace_row(connection, project, trace));
    for (const TraceFile& file : TRY(read_files(connection, row.number))) {
      if (file.path == path || is_below(file.path, path))
        TRY(connection.run("DELETE FROM trace_files WHERE trace = ? AND path = ?", {row.number, file.path}));
    }
    return {};
  });
}

Result<void> TraceFiles::visit(const std::function<void(const Hash&)>& visitor) {
  return database_.read([&](Connection& connection) -> Result<void> {
    TRY(connection.run("SELECT hash FROM trace_files", {}, [&](const Row& row) {
      visitor(hash_of_text(row.text(0)));
      return true;
    }));
    return {};
  });
}

}  // namespace slipway::tracking
