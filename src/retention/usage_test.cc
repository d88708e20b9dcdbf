#include "retention/usage.h"

#include "retention/fixture.h"

namespace slipway::retention {
namespace {

class UsageTest : public RetentionTest {
 protected:
  void SetUp() override {
    RetentionTest::SetUp();
    if (!IsSkipped()) usage_ = std::make_unique<Usage>(*database_, registry_->references(), clock_);
  }
  UsageReport report(const ProjectId& project = kDefaultProject) {
    auto out = usage_->report(project);
    EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().message);
    return out.ok() ? std::move(*out) : UsageReport{};
  }
  std::unique_ptr<Usage> usage_;
};

TEST_P(UsageTest, counts_shared_content_once_in_the_project_and_by_name_below) {
  const auto other = tracking_->experiments().create(kDefaultProject, "other", "", {}).value();
  const auto a = create("a"), b = create("b", other.id);
  for (const auto* run : {&a, &b}) put(owner_of(run->id), "same.bin", "0123456789");
  put(owner_of(b.id), "own.bin", "12345");
  for (int step = 0; step < 10; ++step) log(b.id, "loss", step, step);
  const UsageReport out = report();
  EXPECT_EQ(out.artifacts, 15);
  EXPECT_EQ(out.shared, 10);
  EXPECT_GT(out.points, 0);
  EXPECT_EQ(out.total(), out.artifacts + out.points);
  ASSERT_EQ(out.experiments.size(), 2u);
  EXPECT_EQ(out.experiments[0].name, "other");
  EXPECT_EQ(out.experiments[0].bytes.artifacts, 15);
  EXPECT_EQ(out.experiments[0].bytes.points, out.points);
  EXPECT_EQ(out.experiments[1].bytes.artifacts, 10);
  EXPECT_EQ(out.users.size(), 1u);
  EXPECT_EQ(out.users[0].runs, 2);
  EXPECT_EQ(out.runs, 2);
  EXPECT_EQ(out.waiting, 0);
  EXPECT_EQ(report(ProjectId("another")).total(), 0);
}

TEST_P(UsageTest, runs_that_go_on_are_measured_again) {
  const auto run = create("a");
  EXPECT_EQ(report().experiments.at(0).bytes.artifacts, 0);
  put(owner_of(run.id), "late.bin", "12345");
  EXPECT_EQ(report().experiments.at(0).bytes.artifacts, 0) << "measured a moment ago";
  clock_.advance(std::chrono::seconds(6));
  EXPECT_EQ(report().experiments.at(0).bytes.artifacts, 5);
}

TEST_P(UsageTest, runs_that_are_over_are_measured_once_a_day) {
  const auto run = create("a");
  tracking::RunUpdate end;
  end.ended_at = clock_.now() - hours(100);
  ASSERT_TRUE(tracking_->runs().update(kDefaultProject, run.id, end).ok());
  EXPECT_EQ(*usage_->measure_some(), 1);
  put(owner_of(run.id), "late.bin", "12345");
  clock_.advance(hours(2));
  EXPECT_EQ(*usage_->measure_some(), 0);
  clock_.advance(hours(23));
  EXPECT_EQ(*usage_->measure_some(), 1);
  EXPECT_EQ(report().experiments.at(0).bytes.artifacts, 5);
}

TEST_P(UsageTest, what_is_not_measured_yet_is_said) {
  for (int i = 0; i < kMeasuredAtOnce + 3; ++i) create("r");
  UsageReport out = report();
  EXPECT_EQ(out.runs, kMeasuredAtOnce);
  EXPECT_EQ(out.waiting, 3);
  EXPECT_EQ(*usage_->measure_some(), 3);
  EXPECT_EQ(*usage_->measure_some(), 0);
  EXPECT_EQ(report().waiting, 0);
}

TEST_P(UsageTest, deleted_runs_take_room_until_they_are_gone) {
  const auto run = create("a");
  put(owner_of(run.id), "x.bin", "12345");
  remove(run.id);
  EXPECT_EQ(report().deleted, 5);
  ASSERT_TRUE(collector_->remove({kDefaultProject, {}, {}, {}}, "", "m1").ok());
  const UsageReport out = report();
  EXPECT_EQ(out.deleted, 0);
  EXPECT_EQ(out.artifacts, 0);
  EXPECT_EQ(out.runs, 0);
}

SLIPWAY_ON_BOTH_DATABASES(UsageTest);

}  // namespace
}  // namespace slipway::retention
