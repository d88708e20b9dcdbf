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
    database = std::move(catalog::Database::open({.url = "sqlite:" + (folder.path() / "db").string()}, catalog::schema(), counters).value());
    store = std::move(store::Store::open({.folder = folder.path() / "store"}, system_clock(), counters).value());
    monitor = std::make_unique<Monitor>(*database, *store, clock, events, counters);
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

  std::vector<Case> all_cases() { return monitor->cases({.project = kDefaultProject}).value(); }

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
  const auto traffic = monitor->traffic(kDefaultProject, "digits", 60).value();
  ASSERT_EQ(traffic.size(), 1u);
  EXPECT_EQ(traffic[0].errors, 1);
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

TEST_F(MonitorTest, feedback_on_an_unknown_answer_says_so) {
  const auto id = monitor->feedback(kDefaultProject, {.answer = AnswerId("nobody"), .label = "3"});
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code, ErrorCode::not_found);
}

TEST_F(MonitorTest, a_shift_of_the_inputs_opens_one_finding_and_its_end_closes_it) {
  std::vector<TensorStatistics> usual;
  for (int i = 0; i < 400; ++i) usual.push_back(figures(0.1 + 0.001 * (i % 50), 0.9 + 0.001 * (i % 90), i % 10));
  ASSERT_TRUE(monitor->set_reference(kDefaultProject, "digits", 1, "evaluation 1", usual).ok());
  for (int i = 0; i < 300; ++i) monitor->served(prediction("shifted" + std::to_string(i), figures(0.8, 0.9 + 0.001 * (i % 90), i % 10)));
  monitor->settle();
  auto findings = monitor->findings(kDefaultProject, "digits", true, 10).value();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].statistic, "input_mean");
  EXPECT_GT(findings[0].value, findings[0].threshold);

  for (int i = 0; i < 600; ++i) monitor->served(prediction("usual" + std::to_string(i), figures(0.1 + 0.001 * (i % 50), 0.9 + 0.001 * (i % 90), i % 10)));
  monitor->settle();
  EXPECT_TRUE(monitor->findings(kDefaultProject, "digits", true, 10).value().empty());
  EXPECT_EQ(monitor->findings(kDefaultProject, "digits", false, 10).value().size(), 1u);
}

TEST_F(MonitorTest, the_first_answers_become_the_reference_and_survive_a_restart) {
  for (size_t i = 0; i < kWatchReferenceAnswers; ++i) monitor->served(prediction("first" + std::to_string(i), figures(0.1 + 0.0001 * static_cast<double>(i), 0.9, static_cast<int>(i % 10))));
  monitor->settle();
  open();
  monitor->served(prediction("later", figures(0.1, 0.9, 1)));
  monitor->settle();
  const auto report = monitor->drift(kDefaultProject, "digits");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->source, "first answers");
  EXPECT_EQ(report->answers, 1u);
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

TEST(RecentRequests, lets_the_oldest_go_when_it_is_full) {
  RecentRequests recent(3 * (kRecentEntryBytes + 10));
  for (int i = 0; i < 5; ++i) {
    PredictionServed prediction;
    prediction.answer = AnswerId("a" + std::to_string(i));
    prediction.request = std::make_shared<std::string>(10, 'x');
    recent.add(prediction);
  }
  EXPECT_EQ(recent.size(), 3u);
  EXPECT_FALSE(recent.find(AnswerId("a1")));
  EXPECT_TRUE(recent.find(AnswerId("a4")));
}

TEST(DecideCapture, keeps_errors_and_unsure_answers_always_and_others_by_the_dice) {
  PredictionServed sure;
  sure.statistics.confidence = 0.99;
  EXPECT_EQ(decide_capture({.sample = 0.1}, sure, 0.05), CaseReason::sampled);
  EXPECT_EQ(decide_capture({.sample = 0.1}, sure, 0.5), std::nullopt);
  PredictionServed failed;
  failed.ok = false;
  EXPECT_EQ(decide_capture({.sample = 0}, failed, 0.5), CaseReason::error);
  EXPECT_EQ(decide_capture({.sample = 1, .errors = false}, failed, 0.5), std::nullopt);
}

}  // namespace
}  // namespace slipway::monitor
