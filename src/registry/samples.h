// Samples of a commit: pages, filters, differences, and commits made by changing some of them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/result.h"
#include "domain/sample.h"
#include "registry/datasets.h"

namespace slipway::registry {

struct SamplePage {
  std::vector<Sample> items;
  std::int64_t total = 0;       // that pass the filter
  std::string next_page_token;  // empty: that was all
};

/// Which samples were added, removed and changed, whole.
struct SampleChanges {
  struct Change {
    Sample before, after;
  };
  std::vector<Sample> added, removed;
  std::vector<Change> changed;
  std::int64_t added_count = 0, removed_count = 0, changed_count = 0;  // all, also those past the limit
};

/// A commit that differs from its branch by exactly these samples. The blobs of their streams are in the store already.
struct SampleEdit {
  std::string branch = "main";
  /// Where the branch begins when it does not exist yet; a branch or a commit. Empty: with nothing.
  std::string from = "main";
  std::vector<Sample> put;          // new, or in place of the one with the same key
  std::vector<std::string> remove;  // keys; one that is not there is not_found
  std::string message;
  std::string author;
  Json metadata;
  Json declaration;  // null: that of the commit before
};

inline constexpr std::uint64_t kSampleTableBytesMax = 2ull << 30;
inline constexpr std::uint64_t kSampleCacheBytesMax = 24ull << 20;  // larger tables are read each time
inline constexpr std::int64_t kSamplePageMax = 1'000;
inline constexpr size_t kSampleChangesMax = 1'000;  // of each kind in one answer

/// Thread-safe; blocks for the database and the disk.
class Samples {
 public:
  Samples(Datasets& datasets, store::Store& store) : datasets_(datasets), store_(store) {}

  /// The table of a commit; an empty one when it has none.
  Result<std::shared_ptr<const SampleTable>> table(const Commit& commit);
  /// In the order of keys. `filter` as in domain/sample.h.
  Result<SamplePage> list(const Commit& commit, std::string_view filter, std::int64_t page_size,
                          std::string_view page_token);
  Result<Sample> get(const Commit& commit, std::string_view key);
  Result<SampleChanges> diff(const Commit& from, const Commit& to, size_t most = kSampleChangesMax);

  Result<Commit> edit(const ProjectId& project, std::string_view dataset, const SampleEdit& edit);
  /// Brings what `from` (a branch or commit) has to the branch `into`: moves the branch when it only lies behind, else
  /// joins the changes of both since their common ancestor in a commit with two parents. Changes of the same sample on
  /// both sides are failed_precondition. Answers the commit where `into` is afterwards.
  Result<Commit> merge(const ProjectId& project, std::string_view dataset, std::string_view from, std::string_view into,
                       std::string_view message, std::string_view author);

 private:
  using TablePointer = std::shared_ptr<const SampleTable>;
  struct Cache {
    std::list<std::pair<Hash, TablePointer>> tables;  // most recently used first
    std::uint64_t bytes = 0;
  };

  Datasets& datasets_;
  store::Store& store_;
  Guarded<Cache> cache_;
};

}  // namespace slipway::registry
