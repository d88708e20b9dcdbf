#include "domain/evaluation_dataset.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

Json json(std::string_view text) { return Json::parse(text).value(); }

EvaluationRecordChange change(std::string_view text) {
  return read_evaluation_record(json(text), "records[0]").value();
}

TEST(EvaluationDataset, equal_inputs_have_one_hash_in_whatever_order_their_keys_come) {
  EXPECT_EQ(inputs_hash(json(R"({"a": {"x": 1, "y": [2, {"q": 1, "p": 0}]}, "b": "t"})")),
            inputs_hash(json(R"({"b": "t", "a": {"y": [2, {"p": 0, "q": 1}], "x": 1}})")));
  EXPECT_NE(inputs_hash(json(R"({"a": [1, 2]})")), inputs_hash(json(R"({"a": [2, 1]})")));
  EXPECT_NE(inputs_hash(json(R"({"a": "1"})")), inputs_hash(json(R"({"a": 1})")));
}

TEST(EvaluationDataset, a_record_says_what_is_wrong_with_it) {
  const auto message = [](std::string_view text) {
    const auto read = read_evaluation_record(json(text), "records[7]");
    return read.ok() ? "" : read.error().message;
  };
  EXPECT_EQ(message(R"("x")"), R"(records[7] is "x"; expected an object with 'inputs')");
  EXPECT_EQ(message(R"({})"), "records[7].inputs is null; expected an object");
  EXPECT_EQ(message(R"({"inputs": {}, "expectations": [1]})"), "records[7].expectations is [1]; expected an object");
  EXPECT_EQ(message(R"({"inputs": {}, "tags": "t"})"), R"(records[7].tags is "t"; expected an object)");
  EXPECT_EQ(message(R"({"inputs": {}, "source": {"source_type": "DREAM"}})"),
            R"(records[7].source.source_type is "DREAM"; expected TRACE, HUMAN, DOCUMENT, CODE or UNSPECIFIED)");
  EXPECT_EQ(message(R"({"inputs": {}, "source": {"source_type": "trace", "source_data": {"trace_id": "tr-1"}}})"), "");
}

TEST(EvaluationDataset, a_source_names_its_trace_or_what_its_data_names) {
  EXPECT_EQ(
      change(R"({"inputs": {}, "source": {"source_type": "trace", "source_data": {"trace_id": "tr-1"}}})").source->id(),
      "tr-1");
  EXPECT_EQ(
      change(R"({"inputs": {}, "source": {"source_type": "CODE", "source_data": {"source_id": "f.py"}}})").source->id(),
      "f.py");
  EXPECT_EQ(change(R"({"inputs": {}, "source": {"source_type": "HUMAN"}})").source->id(), "");
}

TEST(EvaluationDataset, a_record_that_comes_again_replaces_outputs_and_merges_the_rest) {
  EvaluationRecord record = new_record(change(
      R"({"inputs": {"q": 1}, "outputs": "old", "expectations": {"a": 1, "b": 2}, "tags": {"mlflow.user": "ann", "t": "1"}})"));
  EXPECT_EQ(record.created_by, "ann");
  ASSERT_TRUE(
      merge_record(record, change(R"({"inputs": {"q": 1}, "expectations": {"b": 3}, "tags": {"mlflow.user": "bob"}})"))
          .ok());
  EXPECT_EQ(record.outputs, Json("old"));
  EXPECT_EQ(record.expectations, json(R"({"a": 1, "b": 3})"));
  EXPECT_EQ(record.tags, json(R"({"mlflow.user": "bob", "t": "1"})"));
  EXPECT_EQ(record.created_by, "ann");
  EXPECT_EQ(record.updated_by, "bob");
  ASSERT_TRUE(merge_record(record, change(R"({"inputs": {"q": 1}, "outputs": null})")).ok());
  EXPECT_TRUE(record.outputs.is_null());
}

TEST(EvaluationDataset, tags_that_grow_past_their_limit_are_refused) {
  EvaluationRecord record = new_record(change(R"({"inputs": {}})"));
  EvaluationRecordChange more;
  for (size_t i = 0; i < kEvaluationKeysMax; ++i) more.tags.set("k" + std::to_string(i), "v");
  ASSERT_TRUE(merge_record(record, more).ok());
  ASSERT_TRUE(merge_record(record, more).ok());
  more.tags = json(R"({"one more": "v"})");
  EXPECT_EQ(merge_record(record, more).error().code, ErrorCode::too_large);
}

TEST(EvaluationDataset, fields_are_learned_once) {
  Json fields;
  learn_fields(fields, change(R"({"inputs": {"q": "x", "n": 1, "f": 1.5, "l": [], "o": {}, "z": null, "b": true}})"));
  learn_fields(fields, change(R"({"inputs": {"q": 1, "new": 2}, "outputs": "text", "expectations": {"ok": false}})"));
  learn_fields(fields, change(R"({"inputs": {}, "outputs": {"late": 1}})"));
  const Json expected = json(
      R"({"inputs": {"q": "string", "n": "integer", "f": "float", "l": "array", "o": "object", "z": "null", "b": "boolean", "new": "integer"},
          "outputs": "string", "expectations": {"ok": "boolean"}, "version": "1.0"})");
  EXPECT_EQ(fields, expected);
  Json joined = json(R"({"inputs": {"q": "array"}, "outputs": {}, "expectations": {}, "version": "1.0"})");
  join_fields(joined, fields);
  EXPECT_EQ(joined["inputs"]["q"], Json("array"));
  EXPECT_EQ(joined["inputs"]["new"], Json("integer"));
  EXPECT_EQ(joined["outputs"], Json("string"));
  Json from_nothing;
  join_fields(from_nothing, fields);
  EXPECT_EQ(from_nothing, expected);
}

TEST(EvaluationDataset, no_more_fields_are_learned_than_the_limit) {
  EvaluationRecordChange wide{.inputs = Json(Json::Object{})};
  for (size_t i = 0; i < kEvaluationFieldsMax + 10; ++i) wide.inputs.set("k" + std::to_string(i), 1);
  Json fields;
  learn_fields(fields, wide);
  EXPECT_EQ(fields["inputs"].object().size(), kEvaluationFieldsMax);
}

TEST(EvaluationDataset, the_digest_follows_name_and_time) {
  const std::string digest = evaluation_digest("qa", Time{1000});
  EXPECT_EQ(digest.size(), 8U);
  EXPECT_NE(digest, evaluation_digest("qa", Time{2000}));
  EXPECT_NE(digest, evaluation_digest("qb", Time{1000}));
}

}  // namespace
}  // namespace slipway
