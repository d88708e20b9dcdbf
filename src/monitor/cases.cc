// Requests become cases: those that were captured, several at a time, and those that people say something of.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/text.h"
#include "monitor/monitor.h"
#include "monitor/rows.h"

namespace slipway::monitor {
namespace {

using catalog::Connection;
using catalog::Durability;

constexpr std::uint64_t kBytesPerWrite = 32 << 20;  // of bodies that become cases together

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
  if (prediction.ok && std::isfinite(prediction.statistics.confidence))
    kept.confidence = prediction.statistics.confidence;
  kept.error = clean_utf8(prediction.error);
  kept.statistics = prediction.statistics;
  kept.body_bytes = prediction.request ? prediction.request->size() : 0;
  kept.json_bytes = prediction.request_json_bytes;
  kept.media_type = clean_utf8(prediction.media_type);  // a header, so anything
  return kept;
}

/// What the feedback says of this case; a label alone says whether the prediction was right.
void apply(const Feedback& feedback, Case& to) {
  if (feedback.target) {
    to.target = feedback.target;
    to.target_bytes = feedback.target_bytes;
    if (feedback.correct) to.correct = feedback.correct;
    if (to.state == CaseState::open) to.state = CaseState::labelled;
  }
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

Error no_such_case(const CaseId& id) {
  return {ErrorCode::not_found, "there is no case " + clean_utf8(id.text, 64) + "; `slipway cases list` shows them"};
}

Error no_such_answer(const AnswerId& answer) {
  return {ErrorCode::not_found, "nothing is remembered of the answer '" + clean_utf8(answer.text, 100) +
                                    "': it is no case, and its request is no longer in the buffer of recent ones"};
}

/// Takes the label away, and what it said of the prediction.
void clear_label(Case& of) {
  if (of.label.empty()) return;
  of.label.clear();
  of.correct.reset();
  if (of.state == CaseState::labelled) of.state = CaseState::open;
}

/// Would it fail the same way again?
bool is_final(ErrorCode code) {
  return code == ErrorCode::invalid_argument || code == ErrorCode::failed_precondition || code == ErrorCode::too_large;
}

}  // namespace

// --- captured requests ---------------------------------------------------------------------------------------------

bool Monitor::make_cases() {
  if (waiting_.empty()) return true;
  std::vector<Served> batch;
  std::uint64_t bytes = 0;
  for (auto at = waiting_.begin(); at != waiting_.end() && batch.size() < kCasesPerWriteMax && bytes < kBytesPerWrite;
       ++at) {
    bytes += at->prediction.request ? at->prediction.request->size() : 0;
    batch.push_back(*at);
  }
  auto written = write_cases(batch);
  if (!written.ok() && is_final(written.error().code)) {
    // One of them cannot be a case; the others can.
    for (Served& one : batch) {
      written = write_cases({&one, 1});
      if (!written.ok() && !is_final(written.error().code)) break;
      if (!written.ok()) give_up(one, written.error());
      waiting_.pop_front();
    }
  } else if (written.ok()) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
  }
  cases_waiting_.set(static_cast<std::int64_t>(waiting_.size()));
  if (written.ok() || is_final(written.error().code)) return true;
  log_warning("monitor", "captured requests could not become cases; it is tried again",
              {{"waiting", std::to_string(waiting_.size())}, {"error", written.error().message}});
  retry_at_ = clock_.steady() + kMonitorPause;
  return false;
}

Result<void> Monitor::write_cases(std::span<Served> captured) {
  std::vector<Case> cases;
  std::vector<std::string_view> bodies;
  for (const Served& one : captured) {
    cases.push_back(make_case(one.prediction, one.reason.value_or(CaseReason::sampled), clock_));
    if (one.prediction.request) bodies.push_back(*one.prediction.request);
  }
  const auto blobs = TRY(store_.put_many(bodies));
  auto blob = blobs.begin();
  for (size_t i = 0; i < cases.size(); ++i) {
    if (captured[i].prediction.request) cases[i].body = (blob++)->hash;
  }
  const auto is_new = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<std::vector<bool>> {
    std::vector<bool> inserted;
    for (const Case& one : cases) inserted.push_back(TRY(rows::insert_case(c, one)));
    return inserted;
  }));
  for (size_t i = 0; i < cases.size(); ++i) {
    captured_->release(captured[i].place);
    capturing_.insert({cases[i].project.text, cases[i].deployment});
    if (!is_new[i]) continue;  // a former process made it, or feedback a moment ago
    cases_made_.add();
    events_.emit({EventKind::case_changed, cases[i].project, cases[i].id.text});
  }
  return {};
}

void Monitor::give_up(const Served& captured, const Error& why) {
  refused_.add();
  captured_->release(captured.place);
  log_error("monitor", "a captured request cannot become a case",
            {{"answer", captured.prediction.answer.text}, {"error", why.message}});
}

void Monitor::look_for_full_lists() {
  if (clock_.steady() - counted_at_ < kMonitorPause) return;
  counted_at_ = clock_.steady();
  {
    auto choosers = choosers_.lock();
    for (const auto& [key, choosing] : *choosers) {
      if (choosing.is_full) capturing_.insert(key);
    }
  }
  for (const DeploymentKey& key : std::exchange(capturing_, {})) {
    const auto open = database_.read_value(
        [&](Connection& c) { return rows::count_open_cases(c, ProjectId(key.project), key.deployment); });
    if (!open.ok()) continue;
    const bool is_full = *open >= options_.cases_open_max;
    if (is_full)
      log_warning("monitor", "a deployment has so many open cases that no more are captured; label or dismiss some",
                  {{"deployment", key.deployment}, {"open", std::to_string(*open)}});
    (*choosers_.lock())[key].is_full = is_full;
  }
}

// --- feedback and labels -------------------------------------------------------------------------------------------

/// Looks at a target's first bytes only: pictures are opened by workers and runners, never here.
Result<Feedback> Monitor::checked(Feedback feedback) {
  for (const std::string* text : {&feedback.label, &feedback.comment}) {
    if (text->size() > kFeedbackTextBytesMax) {
      return Error{ErrorCode::too_large, fmt::format("a label or comment has at most {} bytes; this one has {}",
                                                     kFeedbackTextBytesMax, text->size())};
    }
  }
  if (!feedback.target) return feedback;
  const auto blob = store_.open_blob(*feedback.target);
  if (!blob.ok()) {
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the target {} is not on the server ({}); send its bytes first: POST /api/v1/blobs",
                             slipway::render(*feedback.target), blob.error().message)};
  }
  constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";
  const std::string start = TRY((*blob)->read(0, std::min<std::uint64_t>((*blob)->size(), kPngStart.size())));
  if (start != kPngStart)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the target {} is no PNG; a mask is a PNG whose values are the classes",
                             slipway::render(*feedback.target))};
  feedback.target_bytes = (*blob)->size();
  return feedback;
}

Result<CaseId> Monitor::keep(const PredictionServed& prediction, const Feedback& feedback) {
  Case kept = make_case(prediction, CaseReason::flagged, clock_);
  apply(feedback, kept);
  if (prediction.request) kept.body = TRY(store_.put(*prediction.request)).hash;
  const bool is_new =
      TRY(database_.write_value(Durability::record, [&](Connection& c) { return rows::insert_case(c, kept); }));
  if (!is_new) return Error{ErrorCode::already_exists, "the answer " + prediction.answer.text + " is a case already"};
  cases_made_.add();
  events_.emit({EventKind::case_changed, kept.project, kept.id.text});
  return kept.id;
}

Result<CaseId> Monitor::feedback(const ProjectId& project, const Feedback& given) {
  const Feedback feedback = TRY(checked(given));
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
  const auto found = recent_.lock()->find(feedback.answer);
  // Read without the lock: the thread writes under it.
  const auto prediction = found ? found->read() : Result<PredictionServed>(no_such_answer(feedback.answer));
  if (!prediction.ok()) return prediction.error();
  if (prediction->project != project) return no_such_answer(feedback.answer);
  return keep(*prediction, feedback);
}

Result<CasePage> Monitor::cases(const CaseQuery& query, FilterPlace* place) {
  return database_.read_value([&](Connection& c) -> Result<CasePage> {
    CasePage page;
    page.cases = TRY(rows::select_cases(c, query, place));
    if (query.before.empty()) page.total = TRY(rows::count_cases(c, query, place));
    if (page.cases.size() <= query.most) return page;
    page.cases.pop_back();
    page.next = page.cases.back().id.text;
    return page;
  });
}

Result<Case> Monitor::find_case(const ProjectId& project, const CaseId& id) {
  auto found = TRY(database_.read_value([&](Connection& c) { return rows::select_case(c, project, id); }));
  if (!found) return no_such_case(id);
  return std::move(*found);
}

Result<Case> Monitor::update_case(const ProjectId& project, const CaseId& id, const CaseChange& change) {
  Feedback wanted;
  wanted.label = change.label.value_or("");
  wanted.target = change.target;
  const Feedback said = TRY(checked(wanted));
  auto changed = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<Case> {
    auto found = TRY(rows::select_case(c, project, id));
    if (!found) return no_such_case(id);
    if (change.label && change.label->empty()) clear_label(*found);
    apply(said, *found);
    if (change.state) found->state = *change.state;
    TRY(rows::update_case(c, *found));
    return std::move(*found);
  }));
  events_.emit({EventKind::case_changed, project, id.text});
  return changed;
}

Result<void> Monitor::mark_cases(const ProjectId& project, const std::vector<CaseId>& ids, CaseState state,
                                 std::string_view slice, std::string_view commit) {
  if (ids.size() > kCasesPerCallMax)
    return Error{ErrorCode::too_large,
                 fmt::format("at most {} cases at once; these are {}", kCasesPerCallMax, ids.size())};
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

}  // namespace slipway::monitor
