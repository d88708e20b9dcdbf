// Searching runs, on SQLite and on PostgreSQL; what is found does not depend on where the values lie.
#include <algorithm>

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

class SearchTest : public TrackingTest {};
SLIPWAY_ON_BOTH_DATABASES(SearchTest);

TEST_P(SearchTest, runs_are_ordered_by_a_metric_then_nan_then_those_without_in_both_directions) {
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

TEST_P(SearchTest, runs_are_found_by_metrics_parameters_tags_and_attributes) {
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
  for (const char* wrong : {"start_time LIKE 'x'", "metrics.acc = 'x'", "params.lr > '1'", "params.lr = 1",
                            "nonsense = 'x'", "datasets.size = 'x'"}) {
    query.filter = parse_filter(wrong).value();
    EXPECT_EQ(tracking_->search().runs(query).error().code, ErrorCode::invalid_argument) << wrong;
  }
}

TEST_P(SearchTest, a_value_is_found_by_all_of_its_characters_whether_an_index_holds_them_or_not) {
  const std::string long_one(100, 'x'), short_one(63, 'x');
  named("short", {}, {{"p", short_one}});
  named("long", {}, {{"p", long_one}});
  named("longer", {}, {{"p", long_one + "y"}});
  const auto found = [&](const std::string& value) { return search("params.p = '" + value + "'", {}); };
  EXPECT_EQ(found(short_one), Names{"short"});
  EXPECT_EQ(found(long_one), Names{"long"});
  EXPECT_EQ(found(long_one + "y"), Names{"longer"});
  EXPECT_EQ(found(std::string(64, 'x')), Names{});
  EXPECT_EQ(found(""), Names{});
  EXPECT_EQ(search("tags.`mlflow.runName` = 'long' and params.p != 'x'", {"metrics.m"}), Names{"long"});
}

TEST_P(SearchTest, a_page_token_is_only_good_for_its_own_search) {
  named("a", {{"m", 1, 1, 1}});
  named("b", {{"m", 1, 1, 2}});
  RunQuery query{.project = kDefaultProject,
                 .experiments = {ExperimentId("0")},
                 .order = {parse_order("metrics.m").value()},
                 .page_size = 1};
  query.page_token = tracking_->search().runs(query)->next_page_token.value();
  EXPECT_EQ(tracking_->search().runs(query)->items.at(0).name, "b");
  query.order[0].ascending = false;
  EXPECT_EQ(tracking_->search().runs(query).error().code, ErrorCode::invalid_argument);
  query.page_token = "nonsense";
  EXPECT_EQ(tracking_->search().runs(query).error().code, ErrorCode::invalid_argument);
}

TEST_P(SearchTest, a_search_sees_what_was_acknowledged_before_it_without_sorting) {
  const auto make = [&](const char* run_name) {
    return tracking_->runs()
        .create({.project = kDefaultProject, .experiment = ExperimentId("0"), .name = run_name})
        .value();
  };
  const tracking::Run a = make("a"), b = make("b"), c = make("c");
  ASSERT_TRUE(log(a, {{"m", 1, 1, 1}}).ok());
  ASSERT_TRUE(log(b, {{"m", 1, 1, 2}}).ok());
  sort();
  ASSERT_TRUE(log(a, {{"m", 2, 1, 3}}).ok());    // overtakes b
  ASSERT_TRUE(log(b, {{"m", 0, 9, 100}}).ok());  // an earlier step is not the latest value
  ASSERT_TRUE(log(c, {{"m", 1, 1, 2.5}, {"n", 1, 1, kNaN}}).ok());
  const std::int64_t left = waiting();
  EXPECT_EQ(pages("", {"metrics.m DESC"}, 2, false), (Names{"a", "c", "b"}));
  EXPECT_EQ(pages("metrics.m < 3", {"metrics.m"}, 1, false), (Names{"b", "c"}));
  EXPECT_EQ(pages("metrics.n IS NOT NULL", {}, 10, false), Names{"c"});
  EXPECT_EQ(pages("metrics.n IS NULL", {"attributes.run_name"}, 10, false), (Names{"a", "b"}));
  EXPECT_EQ(pages("metrics.n > 0", {}, 10, false), Names{});
  EXPECT_EQ(waiting(), left);
  EXPECT_EQ(search("", {"metrics.m DESC"}, 2), (Names{"a", "c", "b"}));
}

TEST_P(SearchTest, a_log_too_long_to_be_read_whole_shows_the_same) {
  const tracking::Run busy = create();
  std::vector<Value> values;
  for (int i = 0; i < 110'000; ++i) values.push_back({"other", i, i, 1});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(log(busy, values).ok());
    for (Value& value : values) value.step += 200'000;
  }
  named("low", {{"m", 1, 1, 1}});
  named("high", {{"m", 1, 1, 2}});
  EXPECT_EQ(search("metrics.m > 0", {"metrics.m DESC"}), (Names{"high", "low"}));
}

TEST_P(SearchTest, a_later_term_of_the_order_has_the_log_sorted_first) {
  named("a", {{"m", 1, 1, 1}, {"n", 1, 1, 5}});
  named("b", {{"m", 1, 1, 1}, {"n", 1, 1, 7}});
  EXPECT_EQ(pages("", {"metrics.m", "metrics.n DESC"}, 1, false), (Names{"b", "a"}));
  EXPECT_EQ(waiting(), 0);
}

TEST_P(SearchTest, all_comparisons_judge_fresh_values_as_the_database_judges_stored_ones) {
  const double inf = std::numeric_limits<double>::infinity();
  named("one", {{"m", 1, 1, 0.1}});
  named("two", {{"m", 1, 1, 1.0 / 3}});
  named("up", {{"m", 1, 1, inf}});
  named("down", {{"m", 1, 1, -inf}});
  named("nan", {{"m", 1, 1, kNaN}});
  const auto by_name = [&](const std::string& filter) { return search(filter, {"attributes.run_name"}); };
  EXPECT_EQ(by_name("metrics.m = 0.1"), Names{"one"});
  EXPECT_EQ(by_name("metrics.m != 0.1"), (Names{"down", "two", "up"}));
  EXPECT_EQ(by_name("metrics.m < 0.1"), Names{"down"});
  EXPECT_EQ(by_name("metrics.m <= 0.1"), Names({"down", "one"}));
  EXPECT_EQ(by_name("metrics.m > 0.1"), (Names{"two", "up"}));
  EXPECT_EQ(by_name("metrics.m >= 0.1 and metrics.m < 1"), (Names{"one", "two"}));
  EXPECT_EQ(by_name("metrics.m IS NOT NULL"), (Names{"down", "nan", "one", "two", "up"}));
}

TEST_P(SearchTest, pages_of_log_and_table_together_show_every_run_once) {
  Names wanted;
  for (int i = 0; i < 60; ++i) {
    const std::string run_name = std::string("r") + static_cast<char>('0' + i / 10) + static_cast<char>('0' + i % 10);
    named(run_name, {{"m", 1, 1, (i * 37 % 60) / 2 * 1.0}}, {}, 1000 + i);  // every value twice
    if (i % 3 == 0) sort();
    wanted.push_back(run_name);
  }
  for (size_t page_size : {1, 7, 30}) {
    auto found = pages("", {"metrics.m DESC"}, page_size, false);
    EXPECT_EQ(found, pages("", {"metrics.m DESC"}, 100, false)) << page_size;
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, wanted) << page_size;
  }
  const auto counted = tracking_->search().runs({.project = kDefaultProject,
                                                 .all_experiments = true,
                                                 .filter = parse_filter("metrics.m >= 10").value(),
                                                 .count = true});
  EXPECT_EQ(counted->total, 40);
}

TEST_P(SearchTest, many_values_in_the_log_are_paged_in_order_and_equal_ones_by_start) {
  constexpr int kRuns = 300;  // more than are looked up at once
  struct Made {
    double value;
    int started;
    std::string name;
  };
  std::vector<Made> made;
  for (int i = 0; i < kRuns; ++i) {
    made.push_back({static_cast<double>(i * 37 % kRuns / 40), i, "r" + std::to_string(i)});
    named(made.back().name, {{"m", 1, 1, made.back().value}}, {}, 1000 + i);
  }
  for (const bool up : {true, false}) {
    std::sort(made.begin(), made.end(), [&](const Made& a, const Made& b) {
      if (a.value != b.value) return up ? a.value < b.value : a.value > b.value;
      return a.started > b.started;
    });
    Names wanted;
    for (const Made& one : made) wanted.push_back(one.name);
    const std::vector<std::string> order{up ? "metrics.m" : "metrics.m DESC"};
    for (size_t page_size : {70, 1000}) EXPECT_EQ(pages("", order, page_size, false), wanted) << page_size;
    std::erase_if(wanted, [](const std::string& name) { return name.back() != '7'; });
    EXPECT_EQ(pages("run_name LIKE '%7'", order, 7, false), wanted);
  }
}

TEST_P(SearchTest, values_that_another_experiment_has_in_the_log_do_not_show) {
  const auto other = tracking_->experiments().find_or_create(kDefaultProject, "other");
  ASSERT_TRUE(other.ok()) << other.error().message;
  named("here", {{"m", 1, 1, 1}});
  const auto run =
      tracking_->runs().create({.project = kDefaultProject, .experiment = other->id, .name = "there"}).value();
  ASSERT_TRUE(log(run, {{"m", 1, 1, 2}}).ok());
  EXPECT_EQ(search("", {"metrics.m DESC"}), Names{"here"});
  EXPECT_EQ(search("metrics.m > 0", {}), Names{"here"});
}

TEST_P(SearchTest, runs_are_ordered_by_a_parameter_in_both_directions_and_those_without_it_come_last) {
  const std::string long_one(80, 'm');
  const auto make = [&] {
    named("b", {}, {{"p", "b"}}, 100);
    named("other b", {}, {{"p", "b"}}, 200);
    named("a", {}, {{"p", "a"}, {"q", "1"}}, 300);
    named("empty", {}, {{"p", ""}}, 400);
    named("long z", {}, {{"p", long_one + "z"}}, 500);
    named("long a", {}, {{"p", long_one + "a"}}, 600);
    named("none", {}, {{"q", "2"}}, 700);
  };
  make();
  const Names up{"empty", "a", "other b", "b", "long a", "long z", "none"};
  const Names down{"long z", "long a", "other b", "b", "a", "empty", "none"};
  for (size_t page_size : {100, 1, 2}) {
    EXPECT_EQ(search("", {"params.p"}, page_size), up) << page_size;
    EXPECT_EQ(search("", {"params.p DESC"}, page_size), down) << page_size;
  }
  // Among many runs, the index of values is walked instead.
  ASSERT_TRUE(
      database_
          ->write(catalog::Durability::record, catalog::Write([](catalog::Connection& c) -> Result<void> {
                    TRY(
                        c.run("INSERT INTO runs (id, project_id, experiment, name, state, artifact_uri, created_at, "
                              "updated_at, started_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                              "WHERE i < 10050) SELECT 'filler' || CAST(i AS TEXT), 'default', (SELECT number FROM "
                              "experiments WHERE id = '0' AND project_id = 'default'), 'filler', 'finished', '', 0, 0, "
                              "0 FROM n",
                              {}));
                    return {};
                  }))
          .ok());
  const auto without_last = [](Names names) {
    names.pop_back();
    return names;
  };
  for (size_t page_size : {100, 2}) {
    EXPECT_EQ(pages("params.p IS NOT NULL", {"params.p"}, page_size, false), without_last(up)) << page_size;
    EXPECT_EQ(pages("params.p IS NOT NULL", {"params.p DESC"}, page_size, false), without_last(down)) << page_size;
  }
  EXPECT_EQ(pages("run_name != 'filler'", {"params.p DESC", "params.q"}, 3, false), down);
  EXPECT_EQ(pages("run_name != 'filler' and params.q = '2'", {"params.p"}, 3, false), Names{"none"});
}

}  // namespace
}  // namespace slipway::tracking
