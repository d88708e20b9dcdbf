#include "registry/change_listener.h"

#include "base/json.h"
#include "registry/models.h"

namespace slipway::registry {
namespace {

constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";
constexpr std::string_view kPromptTypeTag = "_mlflow_prompt_type";
constexpr std::string_view kPromptTextTag = "mlflow.prompt.text";
constexpr std::string_view kSelectPromptTag =
    "SELECT value FROM model_tags WHERE model = ? AND key = 'mlflow.prompt.is_prompt'";

/// A prompt's marks are none of its tags.
bool is_mark(std::string_view key) { return key == kPromptTag || key == kPromptTypeTag || key == kPromptTextTag; }

void write_tags(JsonWriter& json, const Tags& tags, bool without_marks) {
  json.key("tags").begin_object();
  for (const auto& [key, value] : tags) {
    if (!without_marks || !is_mark(key)) json.member(key, value);
  }
  json.end_object();
}

void write_text_or_null(JsonWriter& json, std::string_view key, std::string_view text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

}  // namespace

Result<Telling> Telling::of(ChangeListener* listener, catalog::Connection& connection, const ProjectId& project,
                            std::int64_t model_number, std::string_view model) {
  Telling telling(listener, connection, project, model);
  if (listener == nullptr) return telling;
  const auto mark = TRY(connection.first(kSelectPromptTag, {model_number},
                                         [](const catalog::Row& row) { return std::string(row.text(0)); }));
  telling.is_prompt_ = mark && *mark == "true";
  return telling;
}

Result<void> Telling::tell(std::string_view model_event, std::string_view prompt_event, const std::string& data) const {
  const std::string_view event = is_prompt_ ? prompt_event : model_event;
  if (event.empty()) return {};
  return listener_->note(connection_, project_, event, data);
}

Result<void> Telling::created(std::string_view description, const Tags& tags) const {
  if (listener_ == nullptr) return {};
  JsonWriter json;
  json.begin_object().member("name", model_);
  write_tags(json, tags, is_prompt_);
  json.member("description", description).end_object();
  return tell("registered_model.created", "prompt.created", json.take());
}

Result<void> Telling::version_created(std::int64_t version, const NewVersion& request) const {
  if (listener_ == nullptr) return {};
  JsonWriter json;
  json.begin_object().member("name", model_).member("version", std::to_string(version));
  if (is_prompt_) {
    std::string_view text;
    for (const auto& [key, value] : request.tags) {
      if (key == kPromptTextTag) text = value;
    }
    write_text_or_null(json, "template", text);
  } else {
    json.member("source", request.source);
    write_text_or_null(json, "run_id", request.run ? request.run->text : "");
  }
  write_tags(json, request.tags, is_prompt_);
  write_text_or_null(json, "description", request.description);
  json.end_object();
  return tell("model_version.created", "prompt_version.created", json.take());
}

Result<void> Telling::tagged(std::string_view key, const std::string_view* value) const {
  if (listener_ == nullptr) return {};
  JsonWriter json;
  json.begin_object().member("name", model_).member("key", key);
  if (value != nullptr) json.member("value", *value);
  json.end_object();
  return tell("", value != nullptr ? "prompt_tag.set" : "prompt_tag.deleted", json.take());
}

Result<void> Telling::version_tagged(std::int64_t version, std::string_view key, const std::string_view* value) const {
  if (listener_ == nullptr) return {};
  JsonWriter json;
  json.begin_object().member("name", model_).member("version", std::to_string(version)).member("key", key);
  if (value != nullptr) json.member("value", *value);
  json.end_object();
  if (value != nullptr) return tell("model_version_tag.set", "prompt_version_tag.set", json.take());
  return tell("model_version_tag.deleted", "prompt_version_tag.deleted", json.take());
}

Result<void> Telling::alias_moved(std::string_view alias, std::optional<std::int64_t> version) const {
  if (listener_ == nullptr) return {};
  JsonWriter json;
  json.begin_object().member("name", model_).member("alias", alias);
  if (version) json.member("version", std::to_string(*version));
  json.end_object();
  if (version) return tell("model_version_alias.created", "prompt_alias.created", json.take());
  return tell("model_version_alias.deleted", "prompt_alias.deleted", json.take());
}

}  // namespace slipway::registry
