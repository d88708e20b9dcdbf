#include "retention/keeper.h"

#include "retention/fixture.h"

namespace slipway::retention {
namespace {

const ProjectId kProject = kDefaultProject;

class KeeperTest : public RetentionTest {
 protected:
  void SetUp() override {
    RetentionTest::SetUp();
    if (IsSkipped()) return;
    usage_ = std::make_unique<Usage>(*database_, registry_->references(), clock_);
    keeper_ = std::make_unique<Keeper>(*database_, *tracking_, *collector_, *usage_, clock_, nullptr, audit(), false);
  }
  /// A run that is over now.
  tracking::Run over(const std::string& name, double loss) {
    auto run = create(name);
    log(run.id, "loss", 1, loss);
    put(owner_of(run.id), "weights.bin", "weights of " + name);
    tracking::RunUpdate end;
    end.ended_at = clock_.now();
    EXPECT_TRUE(tracking_->runs().update(kProject, run.id, end).ok());
    clock_.advance(std::chrono::minutes(1));
    return run;
  }
  void set(Rule rule) {
    const auto set = keeper_->set(kProject, {std::move(rule)}, "m1", "ada");
    ASSERT_TRUE(set.ok()) << set.error().message;
  }
  bool is_deleted(const tracking::Run& run) { return tracking_->runs().get(kProject, run.id)->deleted; }
  size_t files(const tracking::Run& run) { return registry_->artifacts().all(owner_of(run.id))->size(); }

  std::unique_ptr<Usage> usage_;
  std::unique_ptr<Keeper> keeper_;
};

TEST_P(KeeperTest, runs_go_by_the_rule_and_can_be_restored) {
  const auto good = over("good", 0.1), bad = over("bad", 0.9), worse = over("worse", 1.5), last = over("last", 0.5);
  set({.keep_best = 1, .metric = "loss", .keep_last = 1, .after = hours(24 * 7), .deletes = Deletes::runs});
  keeper_->step();
  EXPECT_FALSE(is_deleted(bad)) << "a week has not passed";
  clock_.advance(hours(24 * 8));
  const Choice chosen = keeper_->preview(kProject, keeper_->rules(kProject)->rules).value();
  EXPECT_EQ(chosen.run_count, 2);
  EXPECT_EQ(chosen.looked_at, 4);
  EXPECT_GT(chosen.bytes, 0);
  EXPECT_FALSE(is_deleted(bad)) << "looking deletes nothing";

  keeper_->step();
  EXPECT_TRUE(is_deleted(bad));
  EXPECT_TRUE(is_deleted(worse));
  EXPECT_FALSE(is_deleted(good));
  EXPECT_FALSE(is_deleted(last));
  EXPECT_EQ(files(bad), 1u);
  EXPECT_EQ(audited_, (Names{"m1 set retention rules default", "m1 delete run by rule " + worse.id.text,
                             "m1 delete run by rule " + bad.id.text}));
  EXPECT_EQ(keeper_->rules(kProject)->applied_at, clock_.now());

  ASSERT_TRUE(tracking_->runs().restore(kProject, bad.id).ok());
  EXPECT_FALSE(is_deleted(bad));
}

TEST_P(KeeperTest, artifacts_go_and_the_record_stays) {
  const auto old = over("old", 0.5);
  clock_.advance(hours(24 * 31));
  set({.after = hours(24 * 30)});
  EXPECT_EQ(keeper_->preview(kProject, keeper_->rules(kProject)->rules)->bytes, 14);
  const Choice gone = keeper_->apply(kProject).value();
  EXPECT_EQ(gone.run_count, 1);
  EXPECT_EQ(files(old), 0u);
  EXPECT_FALSE(is_deleted(old));
  EXPECT_EQ(tracking_->metrics().history(kProject, old.id, "loss")->size(), 1u);
  const auto tags = tracking_->runs().get(kProject, old.id)->tags;
  EXPECT_TRUE(
      std::any_of(tags.begin(), tags.end(), [](const auto& tag) { return tag.first == tracking::kFilesDeletedTag; }));
  EXPECT_EQ(registry_->references().sweep(false)->bytes_removed, 14u);
  EXPECT_EQ(keeper_->apply(kProject)->run_count, 0) << "there is nothing left to delete";
  EXPECT_EQ(audited_.size(), 2u);
}

TEST_P(KeeperTest, pinned_and_needed_runs_stay) {
  const auto pinned = over("pinned", 1), needed = over("needed", 2), unpinned = over("unpinned", 3);
  ASSERT_TRUE(tracking_->runs().set_tags(kProject, pinned.id, {{"slipway.pinned", "true"}}).ok());
  ASSERT_TRUE(tracking_->runs().set_tags(kProject, unpinned.id, {{"slipway.pinned", "false"}}).ok());
  collector_->add_need([&](catalog::Connection&, const RunId& run) -> Result<std::optional<std::string>> {
    return run == needed.id ? std::optional<std::string>("somebody looks at it") : std::nullopt;
  });
  set({.deletes = Deletes::runs});
  const Choice gone = keeper_->apply(kProject).value();
  EXPECT_EQ(gone.run_count, 1);
  EXPECT_EQ(gone.needed_count, 1);
  EXPECT_FALSE(is_deleted(pinned));
  EXPECT_FALSE(is_deleted(needed));
  EXPECT_TRUE(is_deleted(unpinned));
}

TEST_P(KeeperTest, experiments_without_a_rule_and_other_projects_are_left_alone) {
  const auto run = over("here", 1);
  set({.experiment = "vision-*", .deletes = Deletes::runs});
  EXPECT_EQ(keeper_->apply(kProject)->looked_at, 0);
  EXPECT_EQ(keeper_->apply(ProjectId("another"))->looked_at, 0);
  EXPECT_FALSE(is_deleted(run));
  EXPECT_TRUE(keeper_->rules(ProjectId("another"))->rules.empty());
}

TEST_P(KeeperTest, goes_on_with_removals_that_a_kill_interrupted) {
  const auto run = over("half", 1);
  remove(run.id);
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record, catalog::Write([&](catalog::Connection& c) -> Result<void> {
                            const auto found = TRY(tracking::list_deleted_runs(c, {{}, clock_.now(), {}, {}}, {}, 1));
                            TRY(tracking::begin_run_erasure(c, found.at(0), clock_.now()));
                            return {};
                          }))
                  .ok());
  keeper_->step();
  EXPECT_EQ(left_of(run), Names{});
}

SLIPWAY_ON_BOTH_DATABASES(KeeperTest);

}  // namespace
}  // namespace slipway::retention
