#include "tracking/metrics.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "tracking/metric_codec.h"
#include "tracking/resumes.h"
#include "tracking/run_rows.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

/// Runs `parse` on each blob of a query's only column.
template <typename Parse>
Result<void> for_each_body(Connection& connection, std::string_view sql, const catalog::Values& values, Parse parse) {
  Result<void> problem;
  TRY(connection.run(sql, values, [&](const catalog::Row& row) {
    problem = parse(row.blob(0));
    return problem.ok();
  }));
  return problem;
}

constexpr auto kPointLess = [](const Point& a, const Point& b) { return point_less(a, b); };

/// Brings points of one metric together, keeping their order within it: one pass that counts and one that moves. False,
/// and nothing done, when the numbers of the metrics lie too far apart for that.
bool group_by_metric(std::vector<Point>& points) {
  const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                               [](const Point& a, const Point& b) { return a.metric < b.metric; });
  const size_t first = low->metric, range = size_t{high->metric} - first + 1;
  if (range > 4 * points.size() + 1024) return false;
  std::vector<size_t> ends(range + 1);
  for (const Point& point : points) ++ends[point.metric - first + 1];
  for (size_t i = 1; i <= range; ++i) ends[i] += ends[i - 1];
  std::vector<Point> grouped(points.size());
  for (const Point& point : points) grouped[ends[point.metric - first]++] = point;
  points.swap(grouped);
  return true;
}

}  // namespace

void sort_unique(std::vector<Point>& points) {
  const auto in_disorder = [](const Point& a, const Point& b) { return !point_less(a, b); };
  if (std::adjacent_find(points.begin(), points.end(), in_disorder) == points.end()) return;  // nearly always
  if (!std::is_sorted(points.begin(), points.end(), kPointLess)) {
    if (!group_by_metric(points)) {
      std::sort(points.begin(), points.end(), kPointLess);
    } else {
      // What one client logs comes in order, so that most series are sorted now.
      for (auto from = points.begin(); from != points.end();) {
        const auto to = std::find_if(from, points.end(), [&](const Point& p) { return p.metric != from->metric; });
        if (!std::is_sorted(from, to, kPointLess)) std::sort(from, to, kPointLess);
        from = to;
      }
    }
  }
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
}

std::vector<std::span<const Point>> split_series(std::span<const Point> points) {
  std::vector<std::span<const Point>> out;
  for (size_t from = 0; from < points.size();) {
    size_t to = from;
    while (to < points.size() && points[to].metric == points[from].metric) ++to;
    out.push_back(points.subspan(from, to - from));
    from = to;
  }
  return out;
}

Result<std::vector<Point>> Metrics::read_series(Connection& connection, std::int64_t run, MetricNumber metric,
                                                StepRange steps) {
  std::vector<Point> points;
  TRY(for_each_body(connection,
                    "SELECT body FROM metric_chunks WHERE run = ? AND metric = ? AND step_max >= ? AND step_min <= ? "
                    "ORDER BY step_min, id",
                    {run, std::int64_t{metric}, steps.from, steps.to},
                    [&](std::string_view body) { return parse_series(body, metric, points); }));
  TRY(for_each_body(connection, "SELECT body FROM metric_segments WHERE run = ? ORDER BY id", {run},
                    [&](std::string_view body) { return parse_segment_series(body, metric, points); }));
  std::vector<Point> batch;
  TRY(for_each_body(connection, "SELECT body FROM metric_batches WHERE run = ? ORDER BY id", {run},
                    [&](std::string_view body) -> Result<void> {
                      batch.clear();
                      TRY(parse_batch(body, batch));
                      std::copy_if(batch.begin(), batch.end(), std::back_inserter(points),
                                   [&](const Point& p) { return p.metric == metric; });
                      return {};
                    }));
  sort_unique(points);
  return points;
}

Result<std::vector<Point>> Metrics::history(const ProjectId& project, const RunId& run, const std::string& key) const {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<Point>> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    const auto metric = TRY(names_.number(connection, project, key));
    if (!metric) return std::vector<Point>{};
    return read_series(connection, row.number, *metric);
  });
}

namespace {

constexpr auto kByTime = [](const Point& a, const Point& b) { return a.at_ms < b.at_ms; };

/// The part of a history that is wanted, sorted by the x axis.
std::span<const Point> part_of(std::vector<Point>& points, const HistoryView& view) {
  const bool by_time = view.x == XAxis::time;
  if (by_time && !std::is_sorted(points.begin(), points.end(), kByTime))
    std::stable_sort(points.begin(), points.end(), kByTime);
  const auto x = [&](const Point& point) { return by_time ? point.at_ms : point.step; };
  const auto first = std::partition_point(points.begin(), points.end(),
                                          [&](const Point& p) { return view.from && x(p) < *view.from; });
  const auto end =
      std::partition_point(first, points.end(), [&](const Point& p) { return !view.to || x(p) <= *view.to; });
  return {first, end};
}

StepRange steps_of(const HistoryView& view) {
  StepRange steps;
  if (view.x == XAxis::time) return steps;
  if (view.from) steps.from = *view.from;
  if (view.to) steps.to = *view.to;
  return steps;
}

/// The part that is wanted of what counts, and of each tail that has something there.
ThinnedSeries thin_resumed(ResumedSeries series, const HistoryView& view) {
  ThinnedSeries out = thin(part_of(series.points, view), view.x, view.points_max);
  for (ResumedSeries::Tail& tail : series.abandoned) {
    ThinnedSeries thinned = thin(part_of(tail.points, view), view.x, view.points_max);
    if (thinned.points == 0) continue;
    thinned.attempt = tail.attempt;
    out.abandoned.push_back(std::move(thinned));
  }
  return out;
}

}  // namespace

Result<std::vector<ThinnedSeries>> Metrics::histories(const ProjectId& project, std::span<const RunId> runs,
                                                      std::span<const std::string> keys,
                                                      const HistoryView& view) const {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<ThinnedSeries>> {
    std::vector<ThinnedSeries> out;
    for (const RunId& run : runs) {
      const RunRow row = TRY(find_run_row(connection, project, run));
      const auto resumes = TRY(read_resumes(connection, row.number));
      for (const std::string& key : keys) {
        std::vector<Point> points;
        // What is abandoned is a question to the whole series.
        const StepRange steps = resumes.empty() ? steps_of(view) : StepRange{};
        if (const auto metric = TRY(names_.number(connection, project, key)))
          points = TRY(read_series(connection, row.number, *metric, steps));
        out.push_back(thin_resumed(split_abandoned(std::move(points), resumes), view));
        out.back().key = key;
      }
    }
    return out;
  });
}

namespace {

/// The names of metrics, and where each stands among them, so that a page's runs are sorted by small numbers.
class SortedNames {
 public:
  static Result<SortedNames> read(Connection& connection, MetricNames& names, const SummariesOfRuns& runs) {
    SortedNames out;
    for (const auto& summaries : runs) {
      for (const SeriesSummary& s : summaries) out.ranks_.try_emplace(s.latest.metric, 0);
    }
    std::vector<std::pair<std::string, MetricNumber>> sorted;
    for (const auto& [metric, rank] : out.ranks_) sorted.emplace_back(TRY(names.name(connection, metric)), metric);
    std::sort(sorted.begin(), sorted.end());
    for (auto& [name, metric] : sorted) {
      out.ranks_[metric] = out.names_.size();
      out.names_.push_back(std::move(name));
    }
    return out;
  }
  size_t rank(MetricNumber metric) const { return ranks_.at(metric); }
  const std::string& name(size_t rank) const { return names_[rank]; }

 private:
  std::unordered_map<MetricNumber, size_t> ranks_;
  std::vector<std::string> names_;
};

std::vector<MetricSummary> named(const std::vector<SeriesSummary>& summaries, const SortedNames& names) {
  std::vector<std::pair<size_t, const SeriesSummary*>> sorted;
  sorted.reserve(summaries.size());
  for (const SeriesSummary& s : summaries) sorted.emplace_back(names.rank(s.latest.metric), &s);
  if (!std::is_sorted(sorted.begin(), sorted.end())) std::sort(sorted.begin(), sorted.end());
  std::vector<MetricSummary> out;
  out.reserve(sorted.size());
  for (const auto& [rank, s] : sorted) {
    out.push_back(
        {names.name(rank), s->latest.value, s->latest.step, s->latest.at_ms, s->low, s->high, s->total, s->points});
  }
  return out;
}

}  // namespace

Result<std::vector<std::vector<MetricSummary>>> Metrics::read_summaries(Connection& connection,
                                                                        std::span<const std::int64_t> runs,
                                                                        const std::vector<MetricNumber>* only,
                                                                        SummaryParts parts) const {
  const SummariesOfRuns found = TRY(read_whole_summaries(connection, runs, only, parts));
  const SortedNames names = TRY(SortedNames::read(connection, names_, found));
  std::vector<std::vector<MetricSummary>> out;
  out.reserve(found.size());
  for (const auto& summaries : found) out.push_back(named(summaries, names));
  return out;
}

Result<std::vector<MetricSummary>> Metrics::summaries(const ProjectId& project, const RunId& run) const {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<MetricSummary>> {
    const std::int64_t number = TRY(find_run_row(connection, project, run)).number;
    auto found = TRY(read_summaries(connection, std::array{number}));
    return std::move(found.at(0));
  });
}

}  // namespace slipway::tracking
