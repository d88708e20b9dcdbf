#include "runner/reporter.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

namespace slipway::runner {
namespace {

std::string render_line(const MetricPoint& point) {
  JsonWriter json;
  json.begin_object()
      .member("k", point.key)
      .member("v", point.value)
      .member("s", point.step)
      .member("t", point.at_ms)
      .end_object();
  return json.take() + "\n";
}

std::optional<MetricPoint> parse_line(std::string_view line) {
  const auto json = Json::parse(line);
  if (!json.ok()) return std::nullopt;
  const Json& value = (*json)["v"];
  const auto number = value.is_string() ? parse_double(value.string()) : value.number();
  return MetricPoint{(*json)["k"].string(), number.value_or(0), (*json)["s"].integer().value_or(0),
                     (*json)["t"].integer().value_or(0)};
}

}  // namespace

Result<Spool> Spool::create(const std::filesystem::path& path, std::uint64_t bytes_max) {
  Spool spool;
  spool.file_ = TRY(open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
  spool.path_ = path;
  spool.bytes_max_ = bytes_max;
  return spool;
}

Result<bool> Spool::append(std::string_view bytes) {
  if (size_ + bytes.size() > bytes_max_) return false;
  TRY(write_all(file_.get(), bytes, path_));
  size_ += bytes.size();
  return true;
}

Result<std::string> Spool::read(std::uint64_t offset, size_t bytes_max) const {
  std::string bytes(std::min<std::uint64_t>(bytes_max, size_ - std::min(size_, offset)), '\0');
  const ssize_t n = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (n < 0) return system_error("read", path_, errno);
  bytes.resize(static_cast<size_t>(n));
  return bytes;
}

Reporter::Reporter(std::unique_ptr<Link> link, ReporterOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), link_(std::move(link)) {}

Result<std::unique_ptr<Reporter>> Reporter::start(std::unique_ptr<Link> link, ReporterOptions options,
                                                  const Clock& clock) {
  std::unique_ptr<Reporter> reporter(new Reporter(std::move(link), std::move(options), clock));
  {
    auto state = reporter->state_.lock();
    state->log = TRY(Spool::create(reporter->options_.folder / "log", kLogBytesMax));
    state->metrics = TRY(Spool::create(reporter->options_.folder / "metrics.jsonl", kMetricSpoolBytesMax));
    state->beat.phase = "preparing";
  }
  reporter->thread_ = Thread("reporter", [raw = reporter.get()] { raw->work(); });
  return reporter;
}

Reporter::~Reporter() {
  state_.lock()->ending = true;
  changed_.notify_all();
  thread_.join();
}

void Reporter::log(std::string_view bytes) {
  auto state = state_.lock();
  if (state->log_full) return;
  const auto taken = state->log->append(bytes);
  if (taken.ok() && *taken) return;
  state->log_full = true;
  (void)state->log->append(
      "\nslipway: the log is full (limit 2 GiB of output, or the disk is full); the rest is dropped\n");
}

void Reporter::say(std::string_view sentence) { log("slipway: " + std::string(sentence) + "\n"); }

void Reporter::metrics(const std::vector<MetricPoint>& points) {
  std::string lines;
  for (const MetricPoint& point : points) lines += render_line(point);
  (void)state_.lock()->metrics->append(lines);  // full: load samples of a server away for days are dropped
}

void Reporter::set_state(std::string_view phase, pid_t pid, const Usage& usage) {
  auto state = state_.lock();
  state->beat_due = state->beat_due || state->beat.phase != phase;
  state->beat = Heartbeat{std::string(phase), pid, std::max(usage.cpu_s, state->beat.cpu_s), usage.memory_bytes};
}

std::optional<StopRequest> Reporter::stop_asked() const { return state_.lock()->stop; }

bool Reporter::flush(Duration patience) {
  const Time until = clock_.steady() + patience;
  while (clock_.steady() < until && !disowned_) {
    {
      auto state = state_.lock();
      if (!state->beat_due && state->log_sent >= state->log->size() && state->metrics_sent >= state->metrics->size())
        return true;
      state->hurry = true;
    }
    changed_.notify_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// One log chunk; true when there was one.
Result<bool> Reporter::send_log() {
  std::uint64_t offset = 0;
  std::string chunk;
  {
    auto state = state_.lock();
    offset = state->log_sent;
    chunk = TRY(state->log->read(offset, kLogChunkBytes));
  }
  if (chunk.empty()) return false;
  const std::uint64_t next = TRY(link_->append_log(offset, chunk));
  auto state = state_.lock();
  state->log_sent = std::min(next, state->log->size());  // less than sent: the server lost a tail and gets it again
  return true;
}

Result<bool> Reporter::send_metrics() {
  std::uint64_t offset = 0;
  std::string lines;
  {
    auto state = state_.lock();
    offset = state->metrics_sent;
    lines = TRY(state->metrics->read(offset, 128 << 10));
  }
  std::vector<MetricPoint> points;
  size_t from = 0;
  for (size_t end = lines.find('\n'); end != std::string::npos && points.size() < kMetricsPerBatch;
       end = lines.find('\n', from)) {
    if (auto point = parse_line(std::string_view(lines).substr(from, end - from))) points.push_back(std::move(*point));
    from = end + 1;
  }
  if (from == 0) return false;
  TRY(link_->log_metrics(points));
  state_.lock()->metrics_sent = offset + from;
  return true;
}

Result<void> Reporter::send_heartbeat() {
  const Heartbeat beat = state_.lock()->beat;
  const HeartbeatAnswer answer = TRY(link_->heartbeat(beat));
  auto state = state_.lock();
  if (state->beat.phase == beat.phase) state->beat_due = false;
  if (answer.stop && !state->stop) state->stop = StopRequest{answer.grace};
  return {};
}

/// The server's last word: whoever it is, it does not want to hear of this attempt. The command is stopped.
void Reporter::lose(const Error& error) {
  log_error("runner", "the server refuses this attempt's reports", {{"error", error.message}});
  disowned_ = true;
  state_.lock()->stop = StopRequest{std::nullopt};
}

void Reporter::work() {
  Time beat_at = clock_.steady();
  Duration backoff = options_.send_interval;
  while (!disowned_) {
    Duration pause = options_.send_interval;
    const auto round = [&]() -> Result<void> {
      if (clock_.steady() >= beat_at || state_.lock()->beat_due) {
        TRY(send_heartbeat());
        beat_at = clock_.steady() + options_.heartbeat_interval;
      }
      const bool more_log = TRY(send_log()), more_metrics = TRY(send_metrics());
      if (more_log || more_metrics) pause = std::chrono::milliseconds(20);
      return {};
    };
    const Result<void> sent = round();
    if (sent.ok()) {
      backoff = options_.send_interval;
    } else if (is_transient(sent.error())) {
      pause = backoff;
      backoff = std::min(backoff * 2, options_.backoff_max);
    } else {
      lose(sent.error());
    }
    auto state = state_.lock();
    if (state->ending) return;
    // Hurrying skips the pause between two good rounds, not the one that spares a server in trouble.
    state->hurry = false;
    state.wait_until(changed_, std::chrono::steady_clock::now() + pause,
                     [&] { return state->ending || (state->hurry && sent.ok()); });
    if (state->ending) return;
  }
}

}  // namespace slipway::runner
