// What the tests of this room share: the rooms it works on, on a fresh SQLite file and once more on a fresh PostgreSQL
// database, and a clock of its own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "catalog/testing.h"
#include "registry/registry.h"
#include "retention/retention.h"
#include "runs/runs.h"
#include "tracking/tracking.h"

namespace slipway::retention {

using std::chrono::hours;

class RetentionTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder_.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    database_ = catalog::Database::open({.url = *url}, catalog::schema(), counters_).value();
    store_ =
        store::Store::open({.folder = folder_.path() / "store", .disk_free_bytes_min = 0}, clock_, counters_).value();
    tracking_ = std::make_unique<tracking::Tracking>(*database_, clock_, counters_, nullptr,
                                                     tracking::SorterOptions{.background = false});
    registry_ = std::make_unique<registry::Registry>(*database_, *store_, clock_);
    runs_ = std::make_unique<runs::Runs>(*database_, *store_, *tracking_, *registry_, clock_, nullptr);
    registry_->references().add_run_source([this](const registry::ReferenceVisitor& visit, const registry::Gone& gone) {
      return runs_->visit_references(visit, gone);
    });
    collector_ = std::make_unique<Collector>(*database_, registry_->references(), clock_, nullptr, audit());
  }

  Audit audit() {
    return [this](catalog::Connection&, const AuditLine& line) -> Result<void> {
      audited_.push_back(fmt::format("{} {} {}", line.member.text, line.action, line.subject));
      return {};
    };
  }
  tracking::Run create(const std::string& name, const ExperimentId& experiment = ExperimentId("0")) {
    auto run = tracking_->runs().create({.project = kDefaultProject,
                                         .experiment = experiment,
                                         .name = name,
                                         .state = RunState::finished,
                                         .params = {{"lr", "0.1"}},
                                         .tags = {{"team", "vision"}}});
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().message);
    return std::move(*run);
  }
  void log(const RunId& run, const std::string& key, std::int64_t step, double value) {
    tracking::LogRequest request{kDefaultProject, run, {}, {}, {}, {}, {}};
    {
      const auto lookup = tracking_->log().names().lookup(kDefaultProject);
      tracking::MetricLog::add_point(request, lookup, key, step, clock_.now().millis(), value);
    }
    std::promise<Result<void>> promise;
    tracking_->log().log(std::move(request), [&](Result<void> result) { promise.set_value(std::move(result)); });
    const auto kept = promise.get_future().get();
    EXPECT_TRUE(kept.ok()) << (kept.ok() ? "" : kept.error().message);
  }
  void sort() { ASSERT_TRUE(tracking_->sorter().catch_up().ok()); }
  Hash put(const registry::Owner& owner, const std::string& path, std::string_view bytes) {
    const auto blob = store_->put(bytes).value();
    EXPECT_TRUE(registry_->artifacts().put(owner, path, blob).ok());
    return blob.hash;
  }
  registry::Owner owner_of(const RunId& run) { return {kDefaultProject, registry::OwnerKind::run, run.text}; }
  void remove(const RunId& run) { ASSERT_TRUE(tracking_->runs().remove(kDefaultProject, run).ok()); }
  bool is_there(const RunId& run) { return tracking_->runs().get(kDefaultProject, run).ok(); }
  std::int64_t count(const std::string& sql, const catalog::Values& values = {}) {
    return *database_
                ->read_value([&](catalog::Connection& c) {
                  return c.first(sql, values, [](const catalog::Row& row) { return row.integer(0); });
                })
                .value();
  }
  /// Tables that still have something of a run.
  std::vector<std::string> left_of(const tracking::Run& run) {
    std::vector<std::string> tables;
    for (const char* table : {"metric_batches", "metric_segments", "metric_chunks", "metric_staged", "metric_latest",
                              "run_params", "run_tags", "run_datasets", "run_models"}) {
      if (count(fmt::format("SELECT COUNT(*) FROM {} WHERE run = ?", table), {run.number}) > 0)
        tables.emplace_back(table);
    }
    for (const auto& [table, column] :
         {std::pair("runs", "id"), std::pair("run_erasures", "id"), std::pair("executions", "run_id"),
          std::pair("attempts", "run_id"), std::pair("run_logs", "run_id"), std::pair("artifacts", "owner_id"),
          std::pair("lineage", "to_id"), std::pair("trace_links", "target"),
          std::pair("logged_models", "source_run_id")}) {
      if (count(fmt::format("SELECT COUNT(*) FROM {} WHERE {} = ?", table, column), {run.id.text}) > 0)
        tables.emplace_back(table);
    }
    return tables;
  }

  TemporaryDirectory folder_;
  FakeClock clock_;
  Counters counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<runs::Runs> runs_;
  std::unique_ptr<Collector> collector_;
  std::vector<std::string> audited_;
};

using Names = std::vector<std::string>;

}  // namespace slipway::retention
