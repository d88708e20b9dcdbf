// Evaluation datasets: records of inputs, with what is expected of the answers, that a language application is judged
// on. They are MLflow's noun (mlflow.genai.datasets) and small beside a dataset of samples: no files, no commits, no
// branches. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

using EvaluationDatasetId = Id<struct EvaluationDatasetTag>;  // "d-" and 32 hex digits
using EvaluationRecordId = Id<struct EvaluationRecordTag>;    // "dr-" and 32 hex digits

struct EvaluationDataset {
  EvaluationDatasetId id;
  std::int64_t number = 0;
  ProjectId project;
  std::string name;    // not unique
  std::string digest;  // changes with the records
  Json fields;         // what inputs, outputs and expectations have been seen to hold (learn_fields); null before
  std::int64_t records = 0;
  Time created_at, updated_at;  // whole milliseconds
  std::optional<std::string> created_by, updated_by;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<ExperimentId> experiments;
};

/// Where a record comes from: TRACE, HUMAN, DOCUMENT, CODE or UNSPECIFIED, and what is known of it.
struct RecordSource {
  std::string type;
  Json data{Json::Object{}};

  /// The trace, or whatever else the data names; empty when it names nothing.
  const std::string& id() const;
  bool operator==(const RecordSource&) const = default;
};

struct EvaluationRecord {
  EvaluationRecordId id;
  std::int64_t number = 0;
  Json inputs;
  Json outputs;       // any value; null for none
  Json expectations;  // an object; null for none
  Json tags{Json::Object{}};
  std::optional<RecordSource> source;
  Time created_at, updated_at;  // whole milliseconds
  std::optional<std::string> created_by, updated_by;
};

/// What a client says of a record. Absent outputs are empty in a new record and stay as they are in an old one.
struct EvaluationRecordChange {
  Json inputs;
  std::optional<Json> outputs;
  Json expectations, tags;  // an object or null
  std::optional<RecordSource> source;
};

inline constexpr size_t kEvaluationNameMax = 255;        // characters, of a dataset's name and of a tag's key
inline constexpr size_t kEvaluationTagValueMax = 5000;   // characters
inline constexpr size_t kEvaluationRecordsMax = 20'000;  // in one request
inline constexpr size_t kEvaluationKeysMax = 1000;       // of the expectations and of the tags of one record
inline constexpr size_t kEvaluationFieldsMax = 500;      // learned of inputs, of outputs and of expectations each

/// `where` is what the record is called in messages: "records[3]".
Result<EvaluationRecordChange> read_evaluation_record(const Json& json, std::string_view where);

/// Equal for equal inputs, in whatever order their keys come: 64 hex digits.
std::string inputs_hash(const Json& inputs);

/// A record that was not there before; without id and times.
EvaluationRecord new_record(const EvaluationRecordChange& change);
/// Outputs are replaced, expectations and tags merged key by key; inputs, source and who made it stay. too_large past
/// kEvaluationKeysMax.
Result<void> merge_record(EvaluationRecord& record, const EvaluationRecordChange& change);

/// Adds to `fields` the keys of a record with the names of their types:
/// {"inputs": {"question": "string"}, "outputs": {}, "expectations": {}, "version": "1.0"}. What a key was first seen
/// to hold stays.
void learn_fields(Json& fields, const EvaluationRecordChange& change);
/// Adds to `fields` what was learned elsewhere.
void join_fields(Json& fields, const Json& learned);

/// Who did it, as MLflow's client says in a tag.
std::optional<std::string> user_of_tags(const Json& tags);

/// Eight hex digits.
std::string evaluation_digest(std::string_view name, Time updated_at);

}  // namespace slipway
