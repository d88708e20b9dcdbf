#include "domain/evaluation_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace slipway {
namespace {

constexpr std::string_view kUserTag = "mlflow.user";
constexpr std::string_view kTraceSource = "TRACE";
constexpr std::array<std::string_view, 5> kSourceTypes{"UNSPECIFIED", kTraceSource, "HUMAN", "DOCUMENT", "CODE"};
constexpr size_t kShownMax = 200;  // bytes of a wrong value in a message

Error wrong(std::string_view where, std::string_view member, const Json& value, std::string_view expected) {
  return {ErrorCode::invalid_argument,
          fmt::format("{}.{} is {}; expected {}", where, member, clean_utf8(value.render(), kShownMax), expected)};
}

Result<Json> read_object(const Json& json, std::string_view where, std::string_view member) {
  const Json& value = json[member];
  if (value.is_null() || value.is_object()) return value;
  return wrong(where, member, value, "an object");
}

Result<std::optional<RecordSource>> read_source(const Json& json, std::string_view where) {
  const Json& value = json["source"];
  if (value.is_null()) return std::optional<RecordSource>();
  if (!value.is_object()) return wrong(where, "source", value, "an object");
  for (const std::string_view type : kSourceTypes) {
    if (!equals_ignore_case(type, value["source_type"].string())) continue;
    auto data = TRY(read_object(value, fmt::format("{}.source", where), "source_data"));
    RecordSource source{std::string(type), std::move(data)};
    if (source.data.is_null()) source.data = Json(Json::Object{});
    return std::optional(std::move(source));
  }
  return wrong(where, "source.source_type", value["source_type"], "TRACE, HUMAN, DOCUMENT, CODE or UNSPECIFIED");
}

Json sorted(const Json& value) {
  if (value.is_array()) {
    Json::Array items;
    for (const Json& item : value.array()) items.push_back(sorted(item));
    return items;
  }
  if (!value.is_object()) return value;
  Json::Object members;
  for (const auto& [key, member] : value.object()) members.emplace_back(key, sorted(member));
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return members;
}

constexpr std::array kParts{"inputs", "outputs", "expectations"};

Json no_fields() {
  Json fields{Json::Object{}};
  for (const char* part : kParts) fields.set(part, Json(Json::Object{}));
  fields.set("version", "1.0");
  return fields;
}

Json type_of(const Json& value) { return value.is_number() && !value.is_integer() ? "float" : value.type_name(); }

/// What a part holds: the type of each key, or of the whole when it is no object.
Json types_of(const Json& value) {
  if (!value.is_object()) return type_of(value);
  Json::Object types;
  for (const auto& [key, member] : value.object()) {
    if (types.size() == kEvaluationFieldsMax) break;
    types.emplace_back(key, type_of(member));
  }
  return types;
}

void join_part(Json& fields, const char* part, const Json& types) {
  Json known = fields[part];
  if (types.is_string() && known.object().empty() && !known.is_string()) known = types;
  for (const auto& [key, type] : types.object()) {
    if (known.is_string() || known.object().size() >= kEvaluationFieldsMax) break;
    if (!known.find(key)) known.set(key, type);
  }
  fields.set(part, std::move(known));
}

Result<void> merge_object(Json& into, const Json& from, std::string_view what) {
  for (const auto& [key, value] : from.object()) {
    into.set(key, value);
    if (into.object().size() <= kEvaluationKeysMax) continue;
    return Error{ErrorCode::too_large,
                 fmt::format("a record would have more than {} {}; leave some out", kEvaluationKeysMax, what)};
  }
  return {};
}

}  // namespace

const std::string& RecordSource::id() const { return data[type == kTraceSource ? "trace_id" : "source_id"].string(); }

Result<EvaluationRecordChange> read_evaluation_record(const Json& json, std::string_view where) {
  if (!json.is_object()) {
    return Error{ErrorCode::invalid_argument, fmt::format("{} is {}; expected an object with 'inputs'", where,
                                                          clean_utf8(json.render(), kShownMax))};
  }
  EvaluationRecordChange change;
  change.inputs = TRY(read_object(json, where, "inputs"));
  if (change.inputs.is_null()) return wrong(where, "inputs", change.inputs, "an object");
  if (const Json* outputs = json.find("outputs")) change.outputs = *outputs;
  change.expectations = TRY(read_object(json, where, "expectations"));
  change.tags = TRY(read_object(json, where, "tags"));
  for (const Json* part : {&change.expectations, &change.tags}) {
    if (part->object().size() > kEvaluationKeysMax)
      return Error{ErrorCode::too_large,
                   fmt::format("{} has more than {} expectations or tags; leave some out", where, kEvaluationKeysMax)};
  }
  change.source = TRY(read_source(json, where));
  return change;
}

std::string inputs_hash(const Json& inputs) { return render(hash_of(sorted(inputs).render())); }

EvaluationRecord new_record(const EvaluationRecordChange& change) {
  EvaluationRecord record;
  record.inputs = change.inputs;
  record.outputs = change.outputs.value_or(Json(Json::Object{}));
  record.expectations = change.expectations;
  if (change.tags.is_object()) record.tags = change.tags;
  record.source = change.source;
  record.created_by = record.updated_by = user_of_tags(change.tags);
  return record;
}

Result<void> merge_record(EvaluationRecord& record, const EvaluationRecordChange& change) {
  if (change.outputs) record.outputs = *change.outputs;
  TRY(merge_object(record.expectations, change.expectations, "expectations"));
  TRY(merge_object(record.tags, change.tags, "tags"));
  if (auto user = user_of_tags(change.tags)) record.updated_by = std::move(user);
  return {};
}

void learn_fields(Json& fields, const EvaluationRecordChange& change) {
  if (!fields.is_object()) fields = no_fields();
  join_part(fields, "inputs", types_of(change.inputs));
  if (change.outputs && !change.outputs->is_null()) join_part(fields, "outputs", types_of(*change.outputs));
  if (change.expectations.is_object()) join_part(fields, "expectations", types_of(change.expectations));
}

void join_fields(Json& fields, const Json& learned) {
  if (!learned.is_object()) return;
  if (!fields.is_object()) fields = no_fields();
  for (const char* part : kParts) join_part(fields, part, learned[part]);
}

std::optional<std::string> user_of_tags(const Json& tags) {
  const std::string& user = tags[kUserTag].string();
  return user.empty() ? std::nullopt : std::optional(user);
}

std::string evaluation_digest(std::string_view name, Time updated_at) {
  constexpr size_t kDigits = 8;
  return render(hash_of(fmt::format("{}:{}", name, updated_at.micros))).substr(0, kDigits);
}

}  // namespace slipway
