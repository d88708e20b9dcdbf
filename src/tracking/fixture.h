// What the tests of this room share: a tracking on a fresh SQLite file and, once more, on a fresh PostgreSQL database.
#pragma once

#include <future>
#include <limits>
#include <string>
#include <vector>

#include "base/file.h"
#include "catalog/testing.h"
#include "tracking/tracking.h"

namespace slipway::tracking {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class TrackingTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder_.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    url_ = *url;
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
    auto run = tracking_->runs().create({.project = kDefaultProject,
                                         .experiment = ExperimentId("0"),
                                         .started_at = Time::from_millis(started_ms),
                                         .params = std::move(params),
                                         .tags = std::move(tags)});
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().message);
    return std::move(*run);
  }

  struct Value {
    const char* key;
    std::int64_t step, at_ms;
    double value;
  };
  Result<void> log(const tracking::Run& run, const std::vector<Value>& values, KeyValues params = {},
                   KeyValues tags = {}) {
    LogRequest request{kDefaultProject, run.id, {}, {}, std::move(params), std::move(tags), {}};
    {
      const auto lookup = tracking_->log().names().lookup(kDefaultProject);
      for (const Value& v : values) MetricLog::add_point(request, lookup, v.key, v.step, v.at_ms, v.value);
    }
    std::promise<Result<void>> promise;
    tracking_->log().log(std::move(request), [&](Result<void> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  std::vector<Point> history(const tracking::Run& run, const std::string& key) {
    return tracking_->metrics().history(kDefaultProject, run.id, key).value();
  }
  tracking::Run get(const tracking::Run& run) { return tracking_->runs().get(kDefaultProject, run.id).value(); }
  void sort() { ASSERT_TRUE(tracking_->sorter().catch_up().ok()); }

  /// The names of all runs that a search finds, page by page: the same while the values are in the log as when they are
  /// sorted.
  std::vector<std::string> search(const std::string& filter, const std::vector<std::string>& order,
                                  size_t page_size = 100) {
    const auto from_log = pages(filter, order, page_size, false);
    const auto half_sorted = pages(filter, order, page_size, true);
    EXPECT_EQ(from_log, half_sorted) << filter;
    EXPECT_EQ(from_log, pages(filter, order, page_size, false)) << filter;
    return from_log;
  }
  std::vector<std::string> pages(const std::string& filter, const std::vector<std::string>& order, size_t page_size,
                                 bool sorts_after_first) {
    RunQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}, .page_size = page_size};
    query.filter = parse_filter(filter).value();
    for (const std::string& term : order) query.order.push_back(parse_order(term).value());
    std::vector<std::string> names;
    while (true) {
      const auto page = tracking_->search().runs(query);
      EXPECT_TRUE(page.ok()) << filter << ": " << (page.ok() ? "" : page.error().message);
      if (!page.ok()) return {"error"};
      for (const tracking::Run& run : page->items) names.push_back(run.name);
      if (sorts_after_first) sort();
      if (!page->next_page_token) return names;
      query.page_token = *page->next_page_token;
    }
  }
  std::int64_t waiting() {
    return *database_
                ->read_value([](catalog::Connection& c) {
                  return c.first("SELECT COUNT(*) FROM metric_batches", {},
                                 [](const catalog::Row& r) { return r.integer(0); });
                })
                .value();
  }
  void named(const std::string& name, const std::vector<Value>& values, KeyValues params = {},
             std::int64_t started_ms = 1000) {
    auto run = tracking_->runs().create({.project = kDefaultProject,
                                         .experiment = ExperimentId("0"),
                                         .name = name,
                                         .started_at = Time::from_millis(started_ms),
                                         .params = std::move(params)});
    ASSERT_TRUE(run.ok());
    ASSERT_TRUE(log(*run, values).ok());
  }

  TemporaryDirectory folder_;
  std::string url_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<Tracking> tracking_;
};

using Names = std::vector<std::string>;

}  // namespace slipway::tracking
