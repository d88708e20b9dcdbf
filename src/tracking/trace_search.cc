#include <fmt/format.h>

#include <algorithm>

#include "tracking/search_sql.h"
#include "tracking/span_codec.h"
#include "tracking/trace_filter.h"
#include "tracking/trace_rows.h"
#include "tracking/traces.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr size_t kOpenedAtOnce = 200;  // candidates fetched before their spans are opened
constexpr size_t kOrderMax = 8;
constexpr size_t kTraceReadBytes = 4096;  // what looking at a trace counts for beside its spans

struct Candidate {
  std::int64_t number = 0;
  catalog::Values keys;
};

/// One search: candidates by table, in order, each then held against what only its spans say.
class Walk {
 public:
  Walk(Connection& connection, const TraceQuery& query, const TraceFilter& filter, const std::vector<SortKey>& keys)
      : connection_(connection), query_(query), filter_(filter), keys_(keys) {}

  /// The traces of the page. last() is where it ended when there is more.
  Result<std::vector<std::int64_t>> page(catalog::Values after) {
    const Sql scope = TRY(trace_scope(connection_, query_.project, query_.experiments, query_.all_experiments));
    const bool opens = filter_.looks_inside();
    const size_t at_once = opens ? kOpenedAtOnce : query_.page_size + 1;
    while (true) {
      const auto found = TRY(candidates(scope, after, at_once));
      for (const Candidate& candidate : found) {
        if (page_.size() == query_.page_size || opened_ > kSpanBytesSearchedMax) {
          last_ = after;
          return page_;
        }
        after = candidate.keys;
        if (!opens || TRY(matches(candidate.number))) page_.push_back(candidate.number);
      }
      if (found.size() < at_once) return page_;
    }
  }

  const std::optional<catalog::Values>& last() const { return last_; }

 private:
  Result<std::vector<Candidate>> candidates(const Sql& scope, const catalog::Values& after, size_t most) {
    Sql sql{"SELECT t.number", {}};
    sql.add(select_keys(keys_)).add(" FROM traces t WHERE ").add(scope).add(filter_.where);
    if (!filter_.spans.empty()) sql.add(" AND ").add(filter_.spans.sql("t.number"));
    if (!after.empty()) sql.add(" AND ").add(rows_after(keys_, after));
    sql.add(order_by(keys_)).add(" LIMIT ?", static_cast<std::int64_t>(most));
    return connection_.rows(sql.text, sql.values, [&](const catalog::Row& row) {
      return Candidate{row.integer(0), read_keys(row, 1, keys_)};
    });
  }

  Result<bool> matches(std::int64_t trace) {
    const auto bytes = TRY(connection_.first("SELECT span_bytes FROM traces WHERE number = ?", {trace},
                                             [](const catalog::Row& row) { return row.integer(0); }));
    opened_ += kTraceReadBytes + (filter_.spans.looks_inside() ? static_cast<size_t>(bytes.value_or(0)) : 0);
    return passes_inside(connection_, filter_, trace);
  }

  Connection& connection_;
  const TraceQuery& query_;
  const TraceFilter& filter_;
  const std::vector<SortKey>& keys_;
  std::vector<std::int64_t> page_;
  std::optional<catalog::Values> last_;
  size_t opened_ = 0;
};

std::string print_of(const TraceQuery& query) {
  std::string print = query.project.text + render(query.filter);
  for (const OrderTerm& term : query.order) print += '\t' + render(term);
  for (const ExperimentId& id : query.experiments) print += '\n' + id.text;
  return fingerprint(print);
}

}  // namespace

Result<Paged<Trace>> Traces::search(const TraceQuery& query) {
  if (query.page_size == 0 || query.page_size > kTracePageMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid value for max_results: {}; expected 1 to {}", query.page_size, kTracePageMax)};
  }
  if (query.order.size() > kOrderMax)
    return Error{ErrorCode::too_large, fmt::format("traces are ordered by at most {} terms", kOrderMax)};
  const TraceFilter filter = TRY(make_trace_filter(query.filter));
  const auto keys = TRY(trace_sort_keys(query.order));
  const std::string print = print_of(query);
  catalog::Values after;
  if (!query.page_token.empty()) after = TRY(parse_page_keys(query.page_token, print, keys));
  return database_.read_value([&](Connection& connection) -> Result<Paged<Trace>> {
    Walk walk(connection, query, filter, keys);
    const auto numbers = TRY(walk.page(after));
    Paged<Trace> page;
    page.items = TRY(read_traces(connection, numbers));
    if (walk.last()) page.next_page_token = render_page_token({print, 0, *walk.last()});
    return page;
  });
}

Result<FilterCounts> Traces::count(const ProjectId& project, const std::vector<ExperimentId>& experiments,
                                   const Filter& base, const Filter& first, const Filter& second) {
  const TraceFilter of_base = TRY(make_trace_filter(base));
  const TraceFilter of_first = TRY(make_trace_filter(first)), of_second = TRY(make_trace_filter(second));
  return database_.read_value([&](Connection& connection) -> Result<FilterCounts> {
    const Sql scope = TRY(trace_scope(connection, project, experiments, false));
    const auto all = TRY(passing_traces(connection, scope, of_base, kTracesCountedMax));
    const auto within = [&](const TraceFilter& filter) -> Result<std::vector<std::int64_t>> {
      const auto passing = TRY(passing_traces(connection, scope, filter, kTracesCountedMax));
      std::vector<std::int64_t> out;
      std::set_intersection(passing.begin(), passing.end(), all.begin(), all.end(), std::back_inserter(out));
      return out;
    };
    const auto a = TRY(within(of_first)), b = TRY(within(of_second));
    std::vector<std::int64_t> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    const auto size = [](const auto& numbers) { return static_cast<std::int64_t>(numbers.size()); };
    return FilterCounts{size(all), size(a), size(b), size(both)};
  });
}

}  // namespace slipway::tracking
