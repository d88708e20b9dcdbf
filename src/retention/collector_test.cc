#include "retention/collector.h"

#include "domain/tree.h"
#include "retention/fixture.h"

namespace slipway::retention {
namespace {

class CollectorTest : public RetentionTest {
 protected:
  /// One page, all of the default project.
  Page remove_all(Duration deleted_for = hours(24)) {
    auto page = collector_->remove({kDefaultProject, deleted_for, {}, {}}, "", "m1");
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().message);
    return page.ok() ? std::move(*page) : Page{};
  }
  std::string reason(const RunId& run) {
    const auto page = collector_->list({kDefaultProject, {}, {run}, {}}, "");
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().message);
    return page.ok() ? page->runs.at(0).kept_because : "";
  }
  LoggedModelId logged_model(const tracking::Run& run) {
    return tracking_->logged_models()
        .create({.project = kDefaultProject,
                 .experiment = run.experiment,
                 .name = "net",
                 .source_run = run.id,
                 .params = {{"depth", "3"}}})
        .value()
        .id;
  }
  void trace(int number, const RunId& run) {
    tracking::Trace trace;
    trace.id = TraceId(fmt::format("tr-{:032x}", number));
    trace.experiment = ExperimentId("0");
    trace.started_at = clock_.now();
    trace.metadata = {{std::string(tracking::kSourceRunKey), run.text}};
    ASSERT_TRUE(tracking_->traces().start(kDefaultProject, trace).ok());
  }
  void register_version(const std::string& model, const registry::NewVersion& version) {
    ASSERT_TRUE(registry_->models().create(kDefaultProject, model, "", {}).ok());
    const auto made = registry_->models().create_version(kDefaultProject, model, version);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  std::int64_t freed(const Criteria& criteria) {
    return static_cast<std::int64_t>(collector_->would_free(criteria)->blobs_removed);
  }
};

TEST_P(CollectorTest, a_deleted_run_goes_with_everything_and_the_others_stay) {
  const auto gone = create("gone"), stays = create("stays");
  for (const auto* run : {&gone, &stays}) {
    for (int step = 0; step < 20; ++step) log(run->id, "loss", step, 1.0 / (step + 1));
    put(owner_of(run->id), "both.txt", "the same");
    put(owner_of(run->id), "own.txt", run->name);
  }
  const Hash model_file =
      put({kDefaultProject, registry::OwnerKind::logged_model, logged_model(gone).text}, "net.onnx", "weights");
  sort();
  log(gone.id, "loss", 20, 0);  // still in the log of batches
  trace(1, gone.id);
  trace(2, stays.id);
  remove(gone.id);
  clock_.advance(hours(48));

  const Page listed = collector_->list({kDefaultProject, hours(24), {}, {}}, "").value();
  ASSERT_EQ(listed.runs.size(), 1u);
  EXPECT_EQ(listed.total, 1);
  EXPECT_EQ(listed.runs[0].bytes.artifacts, 8 + 4 + 7);
  EXPECT_GT(listed.runs[0].bytes.points, 0);
  EXPECT_EQ(freed({kDefaultProject, hours(24), {}, {}}), 2)
      << "its own file and its model's; the shared one is named elsewhere";
  EXPECT_TRUE(is_there(gone.id)) << "listing removes nothing";

  EXPECT_EQ(remove_all().runs.at(0).kept_because, "");
  EXPECT_FALSE(is_there(gone.id));
  EXPECT_EQ(left_of(gone), Names{});
  EXPECT_EQ(audited_, Names{"m1 remove run for good " + gone.id.text});
  EXPECT_EQ(count("SELECT COUNT(*) FROM traces"), 1);
  EXPECT_EQ(registry_->references().sweep(false)->blobs_removed, 2u);
  EXPECT_FALSE(*store_->contains(model_file));

  EXPECT_EQ(tracking_->metrics().history(kDefaultProject, stays.id, "loss")->size(), 20u);
  EXPECT_EQ(registry_->artifacts().all(owner_of(stays.id))->size(), 2u);
  EXPECT_EQ(tracking_->runs().get(kDefaultProject, stays.id)->params.size(), 1u);
  EXPECT_TRUE(remove_all().runs.empty());
}

TEST_P(CollectorTest, what_was_deleted_lately_stays_unless_it_is_named) {
  const auto run = create("lately"), other = create("other"), active = create("active");
  remove(run.id);
  remove(other.id);
  clock_.advance(hours(1));
  EXPECT_TRUE(remove_all(hours(24)).runs.empty());
  EXPECT_EQ(collector_->remove({kDefaultProject, {}, {run.id}, {}}, "", "m1")->runs.size(), 1u);
  EXPECT_FALSE(is_there(run.id));
  EXPECT_TRUE(is_there(other.id));
  const auto refused = collector_->remove({kDefaultProject, {}, {active.id}, {}}, "", "m1");
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(collector_->remove({kDefaultProject, {}, {run.id}, {}}, "", "m1").error().code, ErrorCode::not_found);
  EXPECT_EQ(collector_->remove({ProjectId("another"), {}, {other.id}, {}}, "", "m1").error().code,
            ErrorCode::not_found);
}

TEST_P(CollectorTest, a_run_that_something_needs_stays_and_says_why) {
  const auto version = create("version"), logged = create("logged"), used = create("used"),
             committed = create("committed"), user = create("user");
  const auto file = store_->put("onnx").value();
  registry::NewVersion made{.run = version.id, .files = {{"net.onnx", file.hash, file.size, "", {}}}};
  register_version("digits", made);
  made.run.reset();
  made.logged_model = logged_model(logged);
  register_version("shapes", made);
  ASSERT_TRUE(tracking_->runs().log_inputs(kDefaultProject, user.id, {}, {{logged_model(used).text, 0}}).ok());
  const auto tree = store_->put(render(Tree{{{"a.txt", file.hash, file.size, TreeEntryKind::file}}})).value();
  registry::NewCommit commit;
  commit.tree = tree.hash;
  const auto id = registry_->datasets().commit(kDefaultProject, "scenes", commit);
  ASSERT_TRUE(id.ok()) << id.error().message;
  ASSERT_TRUE(registry_->lineage()
                  .add(kDefaultProject, {"run", committed.id.text}, {"dataset_commit", id->id.text}, "output")
                  .ok());
  for (const auto* run : {&version, &logged, &used, &committed}) remove(run->id);

  EXPECT_EQ(reason(version.id), "the model version digits/1 was made by it");
  EXPECT_EQ(reason(logged.id), "the model version shapes/1 was made of what it logged");
  EXPECT_EQ(reason(used.id), "the run user uses the model net that it logged");
  EXPECT_NE(reason(committed.id).find("of the dataset scenes"), std::string::npos);
  EXPECT_EQ(remove_all({}).runs.size(), 4u);
  for (const auto* run : {&version, &logged, &used, &committed}) EXPECT_TRUE(is_there(run->id)) << run->name;

  // Once nothing needs them any more, they go.
  ASSERT_TRUE(registry_->models().remove(kDefaultProject, "digits").ok());
  remove(user.id);
  remove_all({});
  EXPECT_FALSE(is_there(version.id));
  EXPECT_FALSE(is_there(used.id));
  EXPECT_TRUE(is_there(logged.id));
}

TEST_P(CollectorTest, a_need_of_a_later_room_counts) {
  const auto run = create("judged");
  remove(run.id);
  collector_->add_need([&](catalog::Connection&, const RunId& asked) -> Result<std::optional<std::string>> {
    return asked == run.id ? std::optional<std::string>("somebody looks at it") : std::nullopt;
  });
  EXPECT_EQ(remove_all({}).runs.at(0).kept_because, "somebody looks at it");
  EXPECT_TRUE(is_there(run.id));
}

TEST_P(CollectorTest, what_a_kill_interrupted_is_invisible_and_goes_with_the_next_call) {
  const auto run = create("half");
  for (int step = 0; step < 5; ++step) log(run.id, "loss", step, step);
  put(owner_of(run.id), "a.txt", "bytes");
  remove(run.id);
  // As far as the first transaction, and no further.
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record, catalog::Write([&](catalog::Connection& c) -> Result<void> {
                            const auto found = TRY(tracking::list_deleted_runs(c, {{}, clock_.now(), {}, {}}, {}, 10));
                            EXPECT_TRUE(TRY(tracking::begin_run_erasure(c, found.at(0), clock_.now())));
                            return {};
                          }))
                  .ok());
  EXPECT_FALSE(is_there(run.id));
  EXPECT_EQ(tracking_->runs().restore(kDefaultProject, run.id).error().code, ErrorCode::not_found);
  tracking::ImportedRun again{
      .id = run.id, .experiment = ExperimentId("0"), .name = "again", .started_at = clock_.now()};
  EXPECT_EQ(tracking_->imports().put_run(kDefaultProject, again).error().code, ErrorCode::busy);
  sort();  // finds its points in the log, and must not bring anything back
  EXPECT_EQ(*collector_->finish(), 1);
  EXPECT_EQ(left_of(run), Names{});

  // From now on its id may come back, also for a server that knew the former run.
  ASSERT_TRUE(tracking_->imports().put_run(kDefaultProject, again).ok());
  log(run.id, "loss", 1, 1);
  EXPECT_EQ(tracking_->metrics().history(kDefaultProject, run.id, "loss")->size(), 1u);
}

TEST_P(CollectorTest, more_than_a_transaction_takes_goes_in_several) {
  const auto run = create("large");
  for (int file = 0; file < 3; ++file) put(owner_of(run.id), fmt::format("{}.txt", file), "x");
  tracking::KeyValues params;
  for (int i = 0; i < 2 * kRowsAtOnce + 7; ++i) params.emplace_back(fmt::format("p{}", i), "1");
  ASSERT_TRUE(tracking_->runs().log_params(kDefaultProject, run.id, params).ok());
  remove(run.id);
  remove_all({});
  EXPECT_EQ(left_of(run), Names{});
}

TEST_P(CollectorTest, an_experiment_goes_once_nothing_of_it_stays) {
  const auto made = tracking_->experiments().create(kDefaultProject, "old", "", {{"team", "x"}}).value();
  const auto kept = tracking_->experiments().create(kDefaultProject, "kept", "", {}).value();
  const auto run = create("one", made.id), needed = create("two", kept.id);
  const auto sql = [&](const char* text) {
    return database_
        ->write(catalog::Durability::record, catalog::Write([&](catalog::Connection& c) -> Result<void> {
                  TRY(c.run(text, {made.number}));
                  return {};
                }))
        .ok();
  };
  ASSERT_TRUE(sql("INSERT INTO scorers (id, experiment, name) VALUES ('s', ?, 'judge')"));
  ASSERT_TRUE(sql(
      "INSERT INTO scorer_versions (scorer, version, body, created_at) SELECT number, 1, '{}', 0 FROM scorers WHERE experiment = ?"));
  ASSERT_TRUE(sql("INSERT INTO evaluation_dataset_experiments (dataset, experiment) VALUES (1, ?)"));
  registry::NewVersion version{.run = needed.id};
  version.files = {{"net.onnx", store_->put("onnx")->hash, 4, "", {}}};
  register_version("digits", version);
  ASSERT_TRUE(tracking_->experiments().remove(kDefaultProject, made.id).ok());
  ASSERT_TRUE(tracking_->experiments().remove(kDefaultProject, kept.id).ok());
  clock_.advance(hours(48));

  const Page listed = collector_->list({kDefaultProject, hours(24), {}, {}}, "").value();
  ASSERT_EQ(listed.experiments.size(), 2u);
  EXPECT_EQ(listed.experiments[0].kept_because, "");
  EXPECT_NE(listed.experiments[1].kept_because.find("its run " + needed.id.text + " stays"), std::string::npos);

  remove_all();
  EXPECT_EQ(tracking_->experiments().get(kDefaultProject, made.id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(tracking_->experiments().create(kDefaultProject, "old", "", {}).ok()) << "its name is free";
  EXPECT_TRUE(tracking_->experiments().restore(kDefaultProject, kept.id).ok());
  EXPECT_TRUE(is_there(needed.id));
  EXPECT_FALSE(is_there(run.id));
  for (const char* table : {"experiment_erasures", "scorers", "scorer_versions", "evaluation_dataset_experiments"})
    EXPECT_EQ(count(fmt::format("SELECT COUNT(*) FROM {}", table)), 0) << table;
}

TEST_P(CollectorTest, an_experiment_on_its_way_out_is_not_restored) {
  const auto made = tracking_->experiments().create(kDefaultProject, "old", "", {}).value();
  ASSERT_TRUE(tracking_->experiments().remove(kDefaultProject, made.id).ok());
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record, catalog::Write([&](catalog::Connection& c) -> Result<void> {
                            const auto found = TRY(tracking::list_deleted_experiments(c, {{}, clock_.now(), {}, {}}));
                            EXPECT_TRUE(TRY(tracking::begin_experiment_erasure(c, found.at(0), clock_.now())));
                            return {};
                          }))
                  .ok());
  EXPECT_EQ(tracking_->experiments().restore(kDefaultProject, made.id).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(*collector_->finish(), 1);
}

TEST_P(CollectorTest, pages_go_on_behind_runs_that_stay) {
  std::vector<RunId> runs;
  for (int i = 0; i < 5; ++i) {
    runs.push_back(create(fmt::format("run-{}", i)).id);
    remove(runs.back());
    clock_.advance(std::chrono::seconds(1));
  }
  collector_->add_need([&](catalog::Connection&, const RunId& run) -> Result<std::optional<std::string>> {
    return run == runs[0] || run == runs[3] ? std::optional<std::string>("it is kept") : std::nullopt;
  });
  std::string token;
  int pages = 0;
  do {
    const Page page = collector_->remove({kDefaultProject, {}, {}, {}}, token, "m1", 2).value();
    token = page.next_page_token.value_or("");
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(is_there(runs[static_cast<size_t>(i)]), i == 0 || i == 3) << i;
  EXPECT_EQ(collector_->list({kDefaultProject, {}, {}, {}}, "x").error().code, ErrorCode::invalid_argument);
}

SLIPWAY_ON_BOTH_DATABASES(CollectorTest);

}  // namespace
}  // namespace slipway::retention
