// Artifacts: the files that a run, a logged model or a model version keeps, by path. Folders exist only as parts of
// paths.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/ids.h"
#include "store/store.h"

namespace slipway::registry {

enum class OwnerKind { run, logged_model, model_version };
/// "run", "logged_model", "model_version".
std::string_view name(OwnerKind kind);
std::optional<OwnerKind> parse_owner_kind(std::string_view text);

/// Who keeps the files. The id of a model version is Version::id.
struct Owner {
  ProjectId project;
  OwnerKind kind = OwnerKind::run;
  std::string id;
};

struct Artifact {
  std::string path;
  Hash hash;
  std::uint64_t size = 0;
  std::string content_type;
  Time created_at;
};

/// A file, or a folder that lies directly in the listed one. `path` is whole, from the owner's root.
struct ArtifactEntry {
  std::string path;
  bool is_directory = false;
  std::uint64_t size = 0;    // of a file
  std::optional<Hash> hash;  // of a file
};

struct ArtifactPage {
  std::vector<ArtifactEntry> entries;  // sorted by path
  std::string next_page_token;         // empty: that was all
};

inline constexpr size_t kArtifactPageMax = 10'000;
inline constexpr size_t kArtifactBatchMax = 100'000;

/// Thread-safe; blocks for the database and the disk. Paths are checked by check_relative_path(). A run's files that
/// are put or removed end with Event artifacts_changed, once a call; null: nobody listens.
class Artifacts {
 public:
  Artifacts(catalog::Database& database, store::Store& store, const Clock& clock, EventSink* events = nullptr)
      : database_(database), store_(store), clock_(clock), events_(events) {}

  /// Names blobs that are in the store (else not_found). A path that is taken gets the new bytes. invalid_argument when
  /// a path goes through a file or is a folder already. All or none. An empty content type is guessed from the path.
  Result<void> put(const Owner& owner, std::span<const Artifact> artifacts);
  Result<void> put(const Owner& owner, std::string_view path, const store::BlobInfo& blob,
                   std::string_view content_type = "");

  Result<Artifact> get(const Owner& owner, std::string_view path);
  /// What lies directly in `folder` ("" is the root). A folder that does not exist is empty.
  Result<ArtifactPage> list(const Owner& owner, std::string_view folder, size_t page_size = kArtifactPageMax,
                            std::string_view page_token = "");
  /// Every file below `folder` ("" for all), or the file of that name itself, sorted by path.
  Result<std::vector<Artifact>> all(const Owner& owner, std::string_view folder = "");
  /// The next `count` of those, the first being the one behind the path `after` ("" for the first of all).
  Result<std::vector<Artifact>> some(const Owner& owner, std::string_view folder, std::string_view after, size_t count);
  /// Removes a file, or a folder with everything in it; answers how many files that were. The blobs stay until a sweep.
  Result<std::int64_t> remove(const Owner& owner, std::string_view path);

 private:
  void tell(const Owner& owner);

  catalog::Database& database_;
  store::Store& store_;
  const Clock& clock_;
  EventSink* const events_;
};

/// The same inside somebody else's transaction, for rooms' own writes.
Result<void> put_artifact(catalog::Connection& connection, const Owner& owner, const Artifact& artifact);
Result<std::vector<Artifact>> all_artifacts(catalog::Connection& connection, const Owner& owner,
                                            std::string_view folder);

/// The media type that a file's name suggests; "application/octet-stream" when it suggests nothing.
std::string_view content_type_of(std::string_view path);

}  // namespace slipway::registry
