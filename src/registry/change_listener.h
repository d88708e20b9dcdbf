// Who wants to be told of the registry's changes for certain. An EventSink hears of a change when it is over and may
// miss it; a listener is asked inside of the change's transaction, so what it writes down is kept with the change or
// not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/ids.h"
#include "registry/rows.h"

namespace slipway::registry {

struct NewVersion;

class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  /// `event` is one of domain/webhook.h's, `data_json` its data as JSON. May be asked again for the same change, when
  /// the database asks for a retry. An error refuses the change.
  virtual Result<void> note(catalog::Connection& connection, const ProjectId& project, std::string_view event,
                            const std::string& data_json) = 0;
  /// What was noted may be read now. Never blocks.
  virtual void committed() = 0;
};

/// Tells a listener (or nobody) of changes to one model, in the words of MLflow's webhooks: a model with the tag
/// mlflow.prompt.is_prompt is a prompt there. For use inside of a transaction. Private to this room.
class Telling {
 public:
  /// Looks whether the model is a prompt, when there is somebody to tell.
  static Result<Telling> of(ChangeListener* listener, catalog::Connection& connection, const ProjectId& project,
                            std::int64_t model_number, std::string_view model);

  Result<void> created(std::string_view description, const Tags& tags) const;
  Result<void> version_created(std::int64_t version, const NewVersion& request) const;
  /// `value` null: the tag was removed. Tags of models are told for prompts only, as MLflow does.
  Result<void> tagged(std::string_view key, const std::string_view* value) const;
  Result<void> version_tagged(std::int64_t version, std::string_view key, const std::string_view* value) const;
  /// `version` nullopt: the alias is gone.
  Result<void> alias_moved(std::string_view alias, std::optional<std::int64_t> version) const;

 private:
  Telling(ChangeListener* listener, catalog::Connection& connection, const ProjectId& project, std::string_view model)
      : listener_(listener), connection_(connection), project_(project), model_(model) {}
  Result<void> tell(std::string_view model_event, std::string_view prompt_event, const std::string& data) const;

  ChangeListener* listener_;
  catalog::Connection& connection_;
  const ProjectId& project_;
  std::string_view model_;
  bool is_prompt_ = false;
};

}  // namespace slipway::registry
