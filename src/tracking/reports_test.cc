// Reports and their revisions, on SQLite and on PostgreSQL.
#include "tracking/reports.h"

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

class EventLog : public EventSink {
 public:
  void emit(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

class ReportsTest : public TrackingTest {
 protected:
  Report make(const std::string& title = "Rates", const std::string& text = "# Rates") {
    Report report;
    report.project = kDefaultProject;
    report.title = title;
    report.text = text;
    report.author = "ada";
    auto made = reports().create(report);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return std::move(*made);
  }
  Result<Report> write(const Report& report, const std::string& text, std::int64_t based_on,
                       const std::string& member = "grace") {
    return reports().change(kDefaultProject, report.id,
                            {.title = {}, .text = text, .based_on = based_on, .member = member});
  }
  std::string titles(bool deleted = false) {
    std::string out;
    const auto found = reports().list(kDefaultProject, deleted);
    for (const Report& report : *found) out += report.title + " ";
    return out;
  }
  Reports& reports() {
    if (!reports_) reports_ = std::make_unique<Reports>(*database_, clock_, &told_);
    return *reports_;
  }

  FakeClock clock_{Time{1'000'000'000'000'000}};
  EventLog told_;
  std::unique_ptr<Reports> reports_;
};
SLIPWAY_ON_BOTH_DATABASES(ReportsTest);

TEST_P(ReportsTest, whoever_listens_learns_of_each_change_and_of_nothing_else) {
  const Report first = make();
  ASSERT_EQ(told_.events.size(), 1U);
  EXPECT_EQ(told_.events[0].kind, EventKind::report_changed);
  EXPECT_EQ(told_.events[0].project, kDefaultProject);
  EXPECT_EQ(told_.events[0].subject, first.id.text);
  ASSERT_TRUE(write(first, "two", 1).ok());
  ASSERT_TRUE(reports().remove(kDefaultProject, first.id).ok());
  ASSERT_TRUE(reports().restore(kDefaultProject, first.id).ok());
  EXPECT_EQ(told_.events.size(), 4U);
  ASSERT_TRUE(write(first, "two", 2).ok());
  ASSERT_FALSE(write(first, "three", 1).ok());
  EXPECT_EQ(told_.events.size(), 4U);
}

TEST_P(ReportsTest, each_change_makes_a_revision_that_keeps_the_whole) {
  const Report first = make("Rates", "one");
  clock_.advance(std::chrono::seconds(5));
  const auto second = reports().change(kDefaultProject, first.id,
                                       {.title = "Learning rates", .text = "two", .based_on = 1, .member = "grace"});
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->revision, 2);
  EXPECT_EQ(second->author, "ada");
  EXPECT_EQ(second->editor, "grace");
  EXPECT_EQ(second->updated_at - second->created_at, std::chrono::seconds(5));
  EXPECT_EQ(reports().get(kDefaultProject, first.id)->text, "two");
  const auto revisions = reports().revisions(kDefaultProject, first.id);
  ASSERT_EQ(revisions->size(), 2U);
  EXPECT_EQ(revisions->front().number, 2);
  EXPECT_EQ(revisions->front().member, "grace");
  const auto old = reports().revision(kDefaultProject, first.id, 1);
  EXPECT_EQ(old->title, "Rates");
  EXPECT_EQ(old->text, "one");
  EXPECT_EQ(reports().revision(kDefaultProject, first.id, 3).error().code, ErrorCode::not_found);
}

TEST_P(ReportsTest, a_change_to_an_old_revision_is_refused_and_changes_nothing) {
  const Report report = make();
  ASSERT_TRUE(write(report, "by grace", 1).ok());
  const auto late = write(report, "by alan", 1, "alan");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::already_exists);
  EXPECT_EQ(late.error().message,
            "the report 'Rates' has been changed meanwhile: it is at revision 2, by grace, and this change was made to "
            "revision 1; read it again, put both together, and send that");
  EXPECT_EQ(reports().get(kDefaultProject, report.id)->text, "by grace");
  EXPECT_TRUE(write(report, "by both", 2, "alan").ok());
}

TEST_P(ReportsTest, a_change_of_nothing_makes_no_revision) {
  const Report report = make("Rates", "one");
  const auto same = write(report, "one", 1);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->revision, 1);
  EXPECT_EQ(same->editor, "ada");
}

TEST_P(ReportsTest, of_many_revisions_the_newest_are_kept) {
  const Report report = make();
  for (std::int64_t i = 1; i <= kReportRevisionsMax; ++i) ASSERT_TRUE(write(report, std::to_string(i), i).ok());
  const auto revisions = reports().revisions(kDefaultProject, report.id);
  EXPECT_EQ(revisions->size(), static_cast<size_t>(kReportRevisionsMax));
  EXPECT_EQ(revisions->front().number, kReportRevisionsMax + 1);
  EXPECT_EQ(revisions->back().number, 2);
}

TEST_P(ReportsTest, a_deleted_report_comes_back_until_its_time_is_over) {
  const Report kept = make("kept"), gone = make("gone");
  ASSERT_TRUE(reports().remove(kDefaultProject, gone.id).ok());
  EXPECT_EQ(reports().remove(kDefaultProject, gone.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(titles(), "kept ");
  EXPECT_EQ(titles(true), "gone ");
  EXPECT_EQ(write(gone, "two", 1).error().code, ErrorCode::failed_precondition);
  ASSERT_TRUE(reports().restore(kDefaultProject, gone.id).ok());
  EXPECT_TRUE(write(gone, "two", 1).ok());
  ASSERT_TRUE(reports().remove(kDefaultProject, gone.id).ok());
  clock_.advance(kReportsKeptDeleted + std::chrono::seconds(1));
  ASSERT_TRUE(reports().remove(kDefaultProject, kept.id).ok());
  EXPECT_EQ(reports().restore(kDefaultProject, gone.id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(reports().restore(kDefaultProject, kept.id).ok());
  const auto left = database_->read_value([](catalog::Connection& connection) {
    return connection.first("SELECT COUNT(*) FROM report_revisions", {},
                            [](const catalog::Row& row) { return row.integer(0); });
  });
  EXPECT_EQ(*left, std::optional<std::int64_t>(1));
}

TEST_P(ReportsTest, the_one_changed_last_comes_first) {
  const Report a = make("a");
  clock_.advance(std::chrono::seconds(1));
  make("b");
  EXPECT_EQ(titles(), "b a ");
  clock_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(write(a, "new", 1).ok());
  EXPECT_EQ(titles(), "a b ");
}

TEST_P(ReportsTest, a_report_belongs_to_its_project) {
  const Report report = make();
  const ProjectId elsewhere("elsewhere");
  EXPECT_EQ(reports().get(elsewhere, report.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(reports().revisions(elsewhere, report.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(reports().revision(elsewhere, report.id, 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(reports().remove(elsewhere, report.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(reports().restore(elsewhere, report.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(reports()
                .change(elsewhere, report.id, {.title = "mine", .text = {}, .based_on = 1, .member = "eve"})
                .error()
                .code,
            ErrorCode::not_found);
}

TEST_P(ReportsTest, a_project_full_of_reports_says_so) {
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record,
                          [](catalog::Connection& connection) -> Result<void> {
                            for (std::int64_t i = 0; i < kReportsMax; ++i) {
                              TRY(connection.run(
                                  "INSERT INTO reports (id, project_id, title, revision, author, editor, "
                                  "created_at, updated_at) VALUES (?, ?, 'a', 1, 'ada', 'ada', 0, 0)",
                                  {std::to_string(i), kDefaultProject.text}));
                            }
                            return {};
                          })
                  .ok());
  Report one_more;
  one_more.project = kDefaultProject;
  one_more.title = "one more";
  EXPECT_EQ(reports().create(one_more).error().code, ErrorCode::failed_precondition);
}

}  // namespace
}  // namespace slipway::tracking
