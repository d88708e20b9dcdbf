// The room through its front door, on SQLite and on PostgreSQL.
#include <cmath>
#include <thread>

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

SLIPWAY_ON_BOTH_DATABASES(TrackingTest);

TEST_P(TrackingTest, a_history_is_the_same_before_and_after_sorting_and_a_restart) {
  const tracking::Run run = create();
  std::vector<Value> first, second;
  for (int i = 0; i < 300; ++i) first.push_back({"loss", i, 1000 + i, 1.0 / (i + 1)});
  for (int i = 300; i < 400; ++i) second.push_back({"loss", i, 1000 + i, 1.0 / (i + 1)});
  ASSERT_TRUE(log(run, first).ok());
  EXPECT_EQ(history(run, "loss").size(), 300u);
  sort();
  EXPECT_EQ(history(run, "loss").size(), 300u);
  ASSERT_TRUE(log(run, second).ok());
  EXPECT_EQ(history(run, "loss").size(), 400u);
  open();
  const auto points = history(run, "loss");
  ASSERT_EQ(points.size(), 400u);
  EXPECT_EQ(points[399].step, 399);
  EXPECT_DOUBLE_EQ(points[10].value, 1.0 / 11);
  EXPECT_TRUE(history(run, "other").empty());
}

TEST_P(TrackingTest, a_repeated_request_counts_once_wherever_its_first_copy_lies) {
  const tracking::Run run = create();
  const std::vector<Value> values{{"a", 1, 10, 1}, {"a", 2, 20, 2}, {"b", 0, 5, kNaN}};
  ASSERT_TRUE(log(run, values).ok());
  ASSERT_TRUE(log(run, values).ok());
  EXPECT_EQ(get(run).metrics.at(0).points, 2);
  sort();
  ASSERT_TRUE(log(run, values).ok());
  EXPECT_EQ(get(run).metrics.at(0).points, 2);
  sort();
  const auto metrics = get(run).metrics;
  EXPECT_EQ(metrics.at(0).points, 2);
  EXPECT_EQ(metrics.at(1).points, 1);
  EXPECT_TRUE(std::isnan(metrics.at(1).value));
  EXPECT_EQ(history(run, "a").size(), 2u);
}

TEST_P(TrackingTest, the_latest_value_is_that_of_the_greatest_step_then_time_then_value) {
  const tracking::Run run = create();
  ASSERT_TRUE(log(run, {{"m", 5, 10, 1}, {"m", 4, 99, 2}}).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(get(run).metrics.at(0).value, 1);
    sort();
  }
  ASSERT_TRUE(log(run, {{"m", 5, 10, 7}, {"m", 3, 1000, 100}}).ok());
  for (int round = 0; round < 2; ++round) {
    const auto metric = get(run).metrics.at(0);
    EXPECT_EQ(metric.value, 7);
    EXPECT_EQ(metric.points, 4);
    EXPECT_EQ(metric.low, 1);
    EXPECT_EQ(metric.high, 100);
    EXPECT_EQ(metric.total, 110);
    sort();
  }
}

TEST_P(TrackingTest, many_small_batches_become_segments_then_chunks_and_lose_nothing) {
  open({.merge_segments = 3, .chunk_points_min = 64, .chunk_points_max = 100, .background = false});
  const tracking::Run run = create();
  int step = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Value> values;
    for (int i = 0; i < 7; ++i, ++step) {
      values.push_back({"long", step, step, step * 0.5});
      if (step % 50 == 0) values.push_back({"short", step, step, 1});
    }
    ASSERT_TRUE(log(run, values).ok());
    sort();
    ASSERT_EQ(history(run, "long").size(), static_cast<size_t>(step));
  }
  EXPECT_EQ(history(run, "short").size(), 6u);
  EXPECT_EQ(get(run).metrics.at(0).points, 280);
  const auto chunks = database_->read_value([](catalog::Connection& c) {
    return c.first("SELECT COUNT(*), (SELECT COUNT(*) FROM metric_segments) FROM metric_chunks", {},
                   [](const catalog::Row& r) { return std::make_pair(r.integer(0), r.integer(1)); });
  });
  EXPECT_GT((*chunks)->first, 0);
  EXPECT_LT((*chunks)->second, 9);
}

TEST_P(TrackingTest, an_unknown_or_deleted_run_takes_no_points) {
  tracking::Run run = create();
  ASSERT_TRUE(log(run, {{"m", 1, 1, 1}}).ok());
  ASSERT_TRUE(tracking_->runs().remove(kDefaultProject, run.id).ok());
  const auto refused = log(run, {{"m", 2, 2, 2}});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("must be in the 'active' state"), std::string::npos);
  ASSERT_TRUE(tracking_->runs().restore(kDefaultProject, run.id).ok());
  EXPECT_TRUE(log(run, {{"m", 3, 3, 3}}).ok());
  EXPECT_EQ(history(run, "m").size(), 2u);
  run.id = RunId("nobody");
  EXPECT_EQ(log(run, {{"m", 1, 1, 1}}).error().code, ErrorCode::not_found);
  EXPECT_EQ(tracking_->runs().get(ProjectId("other"), create().id).error().code, ErrorCode::not_found);
}

TEST_P(TrackingTest, a_parameter_may_be_repeated_but_not_changed_and_a_refused_request_leaves_nothing) {
  const tracking::Run run = create({{"lr", "0.1"}});
  EXPECT_TRUE(log(run, {}, {{"lr", "0.1"}}).ok());
  const auto changed = log(run, {{"m", 1, 1, 1}}, {{"lr", "0.2"}}, {{"t", "x"}});
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(changed.error().message.find("Changing param values is not allowed"), std::string::npos);
  EXPECT_TRUE(get(run).metrics.empty());
}

TEST_P(TrackingTest, infinities_and_nan_are_kept) {
  const tracking::Run run = create();
  const double inf = std::numeric_limits<double>::infinity();
  ASSERT_TRUE(log(run, {{"up", 1, 1, inf}, {"down", 1, 1, -inf}, {"nan", 1, 1, 3}, {"nan", 2, 2, kNaN}}).ok());
  for (int round = 0; round < 2; ++round) {
    const auto metrics = get(run).metrics;
    EXPECT_EQ(metrics.at(0).value, -inf);
    EXPECT_TRUE(std::isnan(metrics.at(1).value));
    EXPECT_EQ(metrics.at(1).high, 3);
    EXPECT_EQ(metrics.at(2).value, inf);
    sort();
  }
}

TEST_P(TrackingTest, infinities_of_both_signs_in_one_metric_can_be_sorted) {
  const tracking::Run run = create();
  const double inf = std::numeric_limits<double>::infinity(), big = std::numeric_limits<double>::max();
  ASSERT_TRUE(
      log(run, {{"m", 1, 1, inf}, {"m", 2, 2, -inf}, {"m", 3, 3, big}, {"m", 4, 4, big}, {"m", 5, 5, -inf}}).ok());
  sort();
  EXPECT_EQ(get(run).metrics.at(0).points, 5);
  EXPECT_EQ(history(run, "m").size(), 5u);
}

TEST_P(TrackingTest, a_damaged_batch_harms_only_its_own_run) {
  const tracking::Run hurt = create(), whole = create();
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record,
                          [&](catalog::Connection& c) -> Result<void> {
                            TRY(c.run("INSERT INTO metric_batches (run, id, points, body) VALUES (?, 1, 1, ?)",
                                      {hurt.number, catalog::Blob{"no batch"}}));
                            return {};
                          })
                  .ok());
  ASSERT_TRUE(log(whole, {{"m", 1, 1, 1}}).ok());
  sort();
  EXPECT_EQ(search("metrics.m = 1", {}), (Names(1, whole.name)));
  EXPECT_EQ(search("", {}).size(), 2u);
  EXPECT_EQ(tracking_->metrics().history(kDefaultProject, hurt.id, "m").error().code, ErrorCode::data_loss);
}

TEST_P(TrackingTest, the_background_sorter_empties_the_log) {
  open({.delay_max = std::chrono::milliseconds(50)});
  const tracking::Run run = create();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(log(run, {{"m", i, i, 1.0 * i}}).ok());
  for (int tries = 0; tries < 200 && waiting() > 0; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(history(run, "m").size(), 20u);
}

TEST_P(TrackingTest, two_servers_on_one_database_see_each_other_and_sort_every_point_once) {
  Counters counters;
  auto other_database = catalog::Database::open({.url = url_}, catalog::schema(), counters);
  ASSERT_TRUE(other_database.ok()) << other_database.error().message;
  Tracking other(**other_database, system_clock(), counters, nullptr, {.background = false});
  const tracking::Run run = create();
  constexpr int kRounds = 40;
  std::thread sorts_too([&] {
    for (int i = 0; i < kRounds; ++i) EXPECT_TRUE(other.sorter().catch_up().ok());
  });
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(log(run, {{"m", i, i, 1.0 * i}, {"n", i, i, 2.0 * i}}).ok());
    EXPECT_EQ(other.metrics().history(kDefaultProject, run.id, "m")->size(), static_cast<size_t>(i + 1));
    if (i % 3 == 0) sort();
  }
  sorts_too.join();
  sort();
  const auto metrics = other.runs().get(kDefaultProject, run.id)->metrics;
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[0].points, kRounds);
  EXPECT_EQ(metrics[1].value, 2.0 * (kRounds - 1));
}

TEST_P(TrackingTest, an_experiment_takes_its_runs_with_it_and_keeps_its_name) {
  auto& experiments = tracking_->experiments();
  const auto made = experiments.create(kDefaultProject, "digits", "", {{"k", "v"}}).value();
  EXPECT_EQ(made.artifact_location, "mlflow-artifacts:/" + made.id.text);
  EXPECT_EQ(experiments.create(kDefaultProject, "digits", "", {}).error().code, ErrorCode::already_exists);
  const auto run = tracking_->runs().create({.project = kDefaultProject, .experiment = made.id}).value();
  EXPECT_EQ(run.artifact_uri, made.artifact_location + "/" + run.id.text + "/artifacts");
  ASSERT_TRUE(experiments.remove(kDefaultProject, made.id).ok());
  EXPECT_TRUE(get(run).deleted);
  EXPECT_EQ(experiments.create(kDefaultProject, "digits", "", {}).error().code, ErrorCode::already_exists);
  EXPECT_FALSE(tracking_->runs().create({.project = kDefaultProject, .experiment = made.id}).ok());
  ASSERT_TRUE(experiments.restore(kDefaultProject, made.id).ok());
  EXPECT_FALSE(get(run).deleted);
  EXPECT_EQ(experiments.find(kDefaultProject, "digits")->tags, (KeyValues{{"k", "v"}}));
}

TEST_P(TrackingTest, in_every_project_experiment_0_is_the_one_named_default) {
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record,
                          [&](catalog::Connection& c) -> Result<void> {
                            TRY(c.run("INSERT INTO projects (id, name, created_at) VALUES ('lab', 'lab', 0)", {}));
                            return {};
                          })
                  .ok());
  const ProjectId lab("lab");
  const auto made = tracking_->experiments().get(lab, ExperimentId("0")).value();
  EXPECT_EQ(made.name, "Default");
  EXPECT_NE(made.id.text, "0");
  EXPECT_EQ(tracking_->experiments().get(lab, ExperimentId("0"))->id, made.id);
  const auto run = tracking_->runs().create({.project = lab, .experiment = ExperimentId("0")}).value();
  EXPECT_EQ(run.experiment, made.id);
  EXPECT_EQ(tracking_->search().runs({.project = lab, .experiments = {ExperimentId("0")}})->items.size(), 1u);
  EXPECT_EQ(tracking_->search().runs({.project = kDefaultProject, .experiments = {ExperimentId("0")}})->items.size(),
            0u);
  EXPECT_EQ(tracking_->experiments().get(lab, ExperimentId("1")).error().code, ErrorCode::not_found);
}

TEST_P(TrackingTest, experiments_are_searched_by_name_tag_and_time_in_pages) {
  for (const char* name : {"alpha", "beta", "gamma"}) {
    ASSERT_TRUE(tracking_->experiments().create(kDefaultProject, name, "", {{"first", std::string(1, name[0])}}).ok());
  }
  const auto names = [&](const std::string& filter, const std::string& order) {
    ExperimentQuery query{.project = kDefaultProject, .filter = parse_filter(filter).value(), .page_size = 1};
    if (!order.empty()) query.order.push_back(parse_order(order).value());
    Names out;
    do {
      const auto page = tracking_->search().experiments(query).value();
      for (const Experiment& e : page.items) out.push_back(e.name);
      query.page_token = page.next_page_token.value_or("");
    } while (!query.page_token.empty());
    return out;
  };
  EXPECT_EQ(names("name LIKE '%a'", "name DESC"), (Names{"gamma", "beta", "alpha"}));
  EXPECT_EQ(names("tags.first = 'b'", ""), Names{"beta"});
  EXPECT_EQ(names("", ""), (Names{"gamma", "beta", "alpha", "Default"}));
}

TEST_P(TrackingTest, inputs_and_logged_models_belong_to_their_run) {
  const tracking::Run run = create();
  const auto model = tracking_->logged_models()
                         .create({.project = kDefaultProject,
                                  .experiment = ExperimentId("0"),
                                  .name = "net",
                                  .source_run = run.id,
                                  .params = {{"p", "1"}}})
                         .value();
  EXPECT_TRUE(model.id.text.starts_with("m-"));
  ASSERT_TRUE(tracking_->runs().log_outputs(kDefaultProject, run.id, {{model.id.text, 3}}).ok());
  EXPECT_EQ(tracking_->runs().log_outputs(kDefaultProject, run.id, {{"m-none", 3}}).error().code, ErrorCode::not_found);
  const InputDataset dataset{"digits", "abc", "local", "{}", "{}", std::nullopt, {{"mlflow.data.context", "training"}}};
  ASSERT_TRUE(tracking_->runs().log_inputs(kDefaultProject, run.id, {dataset}, {}).ok());
  const auto inputs = tracking_->runs().inputs(kDefaultProject, run.id).value();
  EXPECT_EQ(inputs.datasets.at(0).tags, dataset.tags);
  EXPECT_EQ(inputs.models_out.at(0).step, 3);
  EXPECT_EQ(search("datasets.context = 'training'", {}), (Names(1, run.name)));
  EXPECT_EQ(tracking_->logged_models().set_status(kDefaultProject, model.id, LoggedModelStatus::ready)->status,
            LoggedModelStatus::ready);
  LoggedModelQuery query{.project = kDefaultProject,
                         .experiments = {ExperimentId("0")},
                         .filter = parse_filter("name = 'net' and params.p = '1'").value()};
  EXPECT_EQ(tracking_->logged_models().search(query)->items.size(), 1u);
}

TEST(SorterDecision, sorts_when_much_waits_or_enough_time_has_passed) {
  const SorterOptions options;
  EXPECT_EQ(decide(options, 0, std::chrono::milliseconds(10)), SorterStep::wait);
  EXPECT_EQ(decide(options, options.pending_points_max, std::chrono::milliseconds(10)), SorterStep::sort);
  EXPECT_EQ(decide(options, 0, options.delay_max), SorterStep::sort);
}

}  // namespace
}  // namespace slipway::tracking
