#include "runs/log_store.h"

#include <zstd.h>

#include <algorithm>

#include "base/check.h"

namespace slipway::runs {
namespace {

constexpr int kLevel = 1;  // log text shrinks five times at any level; the writer's thread must not wait

std::string compress(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  CHECK(!ZSTD_isError(size), "zstd refuses to compress into a buffer of its own bound");
  out.resize(size);
  return out;
}

Result<std::string> decompress(std::string_view bytes, std::uint64_t length) {
  std::string out(length, '\0');
  const size_t size = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) || size != length)
    return Error{ErrorCode::data_loss, "a chunk of the run's log cannot be decompressed"};
  return out;
}

struct Chunk {
  std::uint64_t start = 0;
  std::string bytes;
};

Result<Chunk> chunk_of(const catalog::Row& row) {
  auto bytes = TRY(decompress(row.blob(2), static_cast<std::uint64_t>(row.integer(1))));
  return Chunk{static_cast<std::uint64_t>(row.integer(0)), std::move(bytes)};
}

std::int64_t as_integer(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace

Result<void> append_log(catalog::Connection& connection, const RunId& run, std::uint64_t size, std::string_view bytes) {
  if (size > 0) {
    const auto last = TRY(
        connection.first("SELECT start_at, length, bytes FROM run_logs WHERE run_id = ? ORDER BY start_at DESC LIMIT 1",
                         {run.text}, chunk_of));
    if (last && last->ok() && (*last)->bytes.size() < kLogChunkBytes) {
      const size_t taken = std::min<size_t>(bytes.size(), kLogChunkBytes - (*last)->bytes.size());
      const std::string grown = (*last)->bytes + std::string(bytes.substr(0, taken));
      TRY(connection.run(
          "UPDATE run_logs SET length = ?, bytes = ? WHERE run_id = ? AND start_at = ?",
          {as_integer(grown.size()), catalog::Blob{compress(grown)}, run.text, as_integer((*last)->start)}));
      bytes.remove_prefix(taken);
      size += taken;
    }
  }
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kLogChunkBytes);
    TRY(connection.run("INSERT INTO run_logs (run_id, start_at, length, bytes) VALUES (?, ?, ?, ?)",
                       {run.text, as_integer(size), as_integer(piece.size()), catalog::Blob{compress(piece)}}));
    size += piece.size();
    bytes.remove_prefix(piece.size());
  }
  return {};
}

Result<std::uint64_t> LogStore::size(const RunId& run) {
  return database_.read_value([&](catalog::Connection& connection) -> Result<std::uint64_t> {
    const auto end = TRY(connection.first(
        "SELECT start_at + length FROM run_logs WHERE run_id = ? ORDER BY start_at DESC LIMIT 1", {run.text},
        [](const catalog::Row& row) { return static_cast<std::uint64_t>(row.integer(0)); }));
    return end.value_or(0);
  });
}

Result<LogPiece> LogStore::read(const RunId& run, std::int64_t offset, std::uint64_t bytes_max) {
  bytes_max = std::min(bytes_max, kLogReadBytesMax);
  return database_.read_value([&](catalog::Connection& connection) -> Result<LogPiece> {
    LogPiece piece;
    const auto end = TRY(connection.first(
        "SELECT start_at + length FROM run_logs WHERE run_id = ? ORDER BY start_at DESC LIMIT 1", {run.text},
        [](const catalog::Row& row) { return static_cast<std::uint64_t>(row.integer(0)); }));
    piece.size = end.value_or(0);
    const std::int64_t from = offset < 0 ? as_integer(piece.size) + offset : offset;
    piece.offset = std::min(piece.size, static_cast<std::uint64_t>(std::max<std::int64_t>(0, from)));
    Result<void> good;
    // The chunk that holds the offset begins at most one chunk before it.
    TRY(connection.run(
        "SELECT start_at, length, bytes FROM run_logs WHERE run_id = ? AND start_at > ? AND start_at < ? ORDER BY start_at",
        {run.text, as_integer(piece.offset) - as_integer(kLogChunkBytes) - 1, as_integer(piece.offset + bytes_max)},
        [&](const catalog::Row& row) {
          const auto chunk = chunk_of(row);
          if (!chunk.ok()) {
            good = chunk.error();
            return false;
          }
          const std::uint64_t at = piece.offset + piece.bytes.size();
          const std::uint64_t skip = at > chunk->start ? at - chunk->start : 0;
          if (skip < chunk->bytes.size())
            piece.bytes += std::string_view(chunk->bytes).substr(skip, bytes_max - piece.bytes.size());
          return piece.bytes.size() < bytes_max;
        }));
    if (!good.ok()) return good.error();
    piece.next_offset = piece.offset + piece.bytes.size();
    return piece;
  });
}

}  // namespace slipway::runs
