#include "tracking/metric_log.h"

#include <fmt/format.h>

#include "base/random.h"
#include "tracking/metric_codec.h"
#include "tracking/run_rows.h"

namespace slipway::tracking {
namespace {

/// The low bits of a batch's id tell servers apart that share one database.
constexpr int kServerBits = 10;

std::string cache_key(const LogRequest& request) { return request.project.text + '/' + request.run.text; }

}  // namespace

/// One request on its way. The closure may run again, so everything it learns is written over, never added to.
struct MetricLog::Work {
  LogRequest request;
  std::optional<RunPlace> place;
  std::vector<MetricNumber> new_numbers;
  std::string body;  // rendered before the write when all names are known
};

MetricLog::MetricLog(catalog::Database& database, MetricNames& names, const Clock& clock, Counters& counters,
                     EventSink* events)
    : database_(database),
      names_(names),
      clock_(clock),
      events_(events),
      points_(counters.counter("tracking_points_total", "Metric points kept")),
      requests_(counters.counter("tracking_log_requests_total", "Requests that logged points, parameters or tags")) {
  batch_id_ = (clock.now().micros << kServerBits) | static_cast<std::int64_t>(random_u64() & ((1 << kServerBits) - 1));
}

bool MetricLog::add_point(LogRequest& request, const MetricNames::Lookup& lookup, std::string_view name,
                          std::int64_t step, std::int64_t at_ms, double value) {
  if (const auto number = lookup.find(name)) {
    request.points.push_back({*number, step, at_ms, value});
    return false;
  }
  size_t index = 0;
  while (index < request.new_names.size() && request.new_names[index] != name) ++index;
  const bool is_first = index == request.new_names.size();
  if (is_first) request.new_names.emplace_back(name);
  request.points.push_back({kNewName + static_cast<MetricNumber>(index), step, at_ms, value});
  return is_first;
}

/// Grows with time within this server, and does not meet another server's.
std::int64_t MetricLog::next_batch_id() {
  const std::int64_t now = clock_.now().micros << kServerBits;
  std::int64_t last = batch_id_.load(std::memory_order_relaxed), next;
  do {
    const std::int64_t server = last & ((1 << kServerBits) - 1);
    next = std::max(last + (1 << kServerBits), now | server);
  } while (!batch_id_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return next;
}

std::optional<MetricLog::RunPlace> MetricLog::known(const LogRequest& request) {
  auto runs = runs_.lock();
  const auto found = runs->find(cache_key(request));
  return found == runs->end() ? std::nullopt : std::optional(found->second);
}

void MetricLog::log(LogRequest request, catalog::Completion done) {
  auto work = std::make_shared<Work>();
  work->request = std::move(request);
  work->place = known(work->request);
  if (work->request.new_names.empty() && !work->request.points.empty()) work->body = render_batch(work->request.points);
  const bool only_points = work->request.params.empty() && work->request.tags.empty();
  database_.write(
      only_points ? catalog::Durability::stream : catalog::Durability::record,
      [this, work](catalog::Connection& connection) { return write(*work, connection); },
      [this, work, done = std::move(done)](Result<void> result) {
        finished(*work, result);
        done(std::move(result));
      });
}

Result<void> MetricLog::write(Work& work, catalog::Connection& connection) {
  const LogRequest& request = work.request;
  if (!work.place) {
    const RunRow run = TRY(find_run_row(connection, request.project, request.run));
    work.place = RunPlace{run.number, run.experiment, {}};
  }
  if (!request.new_names.empty()) {
    work.new_numbers.clear();
    for (const std::string& name : request.new_names)
      work.new_numbers.push_back(TRY(MetricNames::intern(connection, request.project, name)));
    std::vector<Point> points = request.points;
    for (Point& point : points) {
      if (point.metric >= kNewName) point.metric = work.new_numbers[point.metric - kNewName];
    }
    work.body = render_batch(points);
  }
  bool kept = true;
  // The condition refuses deleted runs in the same statement: what another server did to the run counts at once.
  const auto keep = [&]() -> Result<bool> {
    return TRY(connection.run(
               "INSERT INTO metric_batches (run, id, points, body) "
               "SELECT number, CAST(? AS BIGINT), CAST(? AS BIGINT), ? FROM runs WHERE number = ? AND deleted = 0",
               {next_batch_id(), static_cast<std::int64_t>(request.points.size()), catalog::Blob{work.body},
                work.place->number})) > 0;
  };
  if (!request.points.empty()) kept = TRY(keep());
  if (!kept || !request.params.empty() || !request.tags.empty()) {
    const RunRow run = TRY(find_run_row(connection, request.project, request.run));
    TRY(check_active(run));
    if (!kept) {
      // The run that had this id was removed for good, and the id came back with an import.
      work.place = RunPlace{run.number, run.experiment, {}};
      if (!TRY(keep()))
        return Error{ErrorCode::internal, fmt::format("points of the run {} were not kept", run.id.text)};
    }
    TRY(insert_params(connection, run, request.params));
    TRY(set_tags(connection, run, request.tags, clock_.now()));
  }
  for (const ModelMetric& metric : request.model_metrics)
    TRY(set_model_metric(connection, request.project, request.run, metric));
  return {};
}

void MetricLog::finished(Work& work, const Result<void>& result) {
  if (!result.ok()) return;
  requests_.add();
  points_.add(work.request.points.size());
  pending_.fetch_add(static_cast<std::int64_t>(work.request.points.size()), std::memory_order_relaxed);
  for (size_t i = 0; i < work.new_numbers.size(); ++i)
    names_.remember(work.request.project, work.request.new_names[i], work.new_numbers[i]);

  const Time now = clock_.now();
  bool tell = false;
  {
    auto runs = runs_.lock();
    if (runs->size() >= kRunsCachedMax) runs->clear();
    RunPlace& place = runs->try_emplace(cache_key(work.request), *work.place).first->second;
    if (place.number != work.place->number) place = *work.place;
    tell = now - place.event_at >= kMetricsEventInterval;
    if (tell) place.event_at = now;
  }
  if (tell && events_) events_->emit({EventKind::metrics_changed, work.request.project, work.request.run.text});
}

}  // namespace slipway::tracking
