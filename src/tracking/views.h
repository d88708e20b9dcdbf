// Saved views of the web UI's pages (domain/view.h): named, per project, seen and changed by everybody in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/view.h"

namespace slipway::tracking {

/// What a view becomes; absent members stay.
struct ViewChange {
  std::optional<std::string> name, query;
};

/// Every call blocks for the database and waits until what it wrote is durable. Thread-safe.
class Views {
 public:
  Views(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// `made` without id and times. already_exists when the page has one of that name, failed_precondition when the
  /// project has kViewsMax of them, invalid_argument and too_large as domain/view.h says.
  Result<SavedView> create(SavedView made);
  /// Of one page, or of all for an empty `page`; by page and name.
  Result<std::vector<SavedView>> list(const ProjectId& project, const std::string& page);
  Result<SavedView> get(const ProjectId& project, const ViewId& id);
  Result<SavedView> change(const ProjectId& project, const ViewId& id, const ViewChange& change);
  Result<void> remove(const ProjectId& project, const ViewId& id);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

/// In a project.
inline constexpr std::int64_t kViewsMax = 1000;

}  // namespace slipway::tracking
