#include "monitor/monitor.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::monitor {
namespace {

class Silent : public EventSink {
 public:
  void emit(const Event& event) override { kinds.lock()->push_back(event.kind); }
  Guarded<std::vector<EventKind>> kinds;
};

TensorStatistics figures(double input_mean, double confidence, int predicted) {
  TensorStatistics figures;
  figures.input_mean = input_mean;
  figures.input_deviation = 0.1;
  figures.confidence = confidence;
  figures.margin = confidence / 2;
  figures.predicted_class = predicted;
  return figures;
}

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() { open(); }

  void open() {
    monitor.reset();
    store.reset();
    database.reset();
    database = std::move(
        catalog::Database::open({.url = "sqlite:" + (folder.path() / "db").string()}, catalog::schema(), counters)
            .value());
    store = std::move(store::Store::open({.folder = folder.path() / "store"}, system_clock(), counters).value());
    monitor = std::move(
        Monitor::open(*database, *store, clock, events, counters, {.folder = folder.path() / "requests"}).value());
  }

  PredictionServed prediction(const std::string& answer, TensorStatistics with) {
    PredictionServed made;
    made.answer = AnswerId(answer);
    made.project = kDefaultProject;
    made.deployment_name = "digits";
    made.model = "digits";
    made.version = 1;
    made.at = clock.now();
    made.latency = std::chrono::microseconds(900);
    made.statistics = with;
    made.label = std::to_string(with.predicted_class);
    made.request = std::make_shared<std::string>("body of " + answer);
    made.media_type = "image/png";
    return made;
  }

  std::vector<Case> all_cases() { return monitor->cases({.project = kDefaultProject}).value().cases; }

  TemporaryDirectory folder;
  Counters counters;
  FakeClock clock;
  Silent events;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Monitor> monitor;
};

TEST_F(MonitorTest, an_unsure_answer_becomes_a_case_with_its_own_bytes) {
  monitor->set_capture(kDefaultProject, "digits", {.sample = 0});
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->served(prediction("a2", figures(0.5, 0.99, 7)));
  monitor->settle();
  const auto cases = all_cases();
  ASSERT_EQ(cases.size(), 1u);
  EXPECT_EQ(cases[0].reason, CaseReason::low_confidence);
  EXPECT_EQ(cases[0].prediction, "7");
  EXPECT_EQ(store->get(*cases[0].body).value(), "body of a1");
}

TEST_F(MonitorTest, a_failed_answer_becomes_a_case_and_counts_as_an_error) {
  auto failed = prediction("a1", {});
  failed.ok = false;
  failed.error = "the input 'image' has shape [3], expected [-1,1,28,28]";
  monitor->served(std::move(failed));
  monitor->settle();
  ASSERT_EQ(all_cases().size(), 1u);
  EXPECT_EQ(all_cases()[0].reason, CaseReason::error);
  const auto traffic = monitor->traffic().spans(kDefaultProject, "digits", 60, 1).value();
  ASSERT_EQ(traffic.size(), 60u);
  EXPECT_EQ(traffic.back().errors, 1);
}

TEST_F(MonitorTest, feedback_on_a_recent_answer_makes_a_labelled_case) {
  monitor->set_capture(kDefaultProject, "digits", {.sample = 0});
  monitor->served(prediction("a1", figures(0.5, 0.99, 7)));
  const auto id = monitor->feedback(kDefaultProject, {.answer = AnswerId("a1"), .label = "3", .comment = "a three"});
  ASSERT_TRUE(id.ok()) << id.error().message;
  const Case found = monitor->find_case(kDefaultProject, *id).value();
  EXPECT_EQ(found.reason, CaseReason::flagged);
  EXPECT_EQ(found.state, CaseState::labelled);
  EXPECT_EQ(found.label, "3");
  EXPECT_EQ(found.correct, std::optional(false));
}

TEST_F(MonitorTest, feedback_on_a_case_updates_it_instead_of_making_another) {
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->settle();
  ASSERT_TRUE(monitor->feedback(kDefaultProject, {.answer = AnswerId("a1"), .correct = true}).ok());
  ASSERT_EQ(all_cases().size(), 1u);
  EXPECT_EQ(all_cases()[0].label, "7");
  EXPECT_EQ(all_cases()[0].correct, std::optional(true));
}

TEST_F(MonitorTest, a_mask_is_a_right_answer_and_kept_from_the_sweep) {
  const std::string mask = "\x89PNG\r\n\x1a\n and the rest";
  const Hash target = store->put(mask).value().hash;
  monitor->set_capture(kDefaultProject, "digits", {.sample = 0});
  monitor->served(prediction("a1", figures(0.5, 0.99, -1)));
  const auto id = monitor->feedback(kDefaultProject, {.answer = AnswerId("a1"), .correct = false, .target = target});
  ASSERT_TRUE(id.ok()) << id.error().message;
  const Case found = monitor->find_case(kDefaultProject, *id).value();
  EXPECT_EQ(found.state, CaseState::labelled);
  EXPECT_EQ(found.target, std::optional(target));
  EXPECT_EQ(found.target_bytes, mask.size());
  EXPECT_EQ(found.correct, std::optional(false));
  std::vector<Hash> kept;
  ASSERT_TRUE(monitor->visit_bodies([&](const Hash& hash) { kept.push_back(hash); }).ok());
  EXPECT_NE(std::find(kept.begin(), kept.end(), target), kept.end());
}

TEST_F(MonitorTest, a_mask_that_is_not_there_or_no_png_is_refused) {
  monitor->served(prediction("a1", figures(0.5, 0.3, -1)));
  monitor->settle();
  const auto absent =
      monitor->feedback(kDefaultProject, {.answer = AnswerId("a1"), .target = hash_of("nobody sent this")});
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::failed_precondition);
  const Hash text = store->put("a text").value().hash;
  const auto no_picture = monitor->feedback(kDefaultProject, {.answer = AnswerId("a1"), .target = text});
  ASSERT_FALSE(no_picture.ok());
  EXPECT_EQ(no_picture.error().code, ErrorCode::invalid_argument);
  const CaseId id = all_cases()[0].id;
  EXPECT_FALSE(monitor->update_case(kDefaultProject, id, {.target = text}).ok());
  EXPECT_EQ(all_cases()[0].state, CaseState::open);
}

TEST_F(MonitorTest, feedback_on_an_unknown_answer_says_so) {
  const auto id = monitor->feedback(kDefaultProject, {.answer = AnswerId("nobody"), .label = "3"});
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code, ErrorCode::not_found);
}

TEST_F(MonitorTest, a_shift_of_the_inputs_opens_one_finding_and_its_end_closes_it) {
  std::vector<TensorStatistics> usual;
  for (int i = 0; i < 400; ++i) usual.push_back(figures(0.1 + 0.001 * (i % 50), 0.9 + 0.001 * (i % 90), i % 10));
  ASSERT_TRUE(monitor->set_reference(kDefaultProject, "digits", 1, "evaluation 1", usual).ok());
  for (int i = 0; i < 300; ++i)
    monitor->served(prediction("shifted" + std::to_string(i), figures(0.8, 0.9 + 0.001 * (i % 90), i % 10)));
  monitor->settle();
  auto findings = monitor->findings(kDefaultProject, "digits", true, 10).value();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].statistic, "input_mean");
  EXPECT_GT(findings[0].value, findings[0].threshold);

  for (int i = 0; i < 600; ++i)
    monitor->served(
        prediction("usual" + std::to_string(i), figures(0.1 + 0.001 * (i % 50), 0.9 + 0.001 * (i % 90), i % 10)));
  monitor->settle();
  EXPECT_TRUE(monitor->findings(kDefaultProject, "digits", true, 10).value().empty());
  EXPECT_EQ(monitor->findings(kDefaultProject, "digits", false, 10).value().size(), 1u);
}

TEST_F(MonitorTest, the_first_answers_become_the_reference_and_survive_a_restart) {
  for (size_t i = 0; i < kWatchReferenceAnswers; ++i)
    monitor->served(prediction("first" + std::to_string(i),
                               figures(0.1 + 0.0001 * static_cast<double>(i), 0.9, static_cast<int>(i % 10))));
  monitor->settle();
  open();
  monitor->served(prediction("later", figures(0.1, 0.9, 1)));
  monitor->settle();
  const auto report = monitor->drift(kDefaultProject, "digits");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->source, "first answers");
  EXPECT_EQ(report->answers, kWatchWindow);  // the remembered ones, too
}

TEST_F(MonitorTest, late_feedback_finds_its_request_after_a_restart) {
  monitor->set_capture(kDefaultProject, "digits", {.sample = 0});
  monitor->served(prediction("a1", figures(0.5, 0.99, 7)));
  monitor->settle();
  open();
  const auto id = monitor->feedback(kDefaultProject, {.answer = AnswerId("a1"), .label = "3"});
  ASSERT_TRUE(id.ok()) << id.error().message;
  EXPECT_EQ(store->get(*monitor->find_case(kDefaultProject, *id)->body).value(), "body of a1");
}

TEST_F(MonitorTest, the_window_of_drift_goes_on_after_a_restart) {
  std::vector<TensorStatistics> usual;
  for (int i = 0; i < 400; ++i) usual.push_back(figures(0.1 + 0.001 * (i % 50), 0.9, i % 10));
  ASSERT_TRUE(monitor->set_reference(kDefaultProject, "digits", 1, "evaluation 1", usual).ok());
  for (int i = 0; i < 120; ++i) monitor->served(prediction("before" + std::to_string(i), figures(0.1, 0.9, i % 10)));
  monitor->settle();
  open();
  monitor->settle();
  const auto report = monitor->drift(kDefaultProject, "digits");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->answers, 120u);
}

TEST_F(MonitorTest, what_was_captured_and_no_case_yet_becomes_one_at_the_next_start) {
  // As a killed server leaves it: in the log, and nowhere else.
  monitor.reset();
  {
    auto captured = CapturedRequests::open({.folder = folder.path() / "requests" / "captured"}).value();
    ASSERT_TRUE(captured->accept(prediction("a1", figures(0.5, 0.3, 7)), CaseReason::low_confidence).ok());
    ASSERT_TRUE(captured->accept(prediction("a2", figures(0.5, 0.99, 7)), CaseReason::sampled).ok());
  }
  open();
  monitor->settle();
  const auto cases = all_cases();
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[1].answer.text, "a1");
  EXPECT_EQ(cases[1].reason, CaseReason::low_confidence);
  EXPECT_EQ(store->get(*cases[1].body).value(), "body of a1");
  open();
  monitor->settle();
  EXPECT_EQ(all_cases().size(), 2u);
  monitor.reset();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "requests" / "captured"));
}

TEST_F(MonitorTest, a_case_that_was_made_already_is_not_made_again) {
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->settle();
  monitor.reset();
  {
    auto captured = CapturedRequests::open({.folder = folder.path() / "requests" / "captured"}).value();
    ASSERT_TRUE(captured->accept(prediction("a1", figures(0.5, 0.3, 7)), CaseReason::low_confidence).ok());
  }
  open();
  monitor->settle();
  EXPECT_EQ(all_cases().size(), 1u);
}

TEST_F(MonitorTest, a_full_log_refuses_and_counts_and_the_answer_is_still_counted) {
  monitor.reset();
  monitor = std::move(Monitor::open(*database, *store, clock, events, counters,
                                    {.folder = folder.path() / "tiny", .captured_bytes_max = 1})
                          .value());
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->settle();
  EXPECT_TRUE(all_cases().empty());
  EXPECT_EQ(counters.counter("monitor_refused_total", "").value(), 1u);
  EXPECT_EQ(monitor->traffic().totals(kDefaultProject, "digits")->requests, 1);
}

TEST_F(MonitorTest, a_deployment_with_too_many_open_cases_captures_no_more_until_some_are_dismissed) {
  monitor.reset();
  monitor = std::move(
      Monitor::open(*database, *store, clock, events, counters, {.folder = folder.path() / "few", .cases_open_max = 2})
          .value());
  const auto ask = [&](const std::string& answer) {
    monitor->served(prediction(answer, figures(0.5, 0.3, 7)));
    clock.advance(2 * kMonitorPause);
    monitor->settle();
  };
  for (const char* answer : {"a1", "a2", "a3"}) ask(answer);
  ASSERT_EQ(all_cases().size(), 2u);
  ASSERT_TRUE(monitor->update_case(kDefaultProject, all_cases()[0].id, {.state = CaseState::dismissed}).ok());
  clock.advance(2 * kMonitorPause);
  monitor->settle();
  ask("a4");
  EXPECT_EQ(all_cases().size(), 3u);
}

TEST_F(MonitorTest, a_request_whose_type_is_no_text_still_becomes_a_case) {
  auto odd = prediction("a1", figures(0.5, 0.3, 7));
  odd.media_type = "image/\xff\xfe";
  monitor->served(std::move(odd));
  monitor->settle();
  EXPECT_EQ(all_cases().size(), 1u);
}

TEST_F(MonitorTest, while_a_statistic_drifts_every_request_is_kept_if_the_rules_say_so) {
  monitor->set_capture(kDefaultProject, "digits", {.sample = 0, .low_confidence = false, .drifted = true});
  std::vector<TensorStatistics> usual;
  for (int i = 0; i < 400; ++i) usual.push_back(figures(0.1 + 0.001 * (i % 50), 0.9, i % 10));
  ASSERT_TRUE(monitor->set_reference(kDefaultProject, "digits", 1, "evaluation 1", usual).ok());
  for (int i = 0; i < 200; ++i) monitor->served(prediction("shifted" + std::to_string(i), figures(0.8, 0.9, i % 10)));
  monitor->settle();
  ASSERT_TRUE(all_cases().empty());
  monitor->served(prediction("now", figures(0.8, 0.9, 1)));
  monitor->settle();
  ASSERT_EQ(all_cases().size(), 1u);
  EXPECT_EQ(all_cases()[0].reason, CaseReason::drift);
}

TEST_F(MonitorTest, a_label_can_be_taken_away_again) {
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->settle();
  const CaseId id = all_cases()[0].id;
  ASSERT_TRUE(monitor->update_case(kDefaultProject, id, {.label = "3"}).ok());
  EXPECT_EQ(all_cases()[0].correct, std::optional(false));
  const Case undone = monitor->update_case(kDefaultProject, id, {.label = ""}).value();
  EXPECT_EQ(undone.label, "");
  EXPECT_EQ(undone.correct, std::nullopt);
  EXPECT_EQ(undone.state, CaseState::open);
}

TEST_F(MonitorTest, cases_are_filtered_counted_and_paged) {
  for (int i = 0; i < 5; ++i) monitor->served(prediction("a" + std::to_string(i), figures(0.5, 0.1 * i, i)));
  monitor->settle();
  CaseQuery query{
      .project = kDefaultProject, .most = 2, .filter = parse_filter("confidence > 0.05 and prediction != '4'").value()};
  auto page = monitor->cases(query).value();
  EXPECT_EQ(page.total, std::optional<std::int64_t>(3));
  ASSERT_EQ(page.cases.size(), 2u);
  ASSERT_FALSE(page.next.empty());
  query.before = page.next;
  page = monitor->cases(query).value();
  EXPECT_EQ(page.total, std::nullopt);
  EXPECT_EQ(page.cases.size(), 1u);
  EXPECT_TRUE(page.next.empty());
}

TEST_F(MonitorTest, marking_cases_is_all_or_none) {
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->settle();
  const CaseId known = all_cases()[0].id;
  EXPECT_FALSE(monitor->mark_cases(kDefaultProject, {known, CaseId("nobody")}, CaseState::sent, "", "commit").ok());
  EXPECT_EQ(all_cases()[0].state, CaseState::open);
  ASSERT_TRUE(monitor->mark_cases(kDefaultProject, {known}, CaseState::held_out, "inverted", "").ok());
  EXPECT_EQ(all_cases()[0].slice, "inverted");
}

TEST_F(MonitorTest, another_projects_case_is_not_found) {
  monitor->served(prediction("a1", figures(0.5, 0.3, 7)));
  monitor->settle();
  EXPECT_FALSE(monitor->find_case(ProjectId("other"), all_cases()[0].id).ok());
  EXPECT_FALSE(monitor->feedback(ProjectId("other"), {.answer = AnswerId("a1"), .label = "3"}).ok());
}

}  // namespace
}  // namespace slipway::monitor
