#include <fmt/format.h>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/trace_json.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

TraceId trace_of(const Call& call) { return TraceId(call.text("trace_id")); }
AssessmentId assessment_of(const Call& call) { return AssessmentId(call.text("assessment_id")); }

std::string answer_with(const Assessment& assessment) {
  JsonWriter json;
  json.begin_object().key("assessment");
  write_assessment(json, assessment);
  json.end_object();
  return json.take();
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  Assessment assessment = TRY(read_assessment(call.object("assessment")));
  assessment.trace = trace_of(call);
  return answer_with(TRY(rooms.tracking.traces().assess(call.project(), std::move(assessment))));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.traces().assessment(call.project(), trace_of(call), assessment_of(call))));
}

/// The paths of a field mask: one text with commas and camelCase names, as protobuf's JSON has it, or a list.
std::vector<std::string> mask_of(const Json& mask) {
  if (mask.is_string()) return split(mask.string(), ',');
  std::vector<std::string> paths;
  for (const Json& path : mask["paths"].array()) paths.push_back(path.string());
  return paths;
}

Result<void> take(const std::string& path, const Json& given, tracking::AssessmentChange& change) {
  if (path == "assessment_name" || path == "assessmentName") {
    change.name = given["assessment_name"].string();
  } else if (path == "expectation") {
    change.expectation = TRY(read_expectation(given["expectation"]));
  } else if (path == "feedback") {
    change.feedback = given["feedback"]["value"];
    change.feedback_error = given["feedback"]["error"];
  } else if (path == "rationale") {
    change.rationale = given["rationale"].string();
  } else if (path == "metadata") {
    change.metadata = given["metadata"].object();
  } else if (path == "valid") {
    change.valid = given["valid"].boolean().value_or(true);
  } else {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("'update_mask' names '{}'; an assessment's assessment_name, expectation, feedback, rationale, "
                    "metadata and valid can be changed",
                    clean_utf8(path, 100))};
  }
  return {};
}

Result<std::string> change(const Rooms& rooms, const Call& call) {
  tracking::AssessmentChange change;
  for (const std::string& path : mask_of(call.object("update_mask")))
    TRY(take(path, call.object("assessment"), change));
  return answer_with(
      TRY(rooms.tracking.traces().change_assessment(call.project(), trace_of(call), assessment_of(call), change)));
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.traces().delete_assessment(call.project(), trace_of(call), assessment_of(call)));
  return std::string("{}");
}

const Field kTrace{"trace_id", FieldType::text, true};
const Field kAssessment{"assessment_id", FieldType::text, true};
constexpr const char* kOne = "mlflow/traces/{trace_id}/assessments/{assessment_id}";

}  // namespace

std::span<const Endpoint> assessment_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post, "mlflow/traces/{trace_id}/assessments", {kTrace, {"assessment", FieldType::object, true}}, create},
      {Method::get, kOne, {kTrace, kAssessment}, get},
      {Method::patch,
       kOne,
       {kTrace, kAssessment, {"assessment", FieldType::object, true}, {"update_mask", FieldType::any, true}},
       change},
      {Method::del, kOne, {kTrace, kAssessment}, remove},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow
