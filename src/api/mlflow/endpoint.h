// An endpoint of MLflow's protocol as a row of a table: its path, its fields, its handler. One reader checks and
// converts the fields of all of them, with the messages that clients know. Private to this folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/mlflow/mlflow.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/ids.h"
#include "http/http.h"

namespace slipway::api::mlflow {

enum class FieldType { text, integer, number, boolean, texts, objects, object, choice, any };

struct Field {
  const char* name;
  FieldType type = FieldType::text;
  bool required = false;
};

/// A request whose fields have their types. Absent fields are null, empty, or zero.
class Call {
 public:
  Call(const http::Request& request, Json fields) : request_(request), fields_(std::move(fields)) {}

  const http::Request& request() const { return request_; }
  ProjectId project() const;
  bool has(std::string_view field) const { return !fields_[field].is_null(); }
  const std::string& text(std::string_view field) const { return fields_[field].string(); }
  std::optional<std::int64_t> integer(std::string_view field) const { return fields_[field].integer(); }
  double number(std::string_view field) const { return fields_[field].number().value_or(0); }
  bool boolean(std::string_view field) const { return fields_[field].boolean().value_or(false); }
  const Json::Array& list(std::string_view field) const { return fields_[field].array(); }
  const Json& object(std::string_view field) const { return fields_[field]; }
  std::vector<std::string> texts(std::string_view field) const;
  /// A list of {key, value}.
  tracking::KeyValues pairs(std::string_view field) const;
  RunId run() const { return RunId(text("run_id")); }

 private:
  const http::Request& request_;
  Json fields_;
};

/// The JSON text of the answer, or what was wrong.
using Handle = Result<std::string> (*)(const Rooms&, const Call&);

struct Endpoint {
  http::Method method;
  const char* path;  // without prefix
  std::vector<Field> fields;
  Handle handle;
  bool offered = true;  // false: refused with 501, which makes clients go another way
  int status = 200;     // of success
};

/// Reads and checks a request's fields: from the query of a GET, else from the body; parts of the path win.
Result<Json> read_fields(const http::Request& request, std::span<const Field> fields);
/// The body as a JSON object; also the JSON string of one, as old clients send. run_uuid becomes run_id.
Result<Json> read_body(const http::Request& request);

/// What a search of the registry asks for: filter, order_by, max_results (1 to `page_max`) and page_token.
Result<registry::Search> read_search(const Call& call, std::int64_t page_default, std::int64_t page_max);

/// {"error_code", "message"} with the status that clients expect. Never a 5xx for what the caller did.
http::Response mlflow_error(const Error& error);

Error missing_value(std::string_view path);
/// With MLflow's sentence about the API docs, as for fields of a request.
Error missing_parameter(std::string_view field);
Error invalid_value(std::string_view path, const Json& value, std::string_view why);

std::span<const Endpoint> experiment_endpoints();
std::span<const Endpoint> run_endpoints();
std::span<const Endpoint> metric_endpoints();
std::span<const Endpoint> logged_model_endpoints();
std::span<const Endpoint> model_endpoints();
std::span<const Endpoint> model_version_endpoints();
std::span<const Endpoint> artifact_endpoints();
std::span<const Endpoint> trace_endpoints();
std::span<const Endpoint> old_trace_endpoints();
std::span<const Endpoint> assessment_endpoints();
std::span<const Endpoint> trace_metric_endpoints();
std::span<const Endpoint> webhook_endpoints();
std::span<const Endpoint> transfer_endpoints();
std::span<const Endpoint> workspace_endpoints();
std::span<const Endpoint> evaluation_dataset_endpoints();
std::span<const Endpoint> scorer_endpoints();

/// Endpoints with handlers of their own kind: logging (on the event loops), file contents (streams), upstream's odd
/// ones.
void add_logging(http::Router& router, const Rooms& rooms, const std::string& prefix);
void add_artifact_streams(http::Router& router, const Rooms& rooms, const std::string& prefix);
/// What the URLs that transfer_endpoints() sign lead to.
void add_signed_transfers(http::Router& router, const Rooms& rooms);
std::vector<EndpointFact> logging_facts();

}  // namespace slipway::api::mlflow
