// Metric names and their numbers, in memory. A name never changes its number, so whatever is here is true for ever;
// what is not here is asked of the database.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/catalog.h"
#include "domain/ids.h"
#include "tracking/point.h"

namespace slipway::tracking {

/// Past this many names in all projects, further ones are looked up in the database each time.
inline constexpr size_t kMetricNamesCachedMax = 2'000'000;

/// Thread-safe.
class MetricNames {
 public:
  /// Looks many names up under one lock; keep it short.
  class Lookup {
   public:
    std::optional<MetricNumber> find(std::string_view name) const;

   private:
    friend class MetricNames;
    Lookup(std::shared_mutex& mutex, const MetricNames& names, const ProjectId& project);
    std::shared_lock<std::shared_mutex> lock_;
    const void* table_;
  };
  Lookup lookup(const ProjectId& project) const { return Lookup(mutex_, *this, project); }

  /// The number of a name, made when it is new; inside a write. Tell remember() after the commit.
  static Result<MetricNumber> intern(catalog::Connection& connection, const ProjectId& project,
                                     const std::string& name);
  void remember(const ProjectId& project, const std::string& name, MetricNumber number);

  /// From memory or from the database (and then remembered). nullopt: nobody logged such a metric in this project.
  Result<std::optional<MetricNumber>> number(catalog::Connection& connection, const ProjectId& project,
                                             const std::string& name);
  Result<std::string> name(catalog::Connection& connection, MetricNumber number);

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Table = std::unordered_map<std::string, MetricNumber, TextHash, std::equal_to<>>;

  mutable std::shared_mutex mutex_;
  // Guarded by mutex_. Keys of unordered_map stay where they are, so views of them may be kept.
  std::unordered_map<std::string, Table> by_project_;
  std::unordered_map<MetricNumber, std::string_view> by_number_;
};

}  // namespace slipway::tracking
