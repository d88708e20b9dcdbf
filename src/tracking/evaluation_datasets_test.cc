// Evaluation datasets, on SQLite and on PostgreSQL.
#include "tracking/evaluation_datasets.h"

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

const ProjectId kElsewhere("elsewhere");

class EvaluationDatasetsTest : public TrackingTest {
 protected:
  EvaluationDatasets& datasets() { return tracking_->evaluation_datasets(); }

  EvaluationDataset make(const std::string& name, KeyValues tags = {}, std::vector<ExperimentId> experiments = {}) {
    return datasets().create({kDefaultProject, name, std::move(tags), std::move(experiments)}).value();
  }
  EvaluationDataset get(const EvaluationDataset& dataset) {
    return datasets().get(kDefaultProject, dataset.id).value();
  }

  static std::vector<EvaluationRecordChange> changes(std::string_view text) {
    std::vector<EvaluationRecordChange> out;
    const Json list = Json::parse(text).value();
    for (const Json& json : list.array()) out.push_back(read_evaluation_record(json, "records").value());
    return out;
  }
  UpsertCounts upsert(const EvaluationDataset& dataset, std::string_view text) {
    return datasets().upsert(kDefaultProject, dataset.id, changes(text)).value();
  }
  std::vector<EvaluationRecord> records(const EvaluationDataset& dataset, size_t page_size = 2) {
    std::vector<EvaluationRecord> all;
    std::string token;
    while (true) {
      auto page = datasets().records(kDefaultProject, dataset.id, page_size, token).value();
      EXPECT_LE(page.items.size(), page_size);
      for (EvaluationRecord& record : page.items) all.push_back(std::move(record));
      if (!page.next_page_token) return all;
      token = *page.next_page_token;
    }
  }

  std::string found(const std::string& filter, const std::vector<std::string>& order = {"name"},
                    std::optional<std::vector<ExperimentId>> experiments = std::nullopt) {
    EvaluationDatasetQuery query{.project = kDefaultProject, .experiments = std::move(experiments), .page_size = 2};
    query.filter = parse_filter(filter).value();
    for (const std::string& term : order) query.order.push_back(parse_order(term).value());
    std::string names;
    while (true) {
      const auto page = datasets().search(query);
      if (!page.ok()) return page.error().message;
      for (const EvaluationDataset& dataset : page->items) names += (names.empty() ? "" : " ") + dataset.name;
      if (!page->next_page_token) return names;
      query.page_token = *page->next_page_token;
    }
  }
};
SLIPWAY_ON_BOTH_DATABASES(EvaluationDatasetsTest);

TEST_P(EvaluationDatasetsTest, what_is_made_is_there) {
  const auto made = make("qa", {{"mlflow.user", "ann"}, {"stage", "late"}}, {ExperimentId("0")});
  const auto dataset = get(made);
  EXPECT_EQ(dataset.name, "qa");
  EXPECT_EQ(dataset.tags, (KeyValues{{"mlflow.user", "ann"}, {"stage", "late"}}));
  EXPECT_EQ(dataset.experiments, std::vector{ExperimentId("0")});
  EXPECT_EQ(dataset.created_by, "ann");
  EXPECT_EQ(dataset.created_at.micros % 1000, 0);
  EXPECT_TRUE(dataset.fields.is_null());
  EXPECT_EQ(dataset.records, 0);
  EXPECT_EQ(datasets().get(kElsewhere, made.id).error().code, ErrorCode::not_found);
}

TEST_P(EvaluationDatasetsTest, bad_names_tags_and_experiments_leave_nothing) {
  EXPECT_EQ(datasets().create({kDefaultProject, " ", {}, {}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().create({kDefaultProject, std::string(300, 'x'), {}, {}}).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().create({kDefaultProject, "a", {{"k", std::string(6000, 'x')}}, {}}).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().create({kDefaultProject, "a", {{"", "v"}}, {}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().create({kDefaultProject, "a", {}, {ExperimentId("nowhere")}}).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(found(""), "");
}

TEST_P(EvaluationDatasetsTest, records_with_equal_inputs_are_one) {
  const auto dataset = make("qa");
  const auto first = upsert(dataset, R"([{"inputs": {"q": "a", "n": 1}, "expectations": {"x": 1}},
                                         {"inputs": {"q": "b"}, "outputs": "text", "source": {"source_type": "human"}},
                                         {"inputs": {"n": 1, "q": "a"}, "expectations": {"y": 2}}])");
  EXPECT_EQ(first.inserted, 2);
  EXPECT_EQ(first.updated, 1);
  const auto second = upsert(dataset, R"([{"inputs": {"q": "b"}, "tags": {"mlflow.user": "bob"}}])");
  EXPECT_EQ(second.updated, 1);
  const auto all = records(dataset);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].expectations.render(), R"({"x":1,"y":2})");
  EXPECT_EQ(all[0].outputs, Json(Json::Object{}));
  EXPECT_EQ(all[1].outputs, Json("text"));
  EXPECT_EQ(all[1].source->type, "HUMAN");
  EXPECT_EQ(all[1].updated_by, "bob");
  EXPECT_EQ(all[1].created_by, std::nullopt);
  const auto now = get(dataset);
  EXPECT_EQ(now.records, 2);
  EXPECT_EQ(now.updated_by, "bob");
  EXPECT_EQ(now.fields["inputs"].render(), R"({"q":"string","n":"integer"})");
}

TEST_P(EvaluationDatasetsTest, records_are_read_page_by_page_in_their_order) {
  const auto dataset = make("qa");
  std::vector<EvaluationRecordChange> many;
  for (int i = 0; i < 7; ++i) many.push_back({.inputs = Json().set("i", i)});
  ASSERT_TRUE(datasets().upsert(kDefaultProject, dataset.id, many).ok());
  for (const size_t page_size : {1, 2, 7, 100}) {
    const auto all = records(dataset, page_size);
    ASSERT_EQ(all.size(), 7u) << page_size;
    for (int i = 0; i < 7; ++i) EXPECT_EQ(all[static_cast<size_t>(i)].inputs["i"], Json(i));
  }
  const auto token = *datasets().records(kDefaultProject, dataset.id, 2, "")->next_page_token;
  EXPECT_EQ(datasets().records(kDefaultProject, make("other").id, 2, token).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().records(kDefaultProject, dataset.id, 2, "x").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(datasets().records(kDefaultProject, dataset.id, 0, "").error().code, ErrorCode::invalid_argument);
}

TEST_P(EvaluationDatasetsTest, a_page_ends_early_when_its_records_are_large) {
  const auto dataset = make("big");
  std::vector<EvaluationRecordChange> many;
  for (int i = 0; i < 4; ++i)
    many.push_back({.inputs = Json().set("i", i).set("text", std::string(kEvaluationPageBytesMax / 2 + 1, 'x'))});
  ASSERT_TRUE(datasets().upsert(kDefaultProject, dataset.id, many).ok());
  EXPECT_EQ(datasets().records(kDefaultProject, dataset.id, 100, "")->items.size(), 2u);
  EXPECT_EQ(records(dataset, 100).size(), 4u);
}

TEST_P(EvaluationDatasetsTest, removed_records_are_gone_and_counted) {
  const auto dataset = make("qa");
  upsert(dataset, R"([{"inputs": {"q": 1}}, {"inputs": {"q": 2}}, {"inputs": {"q": 3}}])");
  const auto all = records(dataset);
  EXPECT_EQ(datasets()
                .remove_records(kDefaultProject, dataset.id, {all[0].id, all[2].id, EvaluationRecordId("dr-x")})
                .value(),
            2);
  EXPECT_EQ(datasets().remove_records(kDefaultProject, dataset.id, {all[0].id}).value(), 0);
  EXPECT_EQ(get(dataset).records, 1);
  EXPECT_EQ(records(dataset)[0].inputs["q"], Json(2));
  EXPECT_EQ(datasets().remove_records(kElsewhere, dataset.id, {all[1].id}).error().code, ErrorCode::not_found);
}

TEST_P(EvaluationDatasetsTest, search_filters_orders_and_pages) {
  const ExperimentId other = tracking_->experiments().create(kDefaultProject, "other", "", {})->id;
  make("c", {{"team", "red"}, {"mlflow.user", "ann"}}, {ExperimentId("0")});
  make("a", {{"team", "blue"}}, {ExperimentId("0"), other});
  const auto b = make("b", {{"team", "red"}}, {other});
  EXPECT_EQ(found(""), "a b c");
  EXPECT_EQ(found("", {"name DESC"}), "c b a");
  EXPECT_EQ(found("tags.team = 'red'"), "b c");
  EXPECT_EQ(found("tags.team IS NULL"), "");
  EXPECT_EQ(found("name LIKE 'a%'"), "a");
  EXPECT_EQ(found("name IN ('a', 'c')"), "a c");
  EXPECT_EQ(found("created_by = 'ann'"), "c");
  EXPECT_EQ(found("created_time >= " + std::to_string(b.created_at.millis()) + " AND name = 'b'"), "b");
  EXPECT_EQ(found("created_time = " + std::to_string(b.created_at.millis()) + " AND name = 'b'"), "b");
  EXPECT_EQ(found("last_update_time < 5"), "");
  EXPECT_EQ(found("", {"name"}, std::vector{other}), "a b");
  EXPECT_EQ(found("", {"name"}, std::vector{ExperimentId("nowhere")}), "");
  EXPECT_EQ(found("", {"name"}, std::vector<ExperimentId>{}), "");
  EXPECT_NE(found("nonsense = 'x'").find("Invalid attribute key"), std::string::npos);
  EXPECT_NE(found("metrics.a > 1").find("Invalid identifier"), std::string::npos);
  EXPECT_NE(found("", {"created_by"}).find("Invalid attribute key"), std::string::npos);
}

TEST_P(EvaluationDatasetsTest, tags_and_experiments_change) {
  const ExperimentId other = tracking_->experiments().create(kDefaultProject, "other", "", {})->id;
  const auto dataset = make("qa", {{"a", "1"}});
  ASSERT_TRUE(datasets().set_tags(kDefaultProject, dataset.id, {{"a", "2"}, {"b", "3"}}).ok());
  ASSERT_TRUE(datasets().delete_tag(kDefaultProject, dataset.id, "b").ok());
  ASSERT_TRUE(datasets().delete_tag(kDefaultProject, dataset.id, "b").ok());
  ASSERT_TRUE(datasets().delete_tag(kElsewhere, dataset.id, "a").ok());
  EXPECT_EQ(get(dataset).tags, (KeyValues{{"a", "2"}}));
  EXPECT_EQ(datasets().set_tags(kElsewhere, dataset.id, {}).error().code, ErrorCode::not_found);
  ASSERT_TRUE(datasets().add_experiments(kDefaultProject, dataset.id, {other, ExperimentId("0"), other}).ok());
  EXPECT_EQ(get(dataset).experiments.size(), 2u);
  EXPECT_EQ(datasets().add_experiments(kDefaultProject, dataset.id, {ExperimentId("nowhere")}).error().code,
            ErrorCode::not_found);
  const auto left = datasets().remove_experiments(kDefaultProject, dataset.id, {other, ExperimentId("nowhere")});
  EXPECT_EQ(left->experiments, std::vector{ExperimentId("0")});
}

TEST_P(EvaluationDatasetsTest, a_removed_dataset_takes_everything_along) {
  const auto dataset = make("qa", {{"a", "1"}}, {ExperimentId("0")});
  upsert(dataset, R"([{"inputs": {"q": 1}}])");
  ASSERT_TRUE(datasets().remove(kElsewhere, dataset.id).ok());
  EXPECT_EQ(get(dataset).records, 1);
  ASSERT_TRUE(datasets().remove(kDefaultProject, dataset.id).ok());
  ASSERT_TRUE(datasets().remove(kDefaultProject, dataset.id).ok());
  EXPECT_EQ(datasets().get(kDefaultProject, dataset.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(datasets().records(kDefaultProject, dataset.id, 10, "").error().code, ErrorCode::not_found);
  const auto left = database_->read_value([](catalog::Connection& c) {
    return c.first(
        "SELECT (SELECT COUNT(*) FROM evaluation_records) + (SELECT COUNT(*) FROM evaluation_dataset_tags) + "
        "(SELECT COUNT(*) FROM evaluation_dataset_experiments)",
        {}, [](const catalog::Row& row) { return row.integer(0); });
  });
  EXPECT_EQ(left.value(), 0);
}

}  // namespace
}  // namespace slipway::tracking
