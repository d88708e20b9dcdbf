// Traces in MLflow's JSON: what is read is written, and what is wrong is refused with the name of what is wrong.
#include "api/mlflow/trace_json.h"

#include <gtest/gtest.h>

namespace slipway::api::mlflow {
namespace {

Json json_of(const tracking::Trace& trace) {
  JsonWriter json;
  write_trace(json, trace);
  return Json::parse(json.text()).value();
}

Json info(Json more = Json(Json::Object{})) {
  Json out;
  out.set("trace_id", "tr-1");
  out.set("trace_location", Json().set("mlflow_experiment", Json().set("experiment_id", "7")));
  for (const auto& [key, value] : more.object()) out.set(key, value);
  return out;
}

std::string refusal(const Json& given) {
  const auto read = read_trace(given);
  return read.ok() ? "" : read.error().message;
}

TEST(TraceJson, a_trace_is_read_as_it_was_written) {
  tracking::Trace trace;
  trace.id = TraceId("tr-1");
  trace.experiment = ExperimentId("7");
  trace.state = TraceState::error;
  trace.started_at = Time{1'700'000'000'123'456};
  trace.duration = Duration(1'500'001);
  trace.client_request_id = "c";
  trace.request_preview = "why?";
  trace.metadata = {{"m", "1"}};
  trace.tags = {{"t", "ü"}};
  Assessment assessment;
  assessment.id = AssessmentId("a-1");
  assessment.trace = trace.id;
  assessment.name = "ok";
  assessment.source_type = "CODE";
  assessment.value = 0.5;
  assessment.rationale = "because";
  assessment.metadata = {{"k", "v"}};
  assessment.created_at = assessment.updated_at = trace.started_at;
  trace.assessments = {assessment};
  const auto back = read_trace(json_of(trace));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(json_of(*back), json_of(trace));
  EXPECT_EQ(back->started_at, trace.started_at);
  EXPECT_EQ(back->duration, trace.duration);
  EXPECT_EQ(back->assessments[0].value, assessment.value);
}

TEST(TraceJson, an_expectation_that_is_no_plain_value_travels_as_text) {
  Assessment assessment;
  assessment.kind = AssessmentKind::expectation;
  assessment.name = "answer";
  for (const Json& value :
       {Json(7), Json("x"), Json(true), Json(Json::Array{1, Json()}), Json().set("a", Json().set("b", 1))}) {
    assessment.value = value;
    JsonWriter json;
    write_assessment(json, assessment);
    const auto back = read_assessment(Json::parse(json.text()).value());
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->value, value);
  }
}

TEST(TraceJson, what_is_wrong_is_named) {
  EXPECT_EQ(refusal(info()), "");
  EXPECT_NE(refusal(Json().set("trace_id", "tr-1")).find("experiment_id"), std::string::npos);
  EXPECT_NE(refusal(Json(Json::Object{})).find("trace_id"), std::string::npos);
  EXPECT_NE(refusal(info(Json().set("request_time", 5))).find("request_time"), std::string::npos);
  for (const char* wrong : {"1.5", "s", "1e400s", "nans"})
    EXPECT_NE(refusal(info(Json().set("execution_duration", wrong))).find("execution_duration"), std::string::npos)
        << wrong;
  EXPECT_NE(refusal(info(Json().set("state", "GREAT"))).find("state"), std::string::npos);
  EXPECT_NE(refusal(info(Json().set("tags", Json().set("a", 1)))).find("tags"), std::string::npos);
  EXPECT_NE(refusal(info(Json().set("assessments", Json(Json::Array{Json().set("assessment_name", "x")}))))
                .find("Exactly one"),
            std::string::npos);
}

TEST(TraceJson, states_are_read_by_name_and_by_number) {
  EXPECT_EQ(read_trace(info(Json().set("state", "IN_PROGRESS"))).value().state, TraceState::in_progress);
  EXPECT_EQ(read_trace(info(Json().set("state", 2))).value().state, TraceState::error);
}

TEST(TraceJson, spans_have_the_form_of_opentelemetry) {
  Span span;
  span.trace = std::string(32, 'a');
  span.id = std::string(16, 'b');
  span.name = "s";
  span.started_ns = 5;
  span.attributes = {{"n", 1}, {"l", Json(Json::Array{"x"})}, {"none", Json()}};
  JsonWriter json;
  write_span(json, span);
  const Json written = Json::parse(json.text()).value();
  EXPECT_EQ(written["trace_id"].string(), "qqqqqqqqqqqqqqqqqqqqqg==");
  EXPECT_EQ(written["start_time_unix_nano"].integer(), 5);
  EXPECT_EQ(written.find("end_time_unix_nano"), nullptr);
  EXPECT_EQ(written["attributes"].array()[0]["value"], Json().set("int_value", 1));
  EXPECT_EQ(written["attributes"].array()[1]["value"]["array_value"]["values"].array()[0],
            Json().set("string_value", "x"));
  EXPECT_EQ(written["attributes"].array()[2]["value"], Json(Json::Object{}));
  EXPECT_EQ(written["status"]["code"].string(), "STATUS_CODE_UNSET");
}

TEST(TraceJson, the_servers_own_tags_stay) {
  EXPECT_FALSE(check_trace_tag("mlflow.trace.spansLocation", "set").ok());
  EXPECT_FALSE(check_trace_tag("../x", "set").ok());
  EXPECT_TRUE(check_trace_tag("mlflow.traceName", "set").ok());
}

}  // namespace
}  // namespace slipway::api::mlflow
