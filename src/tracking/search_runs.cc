// Searching runs. When the first order term is a metric, the rows come in three phases, each in the order of an index:
// runs that have a number for it, then NaN, then those that never logged it. Runs whose latest value is not in the
// table yet (fresh_values.h) are left out of that walk, sorted here and merged in. When it is a parameter or a tag,
// there are two phases: runs that have it, then those that do not.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <unordered_map>

#include "tracking/experiments.h"
#include "tracking/run_rows.h"
#include "tracking/search_plan.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

enum Phase { kValues, kNaN, kWithout, kPhases };

constexpr size_t kFreshRunsAtOnce = 250;  // whose rows are looked up, in the order of their values

/// A run with what it is sorted by.
struct Candidate {
  std::int64_t run = 0;
  catalog::Values keys;
};

/// The sort keys within a phase.
std::vector<SortKey> keys_of(const Plan& plan, int phase) {
  std::vector<SortKey> keys = plan.keys;
  if (phase != kValues) return keys;
  if (plan.metric_first) keys.insert(keys.begin(), {Sql{"o.value", {}}, plan.metric_ascending, KeyKind::real});
  if (plan.pair_table.empty()) return keys;
  // The index holds the beginnings of values, by which it is walked; the rest decides among equal ones.
  keys.insert(keys.begin(), {Sql{"o.value", {}}, plan.pair_ascending, KeyKind::text});
  keys.insert(keys.begin(), {Sql{indexed_value("o"), {}}, plan.pair_ascending, KeyKind::text});
  return keys;
}

std::vector<std::int64_t> fresh_runs(const Plan& plan) {
  std::vector<std::int64_t> runs;
  for (const FreshValue& one : plan.fresh) runs.push_back(one.run);
  return runs;
}

/// " FROM … WHERE …" of a phase along the index of a metric's values, as metric_latest knows them.
Sql rows_by_metric(const Plan& plan, int phase) {
  // CROSS JOIN holds SQLite to this order of the loops: along the index of values.
  Sql sql{" FROM metric_latest o CROSS JOIN runs r", {}};
  sql.add(plan.joins).add(" WHERE o.metric = ?", std::int64_t{plan.metric});
  if (!plan.experiments.empty()) sql.add(" AND ").add(one_of("o.experiment", plan.experiments));
  sql.add(" AND r.number = o.run AND ").add(conditions(plan, "o.run"));
  return sql.add(phase == kValues ? " AND o.value IS NOT NULL" : " AND o.value IS NULL");
}

/// The same for runs that have a parameter or tag: along the index of its values, or run by run.
Sql rows_by_pair(const Plan& plan) {
  Sql sql;
  if (plan.along_pairs)
    sql.add(" FROM " + plan.pair_table + " o CROSS JOIN runs r");
  else
    sql.add(" FROM runs r CROSS JOIN " + plan.pair_table + " o");
  sql.add(plan.joins).add(" WHERE o.key = ? AND o.run = r.number AND ", plan.pair_key);
  return sql.add(conditions(plan, plan.along_pairs ? "o.run" : "r.number"));
}

/// The same for runs in any order; where there are phases, those that have nothing to be ordered by.
Sql rows_by_run(const Plan& plan) {
  Sql sql{" FROM runs r", {}};
  sql.add(plan.joins).add(" WHERE ").add(conditions(plan, "r.number"));
  if (plan.metric_first)
    sql.add(" AND NOT EXISTS (SELECT 1 FROM metric_latest o WHERE o.run = r.number AND o.metric = ?)",
            std::int64_t{plan.metric});
  if (!plan.pair_table.empty())
    sql.add(" AND NOT EXISTS (SELECT 1 FROM " + plan.pair_table + " o WHERE o.run = r.number AND o.key = ?)",
            plan.pair_key);
  return sql;
}

/// The rows of a phase as the tables know them, without runs whose value is fresh.
Sql stored_rows(const Plan& plan, int phase) {
  if (!plan.pair_table.empty() && phase == kValues) return rows_by_pair(plan);
  const bool along_values = plan.metric_first && phase != kWithout;
  Sql sql = along_values ? rows_by_metric(plan, phase) : rows_by_run(plan);
  if (!plan.fresh.empty())
    sql.add(" AND NOT ").add(among(along_values ? "o.run" : "r.number", fresh_runs(plan), plan.is_postgres));
  return sql;
}

/// The first `most` of a phase's stored rows that come after `after` (empty: from the beginning).
Result<std::vector<Candidate>> read_stored(Connection& connection, const Plan& plan, int phase,
                                           const catalog::Values& after, size_t most) {
  const std::vector<SortKey> keys = keys_of(plan, phase);
  Sql sql{"SELECT r.number", {}};
  sql.add(select_keys(keys)).add(stored_rows(plan, phase));
  if (!after.empty()) sql.add(" AND ").add(rows_after(keys, after));
  sql.add(order_by(keys)).add(" LIMIT ?", static_cast<std::int64_t>(most));
  return connection.rows(sql.text, sql.values, [&](const catalog::Row& row) {
    return Candidate{row.integer(0), read_keys(row, 1, keys)};
  });
}

/// The fresh values that a phase may show, in the order of the page as far as they decide it.
std::vector<FreshValue> fresh_in_order(const Plan& plan, int phase, const catalog::Values& after) {
  const auto before = [&](double a, double b) { return plan.metric_ascending ? a < b : a > b; };
  const auto* last = phase == kValues && !after.empty() ? std::get_if<double>(&after[0]) : nullptr;
  std::vector<FreshValue> out;
  for (const FreshValue& one : plan.fresh) {
    const bool is_here = std::isnan(one.value) == (phase == kNaN);
    if (is_here && !(last && before(one.value, *last))) out.push_back(one);
  }
  if (phase == kValues)
    std::sort(out.begin(), out.end(),
              [&](const FreshValue& a, const FreshValue& b) { return before(a.value, b.value); });
  return out;
}

/// How many of these are looked up at once: equal values together, because more than they decides among them.
size_t piece_size(std::span<const FreshValue> values, int phase) {
  size_t size = phase == kNaN ? values.size() : std::min(values.size(), kFreshRunsAtOnce);
  while (size < values.size() && values[size].value == values[size - 1].value) ++size;
  return size;
}

/// Appends those of a piece that pass and come after `after`.
Result<void> read_fresh_piece(Connection& connection, const Plan& plan, int phase, const catalog::Values& after,
                              std::span<const FreshValue> piece, std::vector<Candidate>& found) {
  std::unordered_map<std::int64_t, double> values;
  std::vector<std::int64_t> runs;
  for (const FreshValue& one : piece) {
    values.emplace(one.run, one.value);
    runs.push_back(one.run);
  }
  const std::vector<SortKey> keys = keys_of(plan, phase);
  Sql sql{"SELECT r.number", {}};
  // CROSS JOIN holds SQLite to looking up only these.
  sql.add(select_keys(plan.keys)).add(" FROM ").add(rows_of("f", runs, plan.is_postgres)).add(" CROSS JOIN runs r");
  sql.add(plan.joins).add(" WHERE r.number = f.value AND ").add(conditions(plan, "r.number"));
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    Candidate candidate{row.integer(0), read_keys(row, 1, plan.keys)};
    if (phase == kValues) candidate.keys.emplace(candidate.keys.begin(), values.at(candidate.run));
    if (after.empty() || comes_before(keys, after, candidate.keys)) found.push_back(std::move(candidate));
    return true;
  }));
  return {};
}

/// The first `most` of a phase's rows whose values are fresh.
Result<std::vector<Candidate>> read_fresh(Connection& connection, const Plan& plan, int phase,
                                          const catalog::Values& after, size_t most) {
  std::vector<Candidate> found;
  if (plan.fresh.empty() || phase == kWithout) return found;
  const auto values = fresh_in_order(plan, phase, after);
  for (std::span<const FreshValue> rest(values); !rest.empty() && found.size() < most;) {
    const auto piece = rest.first(piece_size(rest, phase));
    rest = rest.subspan(piece.size());
    TRY(read_fresh_piece(connection, plan, phase, after, piece, found));
  }
  const std::vector<SortKey> keys = keys_of(plan, phase);
  const auto before = [&](const Candidate& a, const Candidate& b) { return comes_before(keys, a.keys, b.keys); };
  const size_t kept = std::min(most, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(), before);
  found.resize(kept);
  return found;
}

/// Which runs are asked for, whatever their order.
std::string selection_of(const RunQuery& query) {
  std::string text =
      query.project.text + '\n' + render(query.filter) + '\n' + std::to_string(static_cast<int>(query.view));
  for (const ExperimentId& id : query.experiments) text += '\n' + id.text;
  return fingerprint(text);
}

std::string fingerprint_of(const RunQuery& query) {
  std::string text = selection_of(query);
  for (const OrderTerm& term : query.order) text += '\t' + render(term);
  return fingerprint(text);
}

struct Found {
  std::vector<std::int64_t> numbers;
  std::optional<PageMark> next;
};

/// One page of run numbers, going on where `mark` says.
Result<Found> find_page(Connection& connection, const Plan& plan, const PageMark& mark, size_t page_size) {
  const Error damaged{ErrorCode::invalid_argument, "Invalid page token: it is damaged"};
  if (mark.phase < 0 || mark.phase >= kPhases) return damaged;
  Found found;
  for (int phase = plan.has_phases() ? mark.phase : kWithout; phase < kPhases; ++phase) {
    if (phase == kNaN && !plan.metric_first) continue;
    const std::vector<SortKey> keys = keys_of(plan, phase);
    const bool goes_on = !mark.last.empty() && phase == mark.phase;
    if (goes_on && mark.last.size() != keys.size()) return damaged;
    const catalog::Values after = goes_on ? mark.last : catalog::Values{};
    const size_t wanted = page_size - found.numbers.size() + 1;  // one more tells whether there is a next page
    const auto stored = TRY(read_stored(connection, plan, phase, after, wanted));
    const auto fresh = TRY(read_fresh(connection, plan, phase, after, wanted));
    std::vector<Candidate> merged;
    std::merge(stored.begin(), stored.end(), fresh.begin(), fresh.end(), std::back_inserter(merged),
               [&](const Candidate& a, const Candidate& b) { return comes_before(keys, a.keys, b.keys); });
    // When nothing of this phase fits, the next page begins with it.
    PageMark end{mark.query, phase, after};
    for (Candidate& candidate : merged) {
      if (found.numbers.size() == page_size) {
        found.next = std::move(end);
        return found;
      }
      found.numbers.push_back(candidate.run);
      end.last = std::move(candidate.keys);
    }
  }
  return found;
}

bool is_metric(const OrderTerm& term) { return term.entity == FilterEntity::metric; }

/// Where the first page begins.
Phase first_phase(const std::vector<OrderTerm>& order) {
  const bool by_row = order.empty() || order[0].entity == FilterEntity::attribute;
  return by_row ? kWithout : kValues;
}

/// The metrics that decide which runs are found and in what order, as far as anybody logged them.
Result<std::vector<MetricNumber>> metrics_of(Connection& connection, const Metrics& metrics, const RunQuery& query) {
  std::vector<std::string> keys;
  for (const FilterComparison& comparison : query.filter.comparisons) {
    if (comparison.entity == FilterEntity::metric) keys.push_back(comparison.key);
  }
  for (const OrderTerm& term : query.order) {
    if (is_metric(term)) keys.push_back(term.key);
  }
  std::vector<MetricNumber> numbers;
  for (const std::string& key : keys) {
    if (const auto number = TRY(metrics.names().number(connection, query.project, key))) numbers.push_back(*number);
  }
  return numbers;
}

/// Whether the order asks for a fresh metric elsewhere than first, where SQL alone sorts.
Result<bool> orders_beyond(Connection& connection, const Metrics& metrics, const RunQuery& query,
                           const FreshValues& fresh) {
  for (size_t i = 1; i < query.order.size(); ++i) {
    if (!is_metric(query.order[i])) continue;
    const auto number = TRY(metrics.names().number(connection, query.project, query.order[i].key));
    if (number && fresh.count(*number) > 0) return true;
  }
  return false;
}

/// How many active runs there are, by the index that holds nothing else; SQLite has to be told that it is the smallest.
Result<std::int64_t> count_active(const Asked& asked) {
  Sql sql{"SELECT COUNT(*) FROM experiments e CROSS JOIN runs r ", {}};
  sql.add(asked.connection.is_postgres() ? "" : "INDEXED BY runs_active ");
  sql.add("WHERE r.experiment = e.number AND r.deleted = 0 AND ");
  if (asked.query.all_experiments)
    sql.add("e.project_id = ?", asked.query.project.text);
  else
    sql.add(one_of("e.number", asked.experiments));
  return TRY(asked.connection.first(sql.text, sql.values, [](const catalog::Row& row) { return row.integer(0); }))
      .value_or(0);
}

/// How many runs pass, whatever their order.
Result<std::int64_t> count_all(Asked asked) {
  if (asked.query.filter.comparisons.empty() && asked.query.view == View::active) return count_active(asked);
  asked.counts = true;
  const Plan plan = TRY(make_plan(asked));
  Sql sql{"SELECT COUNT(*) FROM runs r WHERE ", {}};
  sql.add(conditions(plan, "r.number"));
  return TRY(asked.connection.first(sql.text, sql.values, [](const catalog::Row& row) { return row.integer(0); }))
      .value_or(0);
}

}  // namespace

/// One page in one snapshot. With `reads_log`, nullopt when the log has to be sorted first.
Result<std::optional<RunPage>> Search::read_page(const RunQuery& query, const PageMark& mark, bool reads_log) {
  return database_.read_value([&](Connection& connection) -> Result<std::optional<RunPage>> {
    const auto experiments = TRY(experiment_numbers(connection, query));
    FreshValues fresh;
    if (reads_log && (query.all_experiments || !experiments.empty())) {
      auto read = TRY(read_fresh_values(connection, experiments, TRY(metrics_of(connection, metrics_, query))));
      if (!read || TRY(orders_beyond(connection, metrics_, query, *read))) return std::optional<RunPage>();
      fresh = std::move(*read);
    }
    const Asked asked{connection, metrics_, query, experiments, fresh};
    const Plan plan = TRY(make_plan(asked));
    Found found = TRY(find_page(connection, plan, mark, query.page_size));
    RunPage page;
    page.items = TRY(read_runs(connection, metrics_, found.numbers, query.parts));
    if (found.next) page.next_page_token = render_page_token(*found.next);
    if (query.count) page.total = TRY(total_of(asked));
    return std::optional(std::move(page));
  });
}

Result<std::int64_t> Search::total_of(const Asked& asked) {
  const std::string which = selection_of(asked.query);
  const Time start = system_clock().steady();
  if (const auto kept = totals_.find(which, start)) return *kept;
  const std::int64_t total = TRY(count_all(asked));
  const Time end = system_clock().steady();
  totals_.keep(which, total, end - start, end);
  return total;
}

Result<RunPage> Search::runs(const RunQuery& query) {
  if (query.page_size == 0 || query.page_size > kPageSizeMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid value for max_results: {}; expected 1 to {}", query.page_size, kPageSizeMax)};
  }
  const std::string print = fingerprint_of(query);
  PageMark mark{print, first_phase(query.order), {}};
  if (!query.page_token.empty()) mark = TRY(parse_page_token(query.page_token, print));
  if (auto page = TRY(read_page(query, mark, true))) return *std::move(page);
  const auto experiments =
      TRY(database_.read_value([&](Connection& connection) { return experiment_numbers(connection, query); }));
  TRY(sorter_.catch_up(experiments));
  return *TRY(read_page(query, mark, false));
}

namespace {

std::string text_of(const catalog::Row& row) { return std::string(row.text(0)); }

/// The names of metrics that an experiment's runs have, in the table or in the log; nullopt when too much lies there.
Result<std::optional<std::vector<std::string>>> metric_names_of(Connection& connection, const ProjectId& project,
                                                                std::int64_t experiment, bool reads_log, size_t most) {
  std::vector<std::int64_t> fresh;
  if (reads_log) {
    auto read = TRY(read_fresh_metrics(connection, std::array{experiment}));
    if (!read) return std::optional<std::vector<std::string>>();
    fresh = std::move(*read);
  }
  Sql sql{
      "SELECT name FROM metric_names n WHERE project_id = ? AND (EXISTS (SELECT 1 FROM metric_latest l WHERE l.experiment = ? "
      "AND l.metric = n.number) OR ",
      {project.text, experiment}};
  sql.add(among("n.number", fresh, connection.is_postgres()));
  sql.add(") ORDER BY name LIMIT ?", static_cast<std::int64_t>(most));
  return std::optional(TRY(connection.rows(sql.text, sql.values, text_of)));
}

Result<std::vector<std::string>> pair_keys(Connection& connection, const ProjectId& project, const char* table,
                                           std::optional<std::int64_t> experiment, size_t most) {
  Sql sql{"SELECT DISTINCT x.key FROM (SELECT number FROM runs WHERE deleted = 0 AND ", {}};
  if (experiment)
    sql.add("experiment = ?", *experiment);
  else
    sql.add("project_id = ?", project.text);
  sql.add(" ORDER BY started_at DESC LIMIT ?) r CROSS JOIN ", kKeyRunsMax).add(table);
  sql.add(" x WHERE x.run = r.number ORDER BY x.key LIMIT ?", static_cast<std::int64_t>(most));
  return connection.rows(sql.text, sql.values, text_of);
}

}  // namespace

Result<std::vector<std::string>> Search::keys(const ProjectId& project, FilterEntity entity,
                                              std::optional<ExperimentId> experiment, size_t most) {
  std::optional<std::int64_t> number;
  const auto read = [&](bool reads_log) {
    return database_.read_value([&](Connection& connection) -> Result<std::optional<std::vector<std::string>>> {
      if (experiment) number = TRY(read_experiment(connection, project, *experiment)).number;
      if (entity != FilterEntity::metric) {
        const char* table = entity == FilterEntity::tag ? "run_tags" : "run_params";
        return std::optional(TRY(pair_keys(connection, project, table, number, most)));
      }
      if (number) return metric_names_of(connection, project, *number, reads_log, most);
      return std::optional(
          TRY(connection.rows("SELECT name FROM metric_names WHERE project_id = ? ORDER BY name LIMIT ?",
                              {project.text, static_cast<std::int64_t>(most)}, text_of)));
    });
  };
  if (auto found = TRY(read(true))) return *std::move(found);
  TRY(sorter_.catch_up({*number}));
  return *TRY(read(false));
}

}  // namespace slipway::tracking
