// References: which blobs are still named by something, so that the store's sweep knows what may go.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/ids.h"
#include "store/store.h"

namespace slipway::registry {

/// A sorted list of hashes: 32 bytes for each blob, so that ten million fit into memory.
class HashSet {
 public:
  explicit HashSet(std::vector<Hash> hashes);
  bool contains(const Hash& hash) const;
  size_t size() const { return hashes_.size(); }
  const std::vector<Hash>& hashes() const { return hashes_; }

 private:
  std::vector<Hash> hashes_;
};

/// Told of each hash that is named; a tree is expanded to what it names.
using ReferenceVisitor = std::function<void(const Hash& hash, bool is_tree)>;
/// Tells a visitor everything that one room's tables name.
using ReferenceSource = std::function<Result<void>(const ReferenceVisitor&)>;

/// Runs and logged models that are taken as if they were not there, to see what would become free without them.
struct Gone {
  std::unordered_set<std::string> runs, logged_models;
  bool is_empty() const { return runs.empty() && logged_models.empty(); }
  bool has_run(std::string_view id) const { return !runs.empty() && runs.contains(std::string(id)); }
};
/// The same for a room that keeps something for runs.
using RunReferenceSource = std::function<Result<void>(const ReferenceVisitor&, const Gone&)>;

struct Usage {
  std::uint64_t artifact_bytes = 0;  // each blob once
  std::uint64_t dataset_bytes = 0;   // what each commit added to its parent
};

inline constexpr size_t kReferencesMax = 100'000'000;

/// Thread-safe; blocks for the database and the disk.
class References {
 public:
  References(catalog::Database& database, store::Store& store) : database_(database), store_(store) {}

  /// Rooms whose own tables name blobs add a source when the program is put together, before the first sweep.
  void add_source(ReferenceSource source);
  void add_run_source(RunReferenceSource source);

  /// Keeps a blob or a tree for a thing without a table for it (a run's snapshot, a captured request) until released.
  /// Leases it first, so a blob that is not there is not_found. The same holder and name again replaces.
  Result<void> hold(const ProjectId& project, std::string_view holder_kind, std::string_view holder_id,
                    std::string_view name, const Hash& hash, bool is_tree);
  Result<void> release(std::string_view holder_kind, std::string_view holder_id);

  /// Everything named at this moment. What is named later was leased first (see store.h), so the sweep spares it too.
  Result<HashSet> collect(const Gone& gone = {});
  Result<bool> is_referenced(const Hash& hash);

  /// Collects, then sweeps.
  Result<store::SweepReport> sweep(bool dry_run);
  /// What a sweep would remove if these were gone; nothing is removed.
  Result<store::SweepReport> sweep_without(const Gone& gone);

  Result<Usage> usage(const ProjectId& project);

 private:
  catalog::Database& database_;
  store::Store& store_;
  Guarded<std::vector<RunReferenceSource>> sources_;
};

}  // namespace slipway::registry
