#include "monitor/monitor.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <future>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "monitor/rows.h"

namespace slipway::monitor {
namespace {

using catalog::Connection;
using catalog::Durability;

constexpr std::array<std::pair<CaseState, std::string_view>, 5> kCaseStates = {{
    {CaseState::open, "open"},
    {CaseState::labelled, "labelled"},
    {CaseState::sent, "sent"},
    {CaseState::held_out, "held_out"},
    {CaseState::dismissed, "dismissed"},
}};

constexpr std::int64_t kMinuteMicros = 60'000'000;
constexpr double kWorthWriting = 0.1;  // a finding is updated when its value moved by this share

/// Uniform in [0, 1).
double roll() { return static_cast<double>(random_u64() >> 11) * 0x1.0p-53; }

size_t latency_bucket(Duration latency) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  return us <= 1 ? 0 : std::min<size_t>(std::bit_width(us - 1), LatencyHistogram::kBuckets - 1);
}

/// The upper edge of the bucket that holds the q-quantile.
double quantile_ms(const std::array<std::uint64_t, LatencyHistogram::kBuckets>& buckets, double q) {
  double total = 0, seen = 0;
  for (std::uint64_t count : buckets) total += static_cast<double>(count);
  for (size_t i = 0; i < buckets.size(); ++i) {
    seen += static_cast<double>(buckets[i]);
    if (total > 0 && seen >= q * total) return static_cast<double>(std::int64_t{1} << i) / 1000;
  }
  return 0;
}

std::string prediction_text(const PredictionServed& prediction) {
  if (!prediction.ok) return "";
  if (!prediction.label.empty()) return prediction.label;
  return prediction.statistics.predicted_class < 0 ? "" : std::to_string(prediction.statistics.predicted_class);
}

Case make_case(const PredictionServed& prediction, CaseReason reason, const Clock& clock) {
  Case kept;
  kept.id = new_id<CaseId>(clock);
  kept.project = prediction.project;
  kept.deployment = prediction.deployment_name;
  kept.answer = prediction.answer;
  kept.revision = prediction.revision;
  kept.model = prediction.model;
  kept.version = prediction.version;
  kept.at = prediction.at;
  kept.reason = reason;
  kept.prediction = prediction_text(prediction);
  if (prediction.ok && std::isfinite(prediction.statistics.confidence)) kept.confidence = prediction.statistics.confidence;
  kept.error = prediction.error;
  kept.statistics = prediction.statistics;
  kept.body_bytes = prediction.request ? prediction.request->size() : 0;
  kept.json_bytes = prediction.request_json_bytes;
  kept.media_type = prediction.media_type;
  return kept;
}

/// What the feedback says of this case; a label alone says whether the prediction was right.
void apply(const Feedback& feedback, Case& to) {
  if (!feedback.label.empty()) {
    to.label = feedback.label;
    to.correct = feedback.correct ? feedback.correct : std::optional(feedback.label == to.prediction);
    if (to.state == CaseState::open) to.state = CaseState::labelled;
  } else if (feedback.correct) {
    to.correct = feedback.correct;
    if (*feedback.correct && to.state == CaseState::open && !to.prediction.empty()) {
      to.label = to.prediction;
      to.state = CaseState::labelled;
    }
  }
  if (!feedback.comment.empty()) to.comment = feedback.comment;
}

Error no_such_case(const CaseId& id) { return {ErrorCode::not_found, "there is no case " + clean_utf8(id.text, 64) + "; `slipway cases list` shows them"}; }

}  // namespace

std::string_view name(CaseState state) {
  for (const auto& [known, text] : kCaseStates) {
    if (known == state) return text;
  }
  return "";
}

std::optional<CaseState> parse_case_state(std::string_view text) {
  for (const auto& [known, known_text] : kCaseStates) {
    if (known_text == text) return known;
  }
  return std::nullopt;
}

struct Monitor::Minute {
  rows::MinuteCounts counts;
};

struct Monitor::Watched {
  ProjectId project;
  std::string deployment, model;
  std::int64_t version = 0;
  Watch watch{std::nullopt};
  bool changed = false;
};

struct Monitor::Shared {
  RecentRequests recent;
  std::map<std::string, Watched> watched;         // by project and deployment
  std::map<std::string, CaptureRules> rules;      // the same
};

namespace {

std::string key_of(const ProjectId& project, const std::string& deployment) { return project.text + "\x1f" + deployment; }

}  // namespace

Monitor::Monitor(catalog::Database& database, store::Store& store, const Clock& clock, EventSink& events, Counters& counters)
    : database_(database), store_(store), clock_(clock), events_(events),
      dropped_(counters.counter("monitor_dropped_total", "Answered requests the monitor did not look at because its queue was full")),
      captured_(counters.counter("monitor_cases_total", "Requests kept as cases")),
      shared_(std::make_unique<Guarded<Shared>>()) {
  thread_ = Thread("monitor", [this] { loop(); });
}

Monitor::~Monitor() {
  queue_.close();
  thread_.join();
}

void Monitor::served(PredictionServed&& prediction) {
  if (!queue_.try_push(Item(std::move(prediction)))) dropped_.add();
}

void Monitor::settle() {
  const auto done = std::make_shared<std::promise<void>>();
  auto reached = done->get_future();
  if (queue_.try_push(Item(std::function<void()>([done] { done->set_value(); })))) reached.wait();
}

void Monitor::set_capture(const ProjectId& project, const std::string& deployment, const CaptureRules& rules) {
  shared_->lock()->rules[key_of(project, deployment)] = rules;
}

void Monitor::loop() {
  while (true) {
    std::vector<Item> items = queue_.pop_all(kMonitorBatchMax);
    if (items.empty()) return;
    take(std::move(items));
    if (clock_.steady() - judged_at_ >= kJudgeInterval || queue_.size() == 0) {
      judge();
      judged_at_ = clock_.steady();
    }
  }
}

void Monitor::take(std::vector<Item> items) {
  std::map<std::string, Minute> minutes;
  std::vector<std::function<void()>> waiting;
  for (Item& item : items) {
    if (auto* callback = std::get_if<std::function<void()>>(&item)) {
      waiting.push_back(std::move(*callback));
      continue;
    }
    const PredictionServed& prediction = std::get<PredictionServed>(item);
    count(minutes, prediction);
    watch(prediction);
    CaptureRules rules;
    {
      auto shared = shared_->lock();
      shared->recent.add(prediction);
      const auto at = shared->rules.find(key_of(prediction.project, prediction.deployment_name));
      if (at != shared->rules.end()) rules = at->second;
    }
    if (const auto reason = decide_capture(rules, prediction, roll())) {
      const auto kept = keep(prediction, *reason, nullptr, nullptr);
      // Feedback may have made a case of it a moment ago.
      const bool is_case = !kept.ok() && kept.error().code == ErrorCode::already_exists;
      if (!kept.ok() && !is_case) log_warning("monitor", "a case could not be kept", {{"answer", prediction.answer.text}, {"error", kept.error().message}});
    }
  }
  write_minutes(minutes);
  if (!waiting.empty()) judge();
  for (const auto& callback : waiting) callback();
}

void Monitor::count(std::map<std::string, Minute>& minutes, const PredictionServed& prediction) const {
  const Time minute{prediction.at.micros - prediction.at.micros % kMinuteMicros};
  auto& counts = minutes[key_of(prediction.project, prediction.deployment_name) + "\x1f" + std::to_string(minute.micros)].counts;
  counts.project = prediction.project;
  counts.deployment = prediction.deployment_name;
  counts.minute = minute;
  counts.requests += 1;
  counts.errors += prediction.ok ? 0 : 1;
  counts.latency_sum_us += prediction.latency.count();
  counts.latency[latency_bucket(prediction.latency)] += 1;
  if (prediction.ok && std::isfinite(prediction.statistics.confidence)) {
    counts.confidence_sum += prediction.statistics.confidence;
    counts.confidence_count += 1;
  }
}

void Monitor::write_minutes(const std::map<std::string, Minute>& minutes) {
  if (minutes.empty()) return;
  const auto written = database_.write(Durability::stream, [&](Connection& c) -> Result<void> {
    for (const auto& [key, minute] : minutes) TRY(rows::add_minute(c, minute.counts));
    return {};
  });
  if (!written.ok()) log_warning("monitor", "traffic could not be counted", {{"error", written.error().message}});
}

Result<void> Monitor::keep(const PredictionServed& prediction, CaseReason reason, const Feedback* feedback, CaseId* id) {
  Case kept = make_case(prediction, reason, clock_);
  if (feedback) apply(*feedback, kept);
  const std::int64_t open = TRY(database_.read_value([&](Connection& c) { return rows::count_open_cases(c, kept.project, kept.deployment); }));
  if (open >= kCasesOpenMax && reason != CaseReason::flagged) {
    return Error{ErrorCode::busy, fmt::format("{} has {} open cases, which is the limit; label or dismiss some", kept.deployment, open)};
  }
  if (prediction.request) kept.body = TRY(store_.put(*prediction.request)).hash;
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::insert_case(c, kept); }));
  captured_.add();
  events_.emit({EventKind::case_changed, kept.project, kept.id.text});
  if (id) *id = kept.id;
  return {};
}

// --- feedback and cases ------------------------------------------------------------------------------------------------

Result<CaseId> Monitor::feedback(const ProjectId& project, const Feedback& feedback) {
  for (const std::string* text : {&feedback.label, &feedback.comment}) {
    if (text->size() > kFeedbackTextBytesMax) {
      return Error{ErrorCode::too_large, fmt::format("a label or comment has at most {} bytes; this one has {}", kFeedbackTextBytesMax, text->size())};
    }
  }
  settle();  // the answer may still be in the queue
  auto id = try_feedback(project, feedback);
  // The thread kept the same answer between our look and our insert: now there is a case to update.
  if (!id.ok() && id.error().code == ErrorCode::already_exists) id = try_feedback(project, feedback);
  return id;
}

Result<CaseId> Monitor::try_feedback(const ProjectId& project, const Feedback& feedback) {
  CaseId id;
  const auto known = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<bool> {
    auto found = TRY(rows::select_case_of_answer(c, feedback.answer));
    if (!found || found->project != project) return false;
    apply(feedback, *found);
    id = found->id;
    TRY(rows::update_case(c, *found));
    return true;
  }));
  if (known) {
    events_.emit({EventKind::case_changed, project, id.text});
    return id;
  }
  const auto prediction = shared_->lock()->recent.find(feedback.answer);
  if (!prediction || prediction->project != project) {
    return Error{ErrorCode::not_found, "nothing is remembered of the answer '" + clean_utf8(feedback.answer.text, 100) +
                                           "': it is no case, and its request is no longer in the buffer of recent ones"};
  }
  TRY(keep(*prediction, CaseReason::flagged, &feedback, &id));
  return id;
}

Result<std::vector<Case>> Monitor::cases(const CaseQuery& query) {
  return database_.read_value([&](Connection& c) { return rows::select_cases(c, query); });
}

Result<Case> Monitor::find_case(const ProjectId& project, const CaseId& id) {
  auto found = TRY(database_.read_value([&](Connection& c) { return rows::select_case(c, project, id); }));
  if (!found) return no_such_case(id);
  return std::move(*found);
}

Result<Case> Monitor::update_case(const ProjectId& project, const CaseId& id, std::optional<std::string> label, std::optional<CaseState> state) {
  if (label && label->size() > kFeedbackTextBytesMax) return Error{ErrorCode::too_large, fmt::format("a label has at most {} bytes", kFeedbackTextBytesMax)};
  auto changed = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<Case> {
    auto found = TRY(rows::select_case(c, project, id));
    if (!found) return no_such_case(id);
    if (label) apply({found->answer, std::nullopt, *label, ""}, *found);
    if (state) found->state = *state;
    TRY(rows::update_case(c, *found));
    return std::move(*found);
  }));
  events_.emit({EventKind::case_changed, project, id.text});
  return changed;
}

Result<void> Monitor::mark_cases(const ProjectId& project, const std::vector<CaseId>& ids, CaseState state, std::string_view slice, std::string_view commit) {
  if (ids.size() > kCasesPerCallMax) return Error{ErrorCode::too_large, fmt::format("at most {} cases at once; these are {}", kCasesPerCallMax, ids.size())};
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    for (const CaseId& id : ids) {
      auto found = TRY(rows::select_case(c, project, id));
      if (!found) return no_such_case(id);
      found->state = state;
      found->slice = slice;
      found->commit = commit;
      TRY(rows::update_case(c, *found));
    }
    return {};
  }));
  for (const CaseId& id : ids) events_.emit({EventKind::case_changed, project, id.text});
  return {};
}

Result<std::int64_t> Monitor::open_cases(const ProjectId& project) {
  return database_.read_value([&](Connection& c) { return rows::count_open_cases(c, project, ""); });
}

Result<void> Monitor::visit_bodies(const std::function<void(const Hash&)>& visit) {
  return database_.read([&](Connection& c) { return rows::select_bodies(c, visit); });
}

Result<std::vector<TrafficMinute>> Monitor::traffic(const ProjectId& project, std::string_view deployment, int minutes) {
  const Time since = clock_.now() - std::chrono::minutes(minutes);
  std::vector<TrafficMinute> traffic;
  for (const auto& counts : TRY(database_.read_value([&](Connection& c) { return rows::select_minutes(c, project, deployment, since); }))) {
    TrafficMinute minute{counts.minute, counts.requests, counts.errors, quantile_ms(counts.latency, 0.5), quantile_ms(counts.latency, 0.99), {}};
    if (counts.confidence_count > 0) minute.confidence_mean = counts.confidence_sum / static_cast<double>(counts.confidence_count);
    traffic.push_back(minute);
  }
  return traffic;
}

// --- drift -------------------------------------------------------------------------------------------------------------

std::optional<Reference> Monitor::load_reference(const ProjectId& project, const std::string& model, std::int64_t version) {
  auto loaded = database_.read_value([&](Connection& c) { return rows::select_reference(c, project, model, version); });
  if (loaded.ok()) return std::move(*loaded);
  log_warning("monitor", "a drift reference could not be read", {{"error", loaded.error().message}});
  return std::nullopt;
}

Result<void> Monitor::save_reference(const ProjectId& project, const std::string& model, std::int64_t version, const Reference& reference) {
  return database_.write(Durability::record, [&](Connection& c) { return rows::upsert_reference(c, project, model, version, reference, clock_.now()); });
}

Result<void> Monitor::set_reference(const ProjectId& project, const std::string& model, std::int64_t version, std::string source,
                                    const std::vector<TensorStatistics>& answers) {
  const Reference reference = make_reference(std::move(source), answers);
  TRY(save_reference(project, model, version, reference));
  auto shared = shared_->lock();
  for (auto& [key, watched] : shared->watched) {
    if (watched.project == project && watched.model == model && watched.version == version) watched.watch.set_reference(reference);
  }
  return {};
}

void Monitor::watch(const PredictionServed& prediction) {
  if (!prediction.ok) return;
  const std::string key = key_of(prediction.project, prediction.deployment_name);
  const auto is_current = [&](const Watched& watched) { return watched.model == prediction.model && watched.version == prediction.version; };
  bool fresh = false;
  {
    auto shared = shared_->lock();
    const auto at = shared->watched.find(key);
    fresh = at == shared->watched.end() || !is_current(at->second);
  }
  // Only this thread adds, so the database can be asked without the lock.
  std::optional<Reference> reference = fresh ? load_reference(prediction.project, prediction.model, prediction.version) : std::nullopt;
  std::optional<Reference> completed;
  {
    auto shared = shared_->lock();
    Watched& watched = shared->watched[key];
    if (fresh) watched = {prediction.project, prediction.deployment_name, prediction.model, prediction.version, Watch(std::move(reference)), false};
    if (watched.watch.add(prediction.statistics)) completed = watched.watch.reference();
    watched.changed = true;
  }
  if (completed) {
    const auto saved = save_reference(prediction.project, prediction.model, prediction.version, *completed);
    if (!saved.ok()) log_warning("monitor", "a drift reference could not be kept", {{"error", saved.error().message}});
  }
}

void Monitor::judge() {
  std::vector<Watched> changed;
  {
    auto shared = shared_->lock();
    for (auto& [key, watched] : shared->watched) {
      if (std::exchange(watched.changed, false)) changed.push_back(watched);
    }
  }
  for (const Watched& watched : changed) {
    for (const StatisticState& state : watched.watch.states()) judge_statistic(watched, state);
  }
}

void Monitor::judge_statistic(const Watched& watched, const StatisticState& state) {
  if (state.verdict.state == DriftVerdict::State::too_few) return;
  const bool drifted = state.verdict.state == DriftVerdict::State::drifted;
  const std::string key = fmt::format("{}\x1f{}\x1f{}\x1f{}", key_of(watched.project, watched.deployment), watched.model, watched.version, state.statistic);
  const auto last = told_.find(key);
  const double value = drifted ? state.verdict.psi : 0;
  if (last != told_.end() && std::abs(value - last->second) <= kWorthWriting * last->second) return;
  const Time now = clock_.now();
  Finding finding{new_id<FindingId>(clock_), watched.project, watched.deployment, watched.model, watched.version, "drift", state.statistic, true,
                  state.verdict.psi, state.verdict.threshold, "", now, now, {}};
  finding.message = fmt::format("The {} of the last {} answers of {} ({} version {}) has drifted from its reference: stability index {:.2f}, over {:.2f}",
                                state.statistic, state.current.total(), watched.deployment, watched.model, watched.version, finding.value, finding.threshold);
  bool told = false;
  const auto written = database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    if (drifted) {
      const auto noticed = TRY(rows::notice(c, finding));
      finding.id = noticed.id;
      told = noticed.is_new;
    } else {
      told = TRY(rows::settle_finding(c, finding));
    }
    return {};
  });
  if (!written.ok()) {
    log_warning("monitor", "a finding could not be written", {{"error", written.error().message}});
    return;
  }
  told_[key] = value;
  if (told) events_.emit({EventKind::finding_changed, watched.project, finding.id.text});
}

std::optional<DriftReport> Monitor::drift(const ProjectId& project, const std::string& deployment) {
  auto shared = shared_->lock();
  const auto at = shared->watched.find(key_of(project, deployment));
  if (at == shared->watched.end()) return std::nullopt;
  const Watched& watched = at->second;
  const auto& reference = watched.watch.reference();
  return DriftReport{watched.model, reference ? reference->source : "", watched.version, watched.watch.answers_in_window(), watched.watch.states()};
}

// --- findings ----------------------------------------------------------------------------------------------------------

Result<std::vector<Finding>> Monitor::findings(const ProjectId& project, std::string_view deployment, std::optional<bool> open, size_t most) {
  return database_.read_value([&](Connection& c) { return rows::select_findings(c, project, deployment, open, most); });
}

Result<Finding> Monitor::find_finding(const ProjectId& project, const FindingId& id) {
  auto found = TRY(database_.read_value([&](Connection& c) { return rows::select_finding(c, project, id); }));
  if (!found) return Error{ErrorCode::not_found, "there is no finding " + clean_utf8(id.text, 64) + "; `slipway findings list` shows them"};
  return std::move(*found);
}

Result<Finding> Monitor::close_finding(const ProjectId& project, const FindingId& id) {
  TRY(find_finding(project, id));
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::close_finding(c, id, clock_.now()); }));
  events_.emit({EventKind::finding_changed, project, id.text});
  return find_finding(project, id);
}

}  // namespace slipway::monitor
