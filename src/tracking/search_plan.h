// What a search of runs asks of the database: its filter and order as conditions, joins and sort keys. Private to the
// room.
#pragma once

#include <string_view>
#include <vector>

#include "tracking/fresh_values.h"
#include "tracking/search.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

/// Everything a query's SQL is made of, before phases and pages.
struct Plan {
  Sql joins;                  // of order terms beyond the first metric
  Sql where;                  // conditions on columns of r
  Sql of_run;                 // conditions on the run's number, which is kRun in their text; each begins with " AND "
  std::vector<SortKey> keys;  // after the phase
  bool metric_first = false;  // the first order term is a metric:
  MetricNumber metric = 0;    // this one; 0 when nobody ever logged it
  bool metric_ascending = true;
  std::vector<FreshValue> fresh;  // its values that count instead of metric_latest's
  std::string pair_table;         // the first order term is a parameter or tag, of this table:
  std::string pair_key;           // this one
  bool pair_ascending = true;
  bool along_pairs = false;  // its rows are read along the index of values until the page is full, else run by run
  std::vector<std::int64_t> experiments;
  bool is_postgres = false;

  /// Runs that have what is ordered by first come before those that do not.
  bool has_phases() const { return metric_first || !pair_table.empty(); }
};

/// The part of a parameter's or tag's value that is indexed, with the row being `alias`.
std::string indexed_value(std::string_view alias);

/// Stands for the run's number in Plan::of_run. Where a walk knows the number before the row, it need not look the row
/// up.
inline constexpr std::string_view kRun = "@run";

/// Both kinds of conditions, with the run's number being `run`.
Sql conditions(const Plan& plan, std::string_view run);

/// Up to so many runs are listed by a condition of their own; more are looked at one by one.
inline constexpr std::int64_t kListedRunsMax = 10'000;

/// A query with what is known of it.
struct Asked {
  catalog::Connection& connection;
  const Metrics& metrics;
  const RunQuery& query;
  const std::vector<std::int64_t>& experiments;  // by number
  const FreshValues& fresh;                      // of the metrics in the query's filter and order
  bool counts = false;                           // all that pass are wanted, not the first of them
};

/// Those of the query's experiments that exist.
Result<std::vector<std::int64_t>> experiment_numbers(catalog::Connection& connection, const RunQuery& query);

/// invalid_argument for a name or comparison that runs do not have.
Result<Plan> make_plan(const Asked& asked);

}  // namespace slipway::tracking
