// Models: named, with immutable numbered versions and with aliases whose every move is kept.
//
// MLflow's registry is the same noun: `stage` and `run_link` are its fields, the numbers are never used twice while the
// model exists, and a removed version or model is out of sight but not out of the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/ids.h"
#include "domain/reference.h"
#include "registry/artifacts.h"
#include "registry/change_listener.h"
#include "registry/rows.h"

namespace slipway::registry {

struct Model {
  ModelId id;
  ProjectId project;
  std::string name;
  std::string description;
  Tags tags;
  Time created_at, updated_at;
  std::int64_t version_latest = 0;  // greatest number that is there; 0: none
  std::int64_t version_count = 0;
  std::map<std::string, std::int64_t> aliases;
};

enum class VersionStatus { pending, ready, failed };
std::string_view name(VersionStatus status);

struct Version {
  std::string id;  // owns the version's artifacts
  ModelId model_id;
  std::string model;
  std::int64_t version = 0;
  std::string description;
  std::string source;  // as whoever registered it said: models:/m-…, runs:/…, a URI
  std::optional<RunId> run;
  std::string run_link;
  std::optional<LoggedModelId> logged_model;
  VersionStatus status = VersionStatus::ready;
  std::string status_message;
  std::string stage = "None";  // None, Staging, Production, Archived
  Json details;  // object: inputs, outputs ([{name, datatype, shape}]), preprocess, labels; absent what is not known
  std::string created_by;
  Time created_at, updated_at;
  Tags tags;
  std::vector<std::string> aliases;
};

struct NewVersion {
  std::string description, source, run_link, created_by;
  std::optional<RunId> run;
  std::optional<LoggedModelId> logged_model;
  /// What it does not say is taken from the files: MLmodel tells inputs and outputs, labels.txt the names of the
  /// classes, one a line, preprocess.json how a picture becomes an input.
  Json details;
  Tags tags;
  VersionStatus status = VersionStatus::ready;
  /// Of a version that comes from another registry: its number, which must be free (already_exists otherwise; the next
  /// one counts on from the greatest), and when it was made there.
  std::optional<std::int64_t> number;
  std::optional<Time> created_at;
  /// Files the version keeps as its own from now on, whatever happens to their first owner. By default those that
  /// `source` or `logged_model` names (see locate_source()).
  std::vector<Artifact> files;
};

/// What update_version() may change; nullopt stays.
struct VersionChange {
  std::optional<std::string> description;
  std::optional<VersionStatus> status;
  std::optional<std::string> status_message;
  std::optional<Json> details;  // members of this object replace those of the same name; null removes
};

struct AliasMove {
  Time at;
  std::string alias;
  std::optional<std::int64_t> from_version, to_version;
  std::string member, reason;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next_page_token;  // empty: that was all
};

struct Search {
  std::string filter;                 // domain/filter.h
  std::vector<std::string> order_by;  // "name ASC"
  std::int64_t page_size = 100;
  std::string page_token;
};

inline constexpr size_t kModelNameBytesMax = 256;
inline constexpr size_t kAliasBytesMax = 255;
inline constexpr size_t kRegistryTagKeyBytesMax = 250;
inline constexpr size_t kRegistryTagValueBytesMax = 100'000;
inline constexpr size_t kRegistryTagsMax = 1'000;  // of one model or version
inline constexpr size_t kDescriptionBytesMax = 1 << 20;
inline constexpr std::int64_t kSearchPageMax = 200'000;

/// Thread-safe; blocks for the database. Every write ends with Event model_changed; those that MLflow's webhooks know
/// are told to the listener in their own transaction.
class Models {
 public:
  Models(catalog::Database& database, store::Store& store, Artifacts& artifacts, const Clock& clock, EventSink* events,
         ChangeListener* listener = nullptr)
      : database_(database),
        store_(store),
        artifacts_(artifacts),
        clock_(clock),
        events_(events),
        listener_(listener) {}

  /// already_exists when the name is taken.
  Result<Model> create(const ProjectId& project, std::string_view name, std::string_view description, const Tags& tags);
  Result<Model> get(const ProjectId& project, std::string_view name);
  Result<Model> rename(const ProjectId& project, std::string_view name, std::string_view new_name);
  Result<Model> describe(const ProjectId& project, std::string_view name, std::string_view description);
  Result<void> set_tag(const ProjectId& project, std::string_view name, std::string_view key, std::string_view value);
  Result<void> remove_tag(const ProjectId& project, std::string_view name, std::string_view key);
  /// With all its versions and aliases. The name is free again; the rows stay for those who ask where something came
  /// from.
  Result<void> remove(const ProjectId& project, std::string_view name);
  /// Names in the filter: name, tags.*; in order_by: name, timestamp, last_updated_timestamp, creation_timestamp.
  /// MLflow's prompts (tag mlflow.prompt.is_prompt) are left out unless the filter speaks of that tag.
  Result<Page<Model>> search(const ProjectId& project, const Search& search);

  Result<Version> create_version(const ProjectId& project, std::string_view model, const NewVersion& request);
  Result<Version> version(const ProjectId& project, std::string_view model, std::int64_t number);
  /// `model:name@alias`, `model:name/3`; `latest` as an alias means the greatest number.
  Result<Version> resolve(const ProjectId& project, const Reference& reference);
  Result<Version> update_version(const ProjectId& project, std::string_view model, std::int64_t number,
                                 const VersionChange& change);
  /// `stage` in any case. With `archive_existing`, others in that stage (Staging or Production) become Archived.
  Result<Version> transition(const ProjectId& project, std::string_view model, std::int64_t number,
                             std::string_view stage, bool archive_existing);
  Result<void> set_version_tag(const ProjectId& project, std::string_view model, std::int64_t number,
                               std::string_view key, std::string_view value);
  Result<void> remove_version_tag(const ProjectId& project, std::string_view model, std::int64_t number,
                                  std::string_view key);
  /// Its aliases go with it, and their removal is in the history.
  Result<void> remove_version(const ProjectId& project, std::string_view model, std::int64_t number,
                              std::string_view member);
  /// The greatest ready version in each of the stages (all stages when empty).
  Result<std::vector<Version>> latest_versions(const ProjectId& project, std::string_view model,
                                               const std::vector<std::string>& stages);
  /// Names in the filter: name, version_number, run_id, source_path, tags.*; in order_by: name, version_number,
  /// creation_timestamp, last_updated_timestamp. By default name ascending, version descending.
  Result<Page<Version>> search_versions(const ProjectId& project, const Search& search);
  /// Every file of the version, paths relative to its root.
  Result<std::vector<Artifact>> files(const ProjectId& project, std::string_view model, std::int64_t number);

  /// Moves or makes an alias. Moving it to where it is changes nothing and is not in the history.
  Result<void> set_alias(const ProjectId& project, std::string_view model, std::string_view alias, std::int64_t version,
                         std::string_view member, std::string_view reason);
  /// An alias that does not exist is no error.
  Result<void> remove_alias(const ProjectId& project, std::string_view model, std::string_view alias,
                            std::string_view member, std::string_view reason);
  Result<Version> version_of_alias(const ProjectId& project, std::string_view model, std::string_view alias);
  /// Newest first; of all aliases when `alias` is empty.
  Result<Page<AliasMove>> history(const ProjectId& project, std::string_view model, std::string_view alias,
                                  std::int64_t page_size, std::string_view page_token);

 private:
  Result<Version> change_version(
      const ProjectId& project, std::string_view model, std::int64_t number, bool touch,
      const std::function<Result<void>(catalog::Connection&, std::int64_t model_number, Version&)>& change);
  Result<std::vector<Artifact>> files_of(const ProjectId& project, const NewVersion& request);
  Result<Json> details_of(const NewVersion& request, const std::vector<Artifact>& files);
  Result<std::optional<std::string>> text_of(const std::vector<Artifact>& files, std::string_view name);
  void changed(const ProjectId& project, std::string_view name);

  catalog::Database& database_;
  store::Store& store_;
  Artifacts& artifacts_;
  const Clock& clock_;
  EventSink* const events_;
  ChangeListener* const listener_;
};

/// Where the files of a version's source are, when they are ours: models:/m-…[/path], runs:/<run>/<path>,
/// mlflow-artifacts:[//host]/<experiment>/<run>/artifacts/<path>,
/// mlflow-artifacts:…/<experiment>/models/<m-…>/artifacts/<path>.
struct SourceLocation {
  OwnerKind kind = OwnerKind::run;
  std::string id;
  std::string path;  // "" for everything
  bool operator==(const SourceLocation&) const = default;
};
std::optional<SourceLocation> locate_source(std::string_view source);

/// Inputs and outputs of a model as its MLmodel file's signature tells them:
/// {"inputs":[{name,datatype,shape}],"outputs":…}. Null when it tells nothing.
Json details_of_mlmodel(std::string_view mlmodel_yaml);

}  // namespace slipway::registry
