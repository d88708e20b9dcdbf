#include "registry/references.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "domain/tree.h"
#include "registry/artifacts.h"
#include "registry/rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kSelectArtifacts = "SELECT hash FROM artifacts";
constexpr std::string_view kSelectOwnedArtifacts = "SELECT hash, owner_kind, owner_id FROM artifacts";
constexpr std::string_view kSelectCommits =
    "SELECT k.tree, k.samples FROM dataset_commits k JOIN datasets d ON d.number = k.dataset WHERE d.deleted_at IS NULL";
constexpr std::string_view kSelectHolds = "SELECT hash, is_tree FROM blob_holds";
constexpr std::string_view kUpsertHold =
    "INSERT INTO blob_holds (holder_kind, holder_id, name, project_id, hash, is_tree) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (holder_kind, holder_id, name) DO UPDATE SET hash = excluded.hash, is_tree = excluded.is_tree";
constexpr std::string_view kDeleteHolds = "DELETE FROM blob_holds WHERE holder_kind = ? AND holder_id = ?";
constexpr std::string_view kSumArtifacts =
    "SELECT SUM(size) FROM (SELECT DISTINCT hash, size FROM artifacts WHERE project_id = ?) AS blobs";
constexpr std::string_view kSumCommits =
    "SELECT SUM(k.added_bytes) FROM dataset_commits k JOIN datasets d ON d.number = k.dataset WHERE d.project_id = ? AND d.deleted_at IS NULL";

constexpr std::uint64_t kTreeTextBytesMax = 2ull << 30;

bool owns_nothing(const Gone& gone, std::string_view kind, std::string_view id) {
  if (kind == name(OwnerKind::run)) return gone.has_run(id);
  return kind == name(OwnerKind::logged_model) && gone.logged_models.contains(std::string(id));
}

Result<void> visit_own(Connection& c, const ReferenceVisitor& visit, const Gone& gone) {
  TRY(c.run(gone.is_empty() ? kSelectArtifacts : kSelectOwnedArtifacts, {}, [&](const Row& row) {
    if (gone.is_empty() || !owns_nothing(gone, row.text(1), row.text(2))) visit(hash_of_row(row, 0), false);
    return true;
  }));
  TRY(c.run(kSelectCommits, {}, [&](const Row& row) {
    visit(hash_of_row(row, 0), true);
    if (!row.is_null(1)) visit(hash_of_row(row, 1), false);
    return true;
  }));
  TRY(c.run(kSelectHolds, {}, [&](const Row& row) {
    visit(hash_of_row(row, 0), row.integer(1) != 0);
    return true;
  }));
  return {};
}

}  // namespace

HashSet::HashSet(std::vector<Hash> hashes) : hashes_(std::move(hashes)) {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

bool HashSet::contains(const Hash& hash) const { return std::binary_search(hashes_.begin(), hashes_.end(), hash); }

void References::add_source(ReferenceSource source) {
  add_run_source([source = std::move(source)](const ReferenceVisitor& visit, const Gone&) { return source(visit); });
}

void References::add_run_source(RunReferenceSource source) { sources_.lock()->push_back(std::move(source)); }

Result<void> References::hold(const ProjectId& project, std::string_view holder_kind, std::string_view holder_id,
                              std::string_view name, const Hash& hash, bool is_tree) {
  TRY(store_.lease(hash));
  return database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(c.run(kUpsertHold, {std::string(holder_kind), std::string(holder_id), std::string(name), project.text,
                            render(hash), std::int64_t{is_tree}}));
    return {};
  });
}

Result<void> References::release(std::string_view holder_kind, std::string_view holder_id) {
  return database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(c.run(kDeleteHolds, {std::string(holder_kind), std::string(holder_id)}));
    return {};
  });
}

Result<HashSet> References::collect(const Gone& gone) {
  std::vector<Hash> hashes;
  std::set<Hash> trees;
  const ReferenceVisitor visit = [&](const Hash& hash, bool is_tree) {
    hashes.push_back(hash);
    if (is_tree) trees.insert(hash);
  };
  TRY(database_.read([&](Connection& c) { return visit_own(c, visit, gone); }));
  const std::vector<RunReferenceSource> sources = *sources_.lock();
  for (const RunReferenceSource& source : sources) TRY(source(visit, gone));
  for (const Hash& hash : trees) {
    // A tree that cannot be read stops the sweep: what it names would be taken.
    const auto tree = parse_tree(TRY(store_.get(hash, kTreeTextBytesMax)));
    if (!tree.ok())
      return context(tree.error(), "while reading the tree " + render(hash) + ", so nothing can be swept");
    for (const TreeEntry& entry : tree->entries) hashes.push_back(entry.hash);
    if (hashes.size() > kReferencesMax)
      return Error{ErrorCode::too_large,
                   fmt::format("more than {} references to blobs; a sweep cannot hold them", kReferencesMax)};
  }
  return HashSet(std::move(hashes));
}

Result<bool> References::is_referenced(const Hash& hash) { return TRY(collect()).contains(hash); }

Result<store::SweepReport> References::sweep(bool dry_run) {
  const HashSet named = TRY(collect());
  return store_.sweep([&](const Hash& hash) -> Result<bool> { return named.contains(hash); }, dry_run);
}

Result<store::SweepReport> References::sweep_without(const Gone& gone) {
  const HashSet named = TRY(collect(gone));
  return store_.sweep([&](const Hash& hash) -> Result<bool> { return named.contains(hash); }, true);
}

Result<Usage> References::usage(const ProjectId& project) {
  return database_.read_value([&](Connection& c) -> Result<Usage> {
    const auto sum = [](const Row& row) { return static_cast<std::uint64_t>(row.integer(0)); };
    Usage usage;
    usage.artifact_bytes = TRY(c.first(kSumArtifacts, {project.text}, sum)).value_or(0);
    usage.dataset_bytes = TRY(c.first(kSumCommits, {project.text}, sum)).value_or(0);
    return usage;
  });
}

}  // namespace slipway::registry
