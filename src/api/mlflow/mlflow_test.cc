// The protocol's readers and rules, without a server.
#include <gtest/gtest.h>

#include <cmath>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/log_requests.h"
#include "api/mlflow/validate.h"

namespace slipway::api::mlflow {
namespace {

http::Request post(std::string body) {
  http::Request request;
  request.method = http::Method::post;
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  return request;
}

std::string message(const Result<Json>& result) { return result.ok() ? "" : result.error().message; }

TEST(Fields, a_missing_required_field_is_named_as_clients_expect) {
  const std::vector<Field> fields{{"name", FieldType::text, true}, {"tags", FieldType::objects}};
  EXPECT_EQ(
      message(read_fields(post("{}"), fields)),
      "Missing value for required parameter 'name'. See the API docs for more information about request parameters.");
  EXPECT_EQ(message(read_fields(post(R"({"name": ""})"), fields)), message(read_fields(post("{}"), fields)));
  EXPECT_EQ(
      message(read_fields(post(R"({"name": 5})"), fields)),
      "Invalid value 5 for parameter 'name' supplied:  Hint: Value was of type 'int'. See the API docs for more information about request parameters.");
  EXPECT_NE(message(read_fields(post(R"({"name": "x", "tags": {"a": 1}})"), fields)).find("type 'dict'"),
            std::string::npos);
}

TEST(Fields, numbers_in_quotes_old_names_and_json_within_a_string_are_taken) {
  const std::vector<Field> fields{
      {"run_id", FieldType::text, true}, {"step", FieldType::integer}, {"value", FieldType::number}};
  const auto read = read_fields(post(R"({"run_uuid": "abc", "step": "7", "value": "NaN", "other": [1]})"), fields);
  ASSERT_TRUE(read.ok()) << message(read);
  EXPECT_EQ((*read)["run_id"].string(), "abc");
  EXPECT_EQ((*read)["step"].integer(), 7);
  EXPECT_TRUE(std::isnan(*(*read)["value"].number()));
  EXPECT_TRUE((*read)["other"].is_null());
  EXPECT_TRUE(read_fields(post(R"("{\"run_id\": \"abc\"}")"), fields).ok());
}

TEST(Fields, a_query_gives_lists_for_repeated_fields) {
  http::Request request;
  request.method = http::Method::get;
  request.query = {{"run_id", "a"}, {"run_id", "b"}, {"max_results", "5"}, {"metric_key", "m"}, {"metric_key", "n"}};
  const auto read = read_fields(
      request, std::vector<Field>{{"run_id", FieldType::texts}, {"max_results", FieldType::integer}, {"metric_key"}});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ((*read)["run_id"].array().size(), 2u);
  EXPECT_EQ((*read)["max_results"].integer(), 5);
  EXPECT_EQ((*read)["metric_key"].string(), "m");
}

TEST(Errors, what_the_caller_did_is_never_a_5xx) {
  for (const ErrorCode code :
       {ErrorCode::invalid_argument, ErrorCode::not_found, ErrorCode::already_exists, ErrorCode::failed_precondition,
        ErrorCode::permission_denied, ErrorCode::unauthenticated, ErrorCode::too_large}) {
    const int status = mlflow_error({code, "x"}).status;
    EXPECT_GE(status, 400) << name(code);
    EXPECT_LT(status, 500) << name(code);
  }
  EXPECT_EQ(mlflow_error({ErrorCode::not_found, "no \"such\" run"}).body,
            R"({"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no \"such\" run"})");
}

TEST(Keys, a_key_is_its_own_normal_path) {
  for (const char* good : {"loss", "val/loss", "a.b-c d:e_f", "größe", "a/..b"})
    EXPECT_TRUE(check_key(good, "key").ok()) << good;
  for (const char* bad : {"", ".", "..", "../x", "/x", "a//b", "a/", "a/./b", "a/../b", "a\\b", "a\nb", "a%b"})
    EXPECT_FALSE(check_key(bad, "key").ok()) << bad;
  EXPECT_EQ(normal_path("a/b/../c//d/."), "a/c/d");
  EXPECT_EQ(normal_path("../../a"), "../../a");
  EXPECT_EQ(normal_path("/../a"), "/a");
}

TEST(Keys, lengths_count_characters_not_bytes) {
  std::string wide;
  for (int i = 0; i < 250; ++i) wide += "ü";
  EXPECT_TRUE(check_length("key", wide, 250).ok());
  EXPECT_FALSE(check_length("key", wide + "ü", 250).ok());
  EXPECT_EQ(truncated(wide, 10).size(), 20u);
}

TEST(LogRequests, what_the_fast_reader_takes_the_careful_one_takes_as_the_same) {
  tracking::MetricNames names;
  names.remember(ProjectId(""), "known", 17);
  const char* bodies[] = {
      R"({"run_id":"r1","metrics":[{"key":"known","value":1.5,"timestamp":3,"step":4},{"key":"new","value":-2,"timestamp":5}]})",
      R"({"run_id":"r1","params":[{"key":"p","value":"1"}],"tags":[{"key":"t","value":"\u00fc\n"}]})",
      R"( { "metrics" : [ ] , "run_id" : "r1" } )",
  };
  for (const char* text : bodies) {
    http::Request request = post(text);
    const auto fast = read_batch_fast(request.body, ProjectId(""), names);
    const auto careful = read_batch_carefully(request, names);
    ASSERT_TRUE(fast) << text;
    ASSERT_TRUE(careful.ok()) << text << careful.error().message;
    EXPECT_EQ(fast->run, careful->run);
    EXPECT_EQ(fast->params, careful->params);
    EXPECT_EQ(fast->tags, careful->tags);
    EXPECT_EQ(fast->new_names, careful->new_names);
    ASSERT_EQ(fast->points.size(), careful->points.size());
    for (size_t i = 0; i < fast->points.size(); ++i)
      EXPECT_TRUE(tracking::same_point(fast->points[i], careful->points[i])) << text;
  }
}

TEST(LogRequests, unusual_metrics_are_taken_with_care) {
  const tracking::MetricNames names;
  http::Request request = post(
      R"({"run_id":"r1","metrics":[{"key":"a","value":NaN,"timestamp":1},{"key":"b","value":"Infinity","timestamp":"2","step":"3"},)"
      R"({"key":"c","value":1,"timestamp":1,"model_id":"m-1"}]})");
  EXPECT_FALSE(read_batch_fast(request.body, ProjectId(""), names));
  const auto careful = read_batch_carefully(request, names);
  ASSERT_TRUE(careful.ok()) << careful.error().message;
  EXPECT_TRUE(std::isnan(careful->points[0].value));
  EXPECT_TRUE(std::isinf(careful->points[1].value));
  EXPECT_EQ(careful->points[1].step, 3);
  EXPECT_EQ(careful->model_metrics.at(0).model_id, "m-1");
}

TEST(LogRequests, every_wrong_batch_is_refused_by_both_readers) {
  const tracking::MetricNames names;
  std::string many = R"({"run_id":"r1","metrics":[)";
  for (int i = 0; i < 1001; ++i) many += std::string(i ? "," : "") + R"({"key":"a","value":1,"timestamp":1})";
  for (const std::string& text :
       std::vector<std::string>{"",
                                "{",
                                "[]",
                                "{}",
                                "null",
                                R"({"run_id":"r1"} x)",
                                R"({"run_id":"../x"})",
                                R"({"run_id":"r1","metrics":{}})",
                                R"({"run_id":"r1","metrics":[1]})",
                                R"({"run_id":"r1","metrics":[{"key":"a","timestamp":1}]})",
                                R"({"run_id":"r1","metrics":[{"key":"a","value":1}]})",
                                R"({"run_id":"r1","metrics":[{"key":"a","value":"x","timestamp":1}]})",
                                R"({"run_id":"r1","metrics":[{"key":"a","value":true,"timestamp":1}]})",
                                R"({"run_id":"r1","metrics":[{"key":"a","value":1,"timestamp":-1}]})",
                                R"({"run_id":"r1","metrics":[{"key":"../a","value":1,"timestamp":1}]})",
                                R"({"run_id":"r1","metrics":[{"key":"a","value":1,"timestamp":1,"step":1.5}]})",
                                R"({"run_id":"r1","params":[{"key":"a","value":"1"},{"key":"a","value":"1"}]})",
                                R"({"run_id":"r1","params":[{"value":"1"}]})",
                                R"({"run_id":"r1","tags":[{"key":"a","value":1}]})",
                                many + "]}"}) {
    http::Request request = post(text);
    EXPECT_FALSE(read_batch_fast(request.body, ProjectId(""), names)) << text.substr(0, 100);
    const auto careful = read_batch_carefully(request, names);
    ASSERT_FALSE(careful.ok()) << text.substr(0, 100);
    EXPECT_LT(mlflow_error(careful.error()).status, 500);
  }
}

TEST(Facts, every_endpoint_stands_in_the_table_once) {
  std::vector<std::string> seen;
  for (const EndpointFact& fact : endpoint_facts()) seen.push_back(fact.method + " " + fact.path);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  EXPECT_GT(seen.size(), 60u);
}

}  // namespace
}  // namespace slipway::api::mlflow
