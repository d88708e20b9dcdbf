// Artifacts that come in parts: begun, sent part by part (in any order, at once, again), completed or aborted. What
// nobody sends anything to for kUploadIdleMax is swept when the next one begins.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "registry/artifacts.h"
#include "store/parts.h"
#include "store/store.h"

namespace slipway::registry {

inline constexpr std::int64_t kUploadPartsMax = 10'000;
inline constexpr std::int64_t kUploadsInPartsMax = 1'000;  // open at once in a project
inline constexpr Duration kUploadIdleMax = std::chrono::hours(24);

struct PartedUpload {
  std::string id;
  Owner owner;
  std::string path;
  std::int64_t part_count = 0;
  bool is_complete = false;
};

/// Thread-safe; blocks for the database and the disk.
class Uploads {
 public:
  Uploads(catalog::Database& database, store::Store& store, store::Parts& parts, Artifacts& artifacts,
          const Clock& clock)
      : database_(database), store_(store), parts_(parts), artifacts_(artifacts), clock_(clock) {}

  Result<PartedUpload> begin(const Owner& owner, std::string_view path, std::int64_t part_count);
  /// One part, numbered from 1; its hash is what complete() wants to see.
  Result<store::BlobInfo> put_part(std::string_view id, std::int64_t number,
                                   const std::function<Result<std::string>()>& next);
  /// All parts from 1 on, with their hashes, become the artifact. Again after it succeeded, it succeeds.
  Result<void> complete(const Owner& owner, std::string_view path, std::string_view id,
                        std::span<const store::PartName> parts);
  /// Its parts are removed. One that is not there is no error.
  Result<void> abort(const Owner& owner, std::string_view path, std::string_view id);
  /// Removes what is idle; answers how many uploads that were.
  Result<std::int64_t> sweep();

 private:
  Result<PartedUpload> find(std::string_view id);
  Result<PartedUpload> find(const Owner& owner, std::string_view path, std::string_view id);

  catalog::Database& database_;
  store::Store& store_;
  store::Parts& parts_;
  Artifacts& artifacts_;
  const Clock& clock_;
};

}  // namespace slipway::registry
