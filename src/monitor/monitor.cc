#include "monitor/monitor.h"

#include <array>
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

constexpr std::uint64_t kServedBytes = 1024;  // what a waiting request is taken to cost beside its body

/// Uniform in [0, 1). Xorshift: whether a request is one of the sample need not be unguessable, and the kernel's random
/// bytes cost as much as the rest of served().
double roll() {
  thread_local std::uint64_t state = random_u64() | 1;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<double>(state >> 11) * 0x1.0p-53;
}

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

Result<std::unique_ptr<Monitor>> Monitor::open(catalog::Database& database, store::Store& store, const Clock& clock,
                                               EventSink& events, Counters& counters, const MonitorOptions& options) {
  auto captured =
      TRY(CapturedRequests::open({options.folder / "captured", options.captured_bytes_max, options.sync_first}));
  auto recent = TRY(RecentRequests::open(options.folder / "recent"));
  return std::unique_ptr<Monitor>(
      new Monitor(database, store, clock, events, counters, options, std::move(captured), std::move(recent)));
}

Monitor::Monitor(catalog::Database& database, store::Store& store, const Clock& clock, EventSink& events,
                 Counters& counters, const MonitorOptions& options, std::unique_ptr<CapturedRequests> captured,
                 RecentRequests recent)
    : database_(database),
      store_(store),
      clock_(clock),
      events_(events),
      options_(options),
      dropped_(
          counters.counter("monitor_dropped_total", "Requests the monitor did not look at because its queue was full")),
      refused_(counters.counter(
          "monitor_refused_total",
          "Requests the rules chose that were not captured: the log, the disk or the list of open cases was full")),
      cases_made_(counters.counter("monitor_cases_total", "Requests that became cases")),
      cases_waiting_(counters.gauge("monitor_captured_waiting", "Captured requests that are no cases yet")),
      captured_(std::move(captured)),
      traffic_(database, clock),
      drift_(database, clock, events),
      recent_(std::move(recent)) {
  captured_->replay([this](const Place& place, RequestRecord record) {
    waiting_.push_back({std::move(record.prediction), record.reason, place});
  });
  if (!waiting_.empty())
    log_info("monitor", "captured requests of a former process become cases",
             {{"requests", std::to_string(waiting_.size())}});
  thread_ = Thread("monitor", [this] { loop(); });
}

Monitor::~Monitor() {
  inbox_.close();
  thread_.join();
}

void Monitor::served(PredictionServed&& prediction) {
  const std::uint64_t bytes = kServedBytes + (prediction.request ? prediction.request->size() : 0);
  if (!inbox_.reserve(bytes)) return dropped_.add();
  Served served{std::move(prediction), {}, {}};
  if (const auto reason = choose(served.prediction)) {
    const auto place = captured_->accept(served.prediction, *reason);
    if (place.ok()) {
      served.reason = reason;
      served.place = *place;
    } else {
      refused_.add();
    }
  }
  inbox_.put(std::move(served), bytes);
}

std::optional<CaseReason> Monitor::choose(const PredictionServed& prediction) {
  Choosing choosing;
  {
    auto choosers = choosers_.lock();
    const auto at = choosers->find(key_of(prediction));
    if (at != choosers->end()) choosing = at->second;
  }
  const auto reason = decide_capture(choosing.rules, prediction, choosing.has_drifted, roll());
  if (!reason || !choosing.is_full) return reason;
  refused_.add();
  return std::nullopt;
}

void Monitor::settle() {
  const auto done = std::make_shared<std::promise<void>>();
  auto reached = done->get_future();
  if (inbox_.run([done] { done->set_value(); })) reached.wait();
}

void Monitor::set_capture(const ProjectId& project, const std::string& deployment, const CaptureRules& rules) {
  const DeploymentKey key{project.text, deployment};
  (*choosers_.lock())[key].rules = rules;
  drift_.set_limits(key, rules.drift);
}

Result<void> Monitor::set_reference(const ProjectId& project, const std::string& model, std::int64_t version,
                                    std::string source, const std::vector<TensorStatistics>& answers) {
  return drift_.set_reference(project, model, version, std::move(source), answers);
}

// --- the thread ----------------------------------------------------------------------------------------------------

void Monitor::loop() {
  // The windows of drift go on where they were.
  recent_.lock()->replay([this](const PredictionServed& prediction) { drift_.add(prediction); });
  while (true) {
    const bool has_work = !waiting_.empty() && clock_.steady() >= retry_at_;
    Inbox::Taken taken = inbox_.take(std::chrono::steady_clock::now() + (has_work ? Duration(0) : kMonitorPause));
    if (taken.closed) break;
    look_at(std::move(taken.served));
    if (clock_.steady() >= retry_at_) make_cases();
    // Whoever settles wants to see everything written.
    while (!taken.tasks.empty() && !waiting_.empty() && make_cases()) {
    }
    if (taken.tasks.empty())
      traffic_.write_if_due();
    else
      traffic_.write();
    look_for_full_lists();
    if (!taken.tasks.empty() || clock_.steady() - judged_at_ >= kJudgeInterval) judge();
    for (const Inbox::Task& task : taken.tasks) task();
  }
  // What is left is in the log of captured requests, should the database refuse it.
  while (!waiting_.empty() && make_cases()) {
  }
  traffic_.write();
}

void Monitor::look_at(std::vector<Served> served) {
  std::vector<const PredictionServed*> predictions;
  for (const Served& one : served) {
    predictions.push_back(&one.prediction);
    traffic_.count(one.prediction);
    drift_.add(one.prediction);
  }
  recent_.lock()->add(predictions);
  for (Served& one : served) {
    if (one.reason) waiting_.push_back(std::move(one));
  }
}

void Monitor::judge() {
  judged_at_ = clock_.steady();
  drift_.judge();
  const std::set<DeploymentKey> drifted = drift_.drifted();
  auto choosers = choosers_.lock();
  for (auto& [key, choosing] : *choosers) choosing.has_drifted = drifted.contains(key);
}

std::optional<DriftReport> Monitor::drift(const ProjectId& project, const std::string& deployment) {
  return drift_.report({project.text, deployment});
}

// --- findings ------------------------------------------------------------------------------------------------------

Result<std::vector<Finding>> Monitor::findings(const ProjectId& project, std::string_view deployment,
                                               std::optional<bool> open, size_t most) {
  return database_.read_value([&](Connection& c) { return rows::select_findings(c, project, deployment, open, most); });
}

Result<Finding> Monitor::find_finding(const ProjectId& project, const FindingId& id) {
  auto found = TRY(database_.read_value([&](Connection& c) { return rows::select_finding(c, project, id); }));
  if (!found)
    return Error{ErrorCode::not_found,
                 "there is no finding " + clean_utf8(id.text, 64) + "; `slipway findings list` shows them"};
  return std::move(*found);
}

Result<Finding> Monitor::close_finding(const ProjectId& project, const FindingId& id) {
  TRY(find_finding(project, id));
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::close_finding(c, id, clock_.now()); }));
  events_.emit({EventKind::finding_changed, project, id.text});
  return find_finding(project, id);
}

}  // namespace slipway::monitor
