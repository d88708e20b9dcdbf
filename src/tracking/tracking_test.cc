// The room through its front door, on SQLite and on PostgreSQL.
#include "tracking/tracking.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <future>
#include <limits>
#include <thread>

#include "base/file.h"
#include "base/ids.h"
#include "base/process.h"
#include "base/text.h"

namespace slipway::tracking {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A new database on a PostgreSQL that the first test starts and that ends with this process.
Result<std::string> fresh_postgres() {
  const auto support = [](std::vector<std::string> arguments) -> Result<std::string> {
    const auto script = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "tests" / "support" / "postgres";
    arguments.insert(arguments.begin(), script.string());
    const Output output = TRY(run_command({.arguments = arguments}, std::chrono::seconds(150)));
    if (!output.status.ok()) return Error{ErrorCode::unavailable, std::string(trim(output.err))};
    return std::string(trim(output.out));
  };
  static int number = 0;
  static const Result<std::string> server = support({"start", "--while-pid", std::to_string(::getpid())});
  return support({"database", TRY(Result<std::string>(server)), "tracking" + std::to_string(++number)});
}

class TrackingTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    url_ = "sqlite:" + (folder_.path() / "t.db").string();
    if (GetParam() == std::string("postgres")) {
      const auto url = fresh_postgres();
      if (!url.ok()) GTEST_SKIP() << url.error().message;
      url_ = *url;
    }
    open();
  }

  void open(SorterOptions options = {.background = false}) {
    tracking_.reset();
    database_.reset();
    counters_ = std::make_unique<Counters>();
    auto opened = catalog::Database::open({.url = url_}, catalog::schema(), *counters_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    database_ = std::move(*opened);
    tracking_ = std::make_unique<Tracking>(*database_, system_clock(), *counters_, nullptr, options);
  }

  tracking::Run create(KeyValues params = {}, KeyValues tags = {}, std::int64_t started_ms = 1000) {
    auto run = tracking_->runs().create({.project = kDefaultProject, .experiment = ExperimentId("0"), .started_at = Time::from_millis(started_ms),
                                         .params = std::move(params), .tags = std::move(tags)});
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().message);
    return std::move(*run);
  }

  struct Value {
    const char* key;
    std::int64_t step, at_ms;
    double value;
  };
  Result<void> log(const tracking::Run& run, const std::vector<Value>& values, KeyValues params = {}, KeyValues tags = {}) {
    LogRequest request{kDefaultProject, run.id, {}, {}, std::move(params), std::move(tags), {}};
    {
      const auto lookup = tracking_->log().names().lookup(kDefaultProject);
      for (const Value& v : values) MetricLog::add_point(request, lookup, v.key, v.step, v.at_ms, v.value);
    }
    std::promise<Result<void>> promise;
    tracking_->log().log(std::move(request), [&](Result<void> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  std::vector<Point> history(const tracking::Run& run, const std::string& key) { return tracking_->metrics().history(kDefaultProject, run.id, key).value(); }
  tracking::Run get(const tracking::Run& run) { return tracking_->runs().get(kDefaultProject, run.id).value(); }
  void sort() { ASSERT_TRUE(tracking_->sorter().catch_up().ok()); }

  std::vector<std::string> search(const std::string& filter, const std::vector<std::string>& order, size_t page_size = 100) {
    RunQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}, .page_size = page_size};
    query.filter = parse_filter(filter).value();
    for (const std::string& term : order) query.order.push_back(parse_order(term).value());
    std::vector<std::string> names;
    while (true) {
      const auto page = tracking_->search().runs(query);
      EXPECT_TRUE(page.ok()) << filter << ": " << (page.ok() ? "" : page.error().message);
      if (!page.ok()) return {"error"};
      for (const tracking::Run& run : page->items) names.push_back(run.name);
      if (!page->next_page_token) return names;
      query.page_token = *page->next_page_token;
    }
  }
  void named(const std::string& name, const std::vector<Value>& values, KeyValues params = {}, std::int64_t started_ms = 1000) {
    auto run = tracking_->runs().create({.project = kDefaultProject, .experiment = ExperimentId("0"), .name = name,
                                         .started_at = Time::from_millis(started_ms), .params = std::move(params)});
    ASSERT_TRUE(run.ok());
    ASSERT_TRUE(log(*run, values).ok());
  }

  TemporaryDirectory folder_;
  std::string url_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<Tracking> tracking_;
};

INSTANTIATE_TEST_SUITE_P(Databases, TrackingTest, testing::Values("sqlite", "postgres"), [](const auto& suite) { return std::string(suite.param); });

using Names = std::vector<std::string>;

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
  const auto chunks = database_->read_value([](catalog::Connection& c) { return c.first("SELECT COUNT(*), (SELECT COUNT(*) FROM metric_segments) FROM metric_chunks", {}, [](const catalog::Row& r) { return std::make_pair(r.integer(0), r.integer(1)); }); });
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
  ASSERT_TRUE(log(run, {{"m", 1, 1, inf}, {"m", 2, 2, -inf}, {"m", 3, 3, big}, {"m", 4, 4, big}, {"m", 5, 5, -inf}}).ok());
  sort();
  EXPECT_EQ(get(run).metrics.at(0).points, 5);
  EXPECT_EQ(history(run, "m").size(), 5u);
}

TEST_P(TrackingTest, a_damaged_batch_harms_only_its_own_run) {
  const tracking::Run hurt = create(), whole = create();
  ASSERT_TRUE(database_->write(catalog::Durability::record, [&](catalog::Connection& c) -> Result<void> {
    TRY(c.run("INSERT INTO metric_batches (run, id, points, body) VALUES (?, 1, 1, ?)", {hurt.number, catalog::Blob{"no batch"}}));
    return {};
  }).ok());
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
  for (int tries = 0; tries < 200; ++tries) {
    const auto left = database_->read_value([](catalog::Connection& c) { return c.first("SELECT COUNT(*) FROM metric_batches", {}, [](const catalog::Row& r) { return r.integer(0); }); });
    if (**left == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const auto left = database_->read_value([](catalog::Connection& c) { return c.first("SELECT COUNT(*) FROM metric_batches", {}, [](const catalog::Row& r) { return r.integer(0); }); });
  EXPECT_EQ(**left, 0);
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

TEST_P(TrackingTest, runs_are_ordered_by_a_metric_then_nan_then_those_without_in_both_directions) {
  named("one", {{"m", 1, 1, 1}}, {}, 100);
  named("two", {{"m", 1, 1, 2}}, {}, 200);
  named("also two", {{"m", 1, 1, 2}}, {}, 300);
  named("nan", {{"m", 1, 1, kNaN}});
  named("none", {{"x", 1, 1, 1}});
  const Names up{"one", "also two", "two", "nan", "none"}, down{"also two", "two", "one", "nan", "none"};
  for (size_t page_size : {100, 1, 2, 3}) {
    EXPECT_EQ(search("", {"metrics.m"}, page_size), up) << page_size;
    EXPECT_EQ(search("", {"metrics.m DESC"}, page_size), down) << page_size;
  }
  EXPECT_EQ(search("metrics.m >= 2", {"metrics.m ASC", "attributes.start_time ASC"}, 1), (Names{"two", "also two"}));
  EXPECT_EQ(search("", {"metrics.x", "metrics.m DESC"}, 2), (Names{"none", "also two", "two", "one", "nan"}));
}

TEST_P(TrackingTest, runs_are_found_by_metrics_parameters_tags_and_attributes) {
  named("a", {{"acc", 1, 1, 0.5}}, {{"lr", "0.1"}, {"opt", "Adam"}}, 100);
  named("b", {{"acc", 1, 1, 0.9}}, {{"lr", "0.01"}, {"opt", "SGD"}}, 200);
  named("c", {}, {{"lr", "0.01"}}, 300);
  EXPECT_EQ(search("metrics.acc > 0.4 and params.lr = '0.01'", {}), Names{"b"});
  EXPECT_EQ(search("params.opt LIKE 'A%'", {}), Names{"a"});
  EXPECT_EQ(search("params.opt LIKE 'a%'", {}), Names{});
  EXPECT_EQ(search("params.opt ILIKE 'a%'", {}), Names{"a"});
  EXPECT_EQ(search("params.opt != 'SGD'", {}), Names{"a"});
  EXPECT_EQ(search("params.opt IS NULL", {}), Names{"c"});
  EXPECT_EQ(search("params.opt IS NOT NULL", {"params.opt DESC"}), (Names{"b", "a"}));
  EXPECT_EQ(search("tags.`mlflow.runName` = 'c'", {}), Names{"c"});
  EXPECT_EQ(search("run_name = 'c'", {}), Names{"c"});
  EXPECT_EQ(search("status = 'RUNNING' and start_time > 150", {}), (Names{"c", "b"}));
  EXPECT_EQ(search("state = 'finished'", {}), Names{});
  EXPECT_EQ(search("", {"params.opt", "start_time ASC"}, 1), (Names{"a", "b", "c"}));
  EXPECT_EQ(search("metrics.unknown < 1", {}), Names{});
  RunQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}};
  for (const char* wrong : {"start_time LIKE 'x'", "metrics.acc = 'x'", "params.lr > '1'", "params.lr = 1", "nonsense = 'x'", "datasets.size = 'x'"}) {
    query.filter = parse_filter(wrong).value();
    EXPECT_EQ(tracking_->search().runs(query).error().code, ErrorCode::invalid_argument) << wrong;
  }
}

TEST_P(TrackingTest, a_page_token_is_only_good_for_its_own_search) {
  named("a", {{"m", 1, 1, 1}});
  named("b", {{"m", 1, 1, 2}});
  RunQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}, .order = {parse_order("metrics.m").value()}, .page_size = 1};
  query.page_token = tracking_->search().runs(query)->next_page_token.value();
  EXPECT_EQ(tracking_->search().runs(query)->items.at(0).name, "b");
  query.order[0].ascending = false;
  EXPECT_EQ(tracking_->search().runs(query).error().code, ErrorCode::invalid_argument);
  query.page_token = "nonsense";
  EXPECT_EQ(tracking_->search().runs(query).error().code, ErrorCode::invalid_argument);
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
  const auto model = tracking_->logged_models().create({.project = kDefaultProject, .experiment = ExperimentId("0"), .name = "net", .source_run = run.id, .params = {{"p", "1"}}}).value();
  EXPECT_TRUE(model.id.text.starts_with("m-"));
  ASSERT_TRUE(tracking_->runs().log_outputs(kDefaultProject, run.id, {{model.id.text, 3}}).ok());
  EXPECT_EQ(tracking_->runs().log_outputs(kDefaultProject, run.id, {{"m-none", 3}}).error().code, ErrorCode::not_found);
  const InputDataset dataset{"digits", "abc", "local", "{}", "{}", std::nullopt, {{"mlflow.data.context", "training"}}};
  ASSERT_TRUE(tracking_->runs().log_inputs(kDefaultProject, run.id, {dataset}, {}).ok());
  const auto inputs = tracking_->runs().inputs(kDefaultProject, run.id).value();
  EXPECT_EQ(inputs.datasets.at(0).tags, dataset.tags);
  EXPECT_EQ(inputs.models_out.at(0).step, 3);
  EXPECT_EQ(search("datasets.context = 'training'", {}), (Names(1, run.name)));
  EXPECT_EQ(tracking_->logged_models().set_status(kDefaultProject, model.id, LoggedModelStatus::ready)->status, LoggedModelStatus::ready);
  LoggedModelQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}, .filter = parse_filter("name = 'net' and params.p = '1'").value()};
  EXPECT_EQ(tracking_->logged_models().search(query)->items.size(), 1u);
}

TEST(Thinning, extremes_survive_and_every_bucket_ends_with_its_last_point) {
  std::vector<Point> points;
  for (int i = 0; i < 1000; ++i) points.push_back({1, i, i, i == 333 ? 50.0 : i == 666 ? -50.0 : 0.0});
  const ThinnedSeries series = thin(points, 10);
  EXPECT_TRUE(series.thinned);
  ASSERT_EQ(series.values.size(), 10u);
  EXPECT_EQ(series.steps.back(), 999);
  EXPECT_EQ(*std::max_element(series.high.begin(), series.high.end()), 50);
  EXPECT_EQ(*std::min_element(series.low.begin(), series.low.end()), -50);
  EXPECT_FALSE(thin(points, 1000).thinned);
  EXPECT_TRUE(thin({}, 10).values.empty());
}

TEST(SorterDecision, sorts_when_much_waits_or_enough_time_has_passed) {
  const SorterOptions options;
  EXPECT_EQ(decide(options, 0, std::chrono::milliseconds(10)), SorterStep::wait);
  EXPECT_EQ(decide(options, options.pending_points_max, std::chrono::milliseconds(10)), SorterStep::sort);
  EXPECT_EQ(decide(options, 0, options.delay_max), SorterStep::sort);
}

}  // namespace
}  // namespace slipway::tracking
