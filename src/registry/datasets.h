// Datasets: named histories of trees. A commit never changes; a branch is a name that moves, and every move is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/ids.h"
#include "domain/tree.h"
#include "registry/models.h"
#include "registry/rows.h"
#include "store/store.h"

namespace slipway::registry {

struct Branch {
  std::string name;
  CommitId commit;
  Time updated_at;
};

struct Dataset {
  DatasetId id;
  ProjectId project;
  std::string name;
  std::string description;
  Tags tags;
  Time created_at, updated_at;
  std::vector<Branch> branches;   // sorted by name
  std::int64_t sample_count = 0;  // of the branch main, else of the newest commit
  std::uint64_t bytes = 0;        // likewise
  std::int64_t commit_count = 0;
};

struct Commit {
  CommitId id;
  DatasetId dataset_id;
  std::string dataset;
  std::optional<CommitId> parent;
  std::optional<CommitId> merged;  // the other parent, when this commit joined two histories
  Hash tree;                       // a blob that parse_tree() reads
  std::optional<Hash> samples;     // a blob that SampleTable (domain/sample.h) reads
  Json declaration;                // of slipway.yaml; an object
  Json metadata;                   // whatever its maker wants to say; an object
  std::string message;
  std::string author;
  Time created_at;
  std::int64_t sample_count = 0;
  std::uint64_t bytes = 0;
};

struct NewCommit {
  std::string branch = "main";
  /// What the maker built upon. When the branch has moved on meanwhile, the commit is refused with failed_precondition;
  /// nullopt only begins a branch (or a dataset).
  std::optional<CommitId> parent;
  std::optional<CommitId> merged;
  Hash tree;
  std::optional<Hash> samples;
  Json declaration;
  Json metadata;
  std::string message;
  std::string author;
};

struct BranchMove {
  Time at;
  std::string branch;
  std::optional<CommitId> from, to;
  std::string member, reason;
};

inline constexpr size_t kDatasetNameBytesMax = 128;
inline constexpr size_t kCommitMessageBytesMax = 64 << 10;
inline constexpr size_t kDeclarationBytesMax = 1 << 20;
inline constexpr std::uint64_t kTreeBytesMax = 2ull << 30;
inline constexpr size_t kBranchesMax = 10'000;
inline constexpr size_t kHistoryMax = 1'000'000;  // commits walked through at once

/// Thread-safe; blocks for the database and the disk. Every write ends with Event dataset_changed.
class Datasets {
 public:
  Datasets(catalog::Database& database, store::Store& store, const Clock& clock, EventSink* events)
      : database_(database), store_(store), clock_(clock), events_(events) {}

  Result<Dataset> create(const ProjectId& project, std::string_view name, std::string_view description);
  Result<Dataset> get(const ProjectId& project, std::string_view name);
  Result<Page<Dataset>> list(const ProjectId& project, std::int64_t page_size, std::string_view page_token);
  Result<Dataset> describe(const ProjectId& project, std::string_view name, std::string_view description);
  /// Its name is free again. Commits stay for those who ask what a run was trained on, but their blobs may go.
  Result<void> remove(const ProjectId& project, std::string_view name);

  /// Checks that the tree is one, that every blob it names is in the store (else failed_precondition) and that the
  /// samples' files are files of the tree; writes the commit and moves the branch to it. Makes the dataset when it does
  /// not exist and `parent` is not set.
  Result<Commit> commit(const ProjectId& project, std::string_view name, const NewCommit& request);
  /// `ref` is a branch, a commit's id, or the first eight or more characters of one.
  Result<Commit> get_commit(const ProjectId& project, std::string_view name, std::string_view ref);
  /// By its id alone, also of removed datasets: for lineage.
  Result<Commit> get_commit(const CommitId& id);
  /// From `ref` back to the root, along first parents, newest first.
  Result<Page<Commit>> history(const ProjectId& project, std::string_view name, std::string_view ref,
                               std::int64_t page_size, std::string_view page_token);
  /// The nearest commit from which both come; nullopt when they share none.
  Result<std::optional<CommitId>> common_ancestor(const CommitId& left, const CommitId& right);

  Result<std::vector<Branch>> branches(const ProjectId& project, std::string_view name);
  /// Moves or makes a branch. With `expected` set, only if it is there now (failed_precondition otherwise; an empty id
  /// means "does not exist yet").
  Result<Branch> set_branch(const ProjectId& project, std::string_view name, std::string_view branch,
                            const CommitId& commit, const std::optional<CommitId>& expected, std::string_view member,
                            std::string_view reason);
  Result<void> remove_branch(const ProjectId& project, std::string_view name, std::string_view branch,
                             std::string_view member);
  /// Newest first.
  Result<Page<BranchMove>> branch_history(const ProjectId& project, std::string_view name, std::string_view branch,
                                          std::int64_t page_size, std::string_view page_token);

  Result<void> set_tag(const ProjectId& project, std::string_view name, std::string_view key, std::string_view value);
  Result<void> remove_tag(const ProjectId& project, std::string_view name, std::string_view key);

  /// The tree of a commit, or any tree in the store.
  Result<Tree> tree(const Hash& hash);

 private:
  void changed(const ProjectId& project, std::string_view name);

  catalog::Database& database_;
  store::Store& store_;
  const Clock& clock_;
  EventSink* const events_;
};

}  // namespace slipway::registry
