#include "tracking/trace_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/text.h"
#include "tracking/search_sql.h"
#include "tracking/span_codec.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;

namespace {

constexpr size_t kKeyMax = 250;

Trace make_trace(const Row& row) {
  Trace out;
  out.number = row.integer(0);
  out.id = TraceId(row.text(1));
  out.experiment = ExperimentId(row.text(2));
  out.state = parse_trace_state(row.text(3)).value_or(TraceState::unspecified);
  if (const auto name = row.maybe_text(4)) out.tags.emplace_back(kTraceNameTag, *name);
  out.started_at = {row.integer(5)};
  if (const auto duration = row.maybe_integer(6)) out.duration = Duration(*duration);
  out.client_request_id = row.maybe_text(7);
  out.request_preview = row.maybe_text(8);
  out.response_preview = row.maybe_text(9);
  return out;
}

using ByNumber = std::unordered_map<std::int64_t, Trace>;

Result<void> read_pairs_into(Connection& connection, std::string_view table, const Sql& which, ByNumber& traces,
                             KeyValues Trace::*member) {
  TRY(connection.run(
      fmt::format("SELECT x.trace, x.key, x.value FROM {} x WHERE {} ORDER BY x.trace, x.key", table, which.text),
      which.values, [&](const Row& row) {
        if (const auto found = traces.find(row.integer(0)); found != traces.end())
          (found->second.*member).emplace_back(row.text(1), row.text(2));
        return true;
      }));
  return {};
}

/// The column that keeps one count of tokens.
struct TokenColumn {
  std::string_view key, column;
};
constexpr std::array<TokenColumn, 5> kTokenColumns{{{"input_tokens", "input_tokens"},
                                                    {"output_tokens", "output_tokens"},
                                                    {"total_tokens", "total_tokens"},
                                                    {"cache_read_input_tokens", "cache_read_input_tokens"},
                                                    {"cache_creation_input_tokens", "cache_creation_input_tokens"}}};

Result<void> keep_tokens(Connection& connection, std::int64_t trace, const std::string& usage) {
  const auto json = Json::parse(usage);
  if (!json.ok()) return {};
  Sql sql{"UPDATE traces SET ", {}};
  for (const TokenColumn& one : kTokenColumns) {
    const auto count = (*json)[one.key].integer();
    sql.add(sql.values.empty() ? "" : ", ").add(one.column);
    sql.add(" = ?", count ? catalog::Value(*count) : catalog::Value(nullptr));
  }
  sql.add(" WHERE number = ?", trace);
  TRY(connection.run(sql.text, sql.values));
  return {};
}

}  // namespace

std::string stored_text(std::string_view text, size_t characters_max) {
  size_t end = 0, characters = 0;
  // The start of a character is a byte that is not 10xxxxxx.
  for (; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80 && ++characters > characters_max) break;
  }
  std::string out = clean_utf8(text.substr(0, end));
  std::erase(out, '\0');
  return out;
}

Result<std::optional<TraceRow>> find_trace_row(Connection& connection, const ProjectId& project, const TraceId& id) {
  return connection.first(
      "SELECT number, state, started_at, duration, CASE WHEN request_preview IS NULL THEN 0 ELSE 1 END, "
      "CASE WHEN response_preview IS NULL THEN 0 ELSE 1 END, is_told, span_bytes FROM traces WHERE project_id = ? AND id = ?",
      {project.text, stored_text(id.text, kKeyMax)}, [](const Row& row) {
        TraceRow out;
        out.number = row.integer(0);
        out.state = parse_trace_state(row.text(1)).value_or(TraceState::unspecified);
        out.started_at = {row.integer(2)};
        if (const auto duration = row.maybe_integer(3)) out.duration = Duration(*duration);
        out.has_request = row.integer(4) != 0;
        out.has_response = row.integer(5) != 0;
        out.is_told = row.integer(6) != 0;
        out.span_bytes = row.integer(7);
        return out;
      });
}

Result<TraceRow> need_trace_row(Connection& connection, const ProjectId& project, const TraceId& id) {
  const auto found = TRY(find_trace_row(connection, project, id));
  if (found) return *found;
  return Error{ErrorCode::not_found, fmt::format("Trace with ID '{}' not found.", clean_utf8(id.text, 300))};
}

Result<std::vector<Trace>> read_traces(Connection& connection, std::span<const std::int64_t> numbers) {
  if (numbers.empty()) return std::vector<Trace>{};
  ByNumber traces;
  const Sql which = among("t.number", numbers, connection.is_postgres());
  TRY(connection.run(
      "SELECT t.number, t.id, e.id, t.state, t.name, t.started_at, t.duration, t.client_request_id, t.request_preview, "
      "t.response_preview FROM traces t JOIN experiments e ON e.number = t.experiment WHERE " +
          which.text,
      which.values, [&](const Row& row) {
        traces.emplace(row.integer(0), make_trace(row));
        return true;
      }));
  const Sql owned = among("x.trace", numbers, connection.is_postgres());
  TRY(read_pairs_into(connection, "trace_tags", owned, traces, &Trace::tags));
  TRY(read_pairs_into(connection, "trace_metadata", owned, traces, &Trace::metadata));
  const Sql assessed = among("a.trace", numbers, connection.is_postgres());
  for (auto& [number, assessment] : TRY(read_assessments(connection, assessed.text, assessed.values))) {
    if (const auto found = traces.find(number); found != traces.end())
      found->second.assessments.push_back(std::move(assessment));
  }
  std::vector<Trace> out;
  for (const std::int64_t number : numbers) {
    const auto found = traces.find(number);
    if (found == traces.end()) continue;
    std::sort(found->second.tags.begin(), found->second.tags.end());
    out.push_back(std::move(found->second));
    traces.erase(found);
  }
  return out;
}

Result<void> put_trace_tags(Connection& connection, std::int64_t trace, const KeyValues& tags) {
  for (const auto& [key, given] : tags) {
    const std::string value = stored_text(given, kTraceTagValueMax);
    if (key == kTraceNameTag) {
      TRY(connection.run("UPDATE traces SET name = ? WHERE number = ?", {value, trace}));
    } else {
      TRY(connection.run(
          "INSERT INTO trace_tags (trace, key, value) VALUES (?, ?, ?) ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value",
          {trace, stored_text(key, kKeyMax), value}));
    }
  }
  return {};
}

Result<void> put_trace_metadata(Connection& connection, std::int64_t trace, const KeyValues& metadata) {
  for (const auto& [key, given] : metadata) {
    const std::string value = stored_text(given, kTraceTagValueMax);
    TRY(connection.run(
        "INSERT INTO trace_metadata (trace, key, value) VALUES (?, ?, ?) ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value",
        {trace, stored_text(key, kKeyMax), value}));
    if (key == kTraceSessionKey)
      TRY(connection.run("UPDATE traces SET session = ? WHERE number = ?", {stored_text(value, kKeyMax), trace}));
    if (key == kTokenUsageKey) TRY(keep_tokens(connection, trace, value));
  }
  return {};
}

std::string trace_artifact_location(const Experiment& experiment, const TraceId& id) {
  return fmt::format("{}/traces/{}/artifacts", experiment.artifact_location, id.text);
}

Result<std::vector<Span>> read_spans(Connection& connection, std::int64_t trace) {
  std::vector<Span> spans;
  std::unordered_map<std::string, size_t> places;
  Result<void> read;
  TRY(connection.run("SELECT body FROM trace_span_batches WHERE trace = ? ORDER BY number", {trace},
                     [&](const Row& row) {
                       auto batch = unpack_spans(row.blob(0));
                       if (!batch.ok()) read = batch.error();
                       if (!read.ok()) return false;
                       for (Span& span : *batch) {
                         const auto [place, is_new] = places.emplace(span.id, spans.size());
                         if (is_new)
                           spans.push_back(std::move(span));
                         else
                           spans[place->second] = std::move(span);
                       }
                       return true;
                     }));
  TRY(std::move(read));
  sort_spans(spans);
  return spans;
}

Result<void> join_span_batches(Connection& connection, std::int64_t trace) {
  const auto rows = TRY(connection.first("SELECT COUNT(*) FROM trace_span_batches WHERE trace = ?", {trace},
                                         [](const Row& row) { return row.integer(0); }));
  if (rows.value_or(0) < 2) return {};
  const PackedSpans packed = pack_spans(TRY(read_spans(connection, trace)));
  TRY(connection.run("DELETE FROM trace_span_batches WHERE trace = ?", {trace}));
  TRY(connection.run("INSERT INTO trace_span_batches (trace, body) VALUES (?, ?)",
                     {trace, catalog::Blob{packed.body}}));
  TRY(connection.run("UPDATE traces SET span_bytes = ? WHERE number = ?",
                     {static_cast<std::int64_t>(packed.bytes), trace}));
  return {};
}

Result<void> remove_trace_rows(Connection& connection, std::span<const std::int64_t> numbers) {
  for (const char* table : {"trace_tags", "trace_metadata", "trace_links", "trace_spans", "trace_span_batches",
                            "assessments", "trace_files"}) {
    const Sql which = among("trace", numbers, connection.is_postgres());
    TRY(connection.run(fmt::format("DELETE FROM {} WHERE {}", table, which.text), which.values));
  }
  const Sql which = among("number", numbers, connection.is_postgres());
  TRY(connection.run("DELETE FROM traces WHERE " + which.text, which.values));
  return {};
}

}  // namespace slipway::tracking
