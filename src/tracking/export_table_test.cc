// Runs and points as rows, on SQLite and on PostgreSQL.
#include "tracking/export_table.h"

#include "base/text.h"
#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

/// What a table was told, a line for each row.
class Lines : public catalog::TableWriter {
 public:
  void text(std::string_view value) override { line_ += std::string(value) + "|"; }
  void integer(std::int64_t value) override { line_ += std::to_string(value) + "|"; }
  void number(double value) override { line_ += render_double(value) + "|"; }
  void time(Time value) override { line_ += std::to_string(value.millis()) + "|"; }
  void null() override { line_ += "-|"; }
  Result<void> end_row() override {
    lines.push_back(std::move(line_));
    line_.clear();
    return {};
  }

  OpenTable opener() {
    return [this](const std::vector<catalog::TableColumn>& columns) -> Result<catalog::TableWriter*> {
      for (const auto& column : columns) head += column.name + "|";
      return this;
    };
  }

  std::string head;
  std::vector<std::string> lines;

 private:
  std::string line_;
};

class ExportTest : public TrackingTest {
 protected:
  static RunQuery query(const char* filter, const char* order) {
    RunQuery query{.project = kDefaultProject, .all_experiments = true};
    query.filter = parse_filter(filter).value();
    query.order = {parse_order(order).value()};
    return query;
  }
};
SLIPWAY_ON_BOTH_DATABASES(ExportTest);

std::string nobody(const Run&) { return ""; }

TEST_P(ExportTest, a_run_is_a_row_and_every_key_of_the_found_runs_a_column) {
  named("one", {{"loss", 1, 5, 0.5}, {"loss", 2, 6, 0.25}, {"odd", 1, 5, kNaN}}, {{"lr", "0.1"}}, 1000);
  named("two", {{"acc", 1, 5, 1}}, {{"depth", "3"}}, 2000);
  named("other", {{"unseen", 1, 5, 1}}, {{"unseen", "3"}}, 3000);
  Lines table;
  const auto done =
      export_runs(tracking_->search(), query("params.unseen IS NULL", "start_time ASC"), 100, nobody, table.opener());
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(table.head,
            "id|name|experiment_name|state|member|started_at|ended_at|parameters.depth|parameters.lr|metrics.acc|"
            "metrics.loss|metrics.odd|tags.mlflow.runName|");
  ASSERT_EQ(table.lines.size(), 2u);
  EXPECT_TRUE(table.lines[0].ends_with("|one|Default|running|-|1000|-|-|0.1|-|0.25|NaN|one|")) << table.lines[0];
  EXPECT_TRUE(table.lines[1].ends_with("|two|Default|running|-|2000|-|3|-|1|-|-|two|")) << table.lines[1];
}

TEST_P(ExportTest, points_of_every_found_run_come_in_the_order_of_runs_metrics_and_steps) {
  named("one", {{"loss", 2, 6, 0.25}, {"loss", 1, 5, 0.5}, {"acc", 1, 5, 1}}, {}, 1000);
  named("two", {{"loss", 1, 7, -1}}, {}, 2000);
  sort();
  Lines table;
  const auto done =
      export_points(tracking_->search(), tracking_->metrics(), query("", "start_time DESC"), table.opener());
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(table.head, "run|name|metric|step|time|value|");
  for (std::string& line : table.lines) line.erase(0, line.find('|'));
  EXPECT_EQ(table.lines, (std::vector<std::string>{"|two|loss|1|7|-1|", "|one|acc|1|5|1|", "|one|loss|1|5|0.5|",
                                                   "|one|loss|2|6|0.25|"}));
}

TEST_P(ExportTest, more_keys_than_columns_are_refused_before_anything_is_opened) {
  named("one", {{"a", 1, 1, 1}, {"b", 1, 1, 1}, {"c", 1, 1, 1}});
  Lines table;
  const auto refused = export_runs(tracking_->search(), query("", "start_time ASC"), 10, nobody, table.opener());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  EXPECT_EQ(table.head, "");
}

TEST_P(ExportTest, an_error_of_the_table_ends_it) {
  named("one", {{"a", 1, 1, 1}});
  const auto full = export_points(tracking_->search(), tracking_->metrics(), query("", "start_time ASC"),
                                  [](const auto&) -> Result<catalog::TableWriter*> {
                                    return Error{ErrorCode::busy, "the disk is full"};
                                  });
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::busy);
}

}  // namespace
}  // namespace slipway::tracking
