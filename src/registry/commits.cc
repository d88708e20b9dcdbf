// Commits: making them, finding them, and where two histories met.
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "domain/sample.h"
#include "registry/dataset_rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kInsertCommit =
    "INSERT INTO dataset_commits (id, dataset, parent_id, merged_id, tree, samples, declaration, metadata, message, author, created_at, "
    "sample_count, bytes, added_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kSelectParents = "SELECT parent_id, merged_id FROM dataset_commits WHERE id = ?";
constexpr std::int64_t kHistoryPageMax = 1'000;

Result<void> check_request(const NewCommit& request) {
  TRY(check_branch_name(request.branch));
  if (request.message.size() > kCommitMessageBytesMax || !is_utf8(request.message)) {
    return Error{ErrorCode::invalid_argument, fmt::format("the message has {} bytes; at most {} of text are taken",
                                                          request.message.size(), kCommitMessageBytesMax)};
  }
  for (const Json* json : {&request.declaration, &request.metadata}) {
    if (!json->is_null() && !json->is_object())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the declaration or metadata is a {}; expected an object", json->type_name())};
    if (json->render().size() > kDeclarationBytesMax)
      return Error{ErrorCode::too_large,
                   fmt::format("the declaration or metadata has over {} bytes", kDeclarationBytesMax)};
  }
  return {};
}

std::string object_text(const Json& json) { return json.is_object() ? json.render() : "{}"; }

/// Every blob the tree names is there and leased.
Result<void> check_blobs(store::Store& store, const Tree& tree) {
  std::vector<Hash> hashes;
  hashes.reserve(tree.entries.size());
  for (const TreeEntry& entry : tree.entries) hashes.push_back(entry.hash);
  const auto missing = TRY(store.missing(hashes));
  if (missing.empty()) return {};
  const auto entry = std::find_if(tree.entries.begin(), tree.entries.end(),
                                  [&](const TreeEntry& e) { return e.hash == missing.front(); });
  return Error{
      ErrorCode::failed_precondition,
      fmt::format("{} of the tree's blobs are not in the store, the first is {} of '{}'; upload them before the commit",
                  missing.size(), render(missing.front()), entry->path)};
}

/// Every stream's file is the one the tree has at its path. Answers how many samples there are.
Result<std::int64_t> check_samples(store::Store& store, const std::optional<Hash>& hash, const Tree& tree) {
  if (!hash) return std::int64_t{0};
  TRY(store.lease(*hash));
  const SampleTable table = TRY(SampleTable::parse(TRY(store.get(*hash, kTreeBytesMax)), true));
  for (size_t i = 0; i < table.size(); ++i) {
    const Sample sample = TRY(table.at(i));
    for (const auto& [name, file] : sample.streams) {
      const TreeEntry* entry = tree.find(file.path);
      if (entry != nullptr && entry->hash == file.hash && entry->size == file.size) continue;
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the sample '{}' says that its stream {} is {} at '{}', but the tree {}", sample.key,
                               name, render(file.hash), file.path,
                               entry == nullptr ? "has no such file" : "has " + render(entry->hash) + " there")};
    }
  }
  return static_cast<std::int64_t>(table.size());
}

/// Bytes of blobs that `before` does not name.
std::uint64_t added_bytes(const Tree& before, const Tree& after) {
  std::unordered_set<Hash> known;
  for (const TreeEntry& entry : before.entries) known.insert(entry.hash);
  std::uint64_t bytes = 0;
  for (const TreeEntry& entry : after.entries) {
    if (known.insert(entry.hash).second) bytes += entry.size;
  }
  return bytes;
}

/// The branch must be where the maker thinks it is.
Result<void> check_parent(const std::optional<Branch>& branch, const NewCommit& request, std::string_view dataset) {
  if (branch && !request.parent) {
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the branch {} of {} exists and is at {}; name that as the parent", request.branch,
                             dataset, branch->commit.text)};
  }
  if (branch && *request.parent != branch->commit) {
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the branch {} of {} has moved on to {} since {}; build upon that", request.branch,
                             dataset, branch->commit.text, request.parent->text)};
  }
  return {};
}

}  // namespace

Result<Tree> Datasets::tree(const Hash& hash) {
  auto tree = parse_tree(TRY(store_.get(hash, kTreeBytesMax)));
  if (!tree.ok()) return context(tree.error(), "while reading the tree " + render(hash));
  return tree;
}

Result<Commit> Datasets::commit(const ProjectId& project, std::string_view name, const NewCommit& request) {
  TRY(check_request(request));
  const Tree after = TRY(tree(request.tree));
  TRY(store_.lease(request.tree));
  TRY(check_blobs(store_, after));
  const std::int64_t sample_count = TRY(check_samples(store_, request.samples, after));
  Tree before;
  if (request.parent) {
    // Its own commits only, found before the transaction because trees are large.
    before = TRY(tree(TRY(get_commit(project, name, request.parent->text)).tree));
  } else if (const auto there = get(project, name); !there.ok()) {
    if (there.error().code != ErrorCode::not_found) return there.error();
    const auto made = create(project, name, "");
    if (!made.ok() && made.error().code != ErrorCode::already_exists) return made.error();
  }
  const std::uint64_t added = added_bytes(before, after);
  const Time now = clock_.now();
  const CommitId id = new_id<CommitId>(clock_);
  auto made = database_.write_value(Durability::record, [&](Connection& c) -> Result<Commit> {
    const DatasetRow row = TRY(find_dataset(c, project, name));
    TRY(check_parent(TRY(find_branch(c, row.number, request.branch)), request, name));
    if (request.merged) TRY(find_commit(c, row, request.merged->text));
    TRY(c.run(kInsertCommit,
              {id.text, row.number, nullable(request.parent ? std::optional(request.parent->text) : std::nullopt),
               nullable(request.merged ? std::optional(request.merged->text) : std::nullopt), render(request.tree),
               nullable(request.samples ? std::optional(render(*request.samples)) : std::nullopt),
               object_text(request.declaration), object_text(request.metadata), request.message, request.author,
               now.micros, sample_count, static_cast<std::int64_t>(after.bytes()), static_cast<std::int64_t>(added)}));
    TRY(move_branch(c, row.number, request.branch, id, now, request.author, request.message));
    return TRY(find_commit(c, id)).value();
  });
  if (made.ok()) changed(project, name);
  return made;
}

Result<Commit> Datasets::get_commit(const ProjectId& project, std::string_view name, std::string_view ref) {
  return database_.read_value(
      [&](Connection& c) -> Result<Commit> { return find_commit(c, TRY(find_dataset(c, project, name)), ref); });
}

Result<Commit> Datasets::get_commit(const CommitId& id) {
  auto commit = TRY(database_.read_value([&](Connection& c) { return find_commit(c, id); }));
  if (!commit) return Error{ErrorCode::not_found, "there is no dataset commit " + clean_utf8(id.text, 100)};
  return std::move(*commit);
}

Result<Page<Commit>> Datasets::history(const ProjectId& project, std::string_view name, std::string_view ref,
                                       std::int64_t page_size, std::string_view page_token) {
  page_size = std::clamp<std::int64_t>(page_size, 1, kHistoryPageMax);
  return database_.read_value([&](Connection& c) -> Result<Page<Commit>> {
    Page<Commit> page;
    std::optional<Commit> commit =
        TRY(find_commit(c, TRY(find_dataset(c, project, name)), page_token.empty() ? ref : page_token));
    while (commit) {
      if (static_cast<std::int64_t>(page.items.size()) == page_size) {
        page.next_page_token = commit->id.text;
        break;
      }
      page.items.push_back(*commit);
      commit = commit->parent ? TRY(find_commit(c, *commit->parent)) : std::nullopt;
    }
    return page;
  });
}

Result<std::optional<CommitId>> Datasets::common_ancestor(const CommitId& left, const CommitId& right) {
  return database_.read_value([&](Connection& c) -> Result<std::optional<CommitId>> {
    // Two breadth-first walks that take turns; the first commit that the other walk has seen is the nearest.
    std::deque<CommitId> waiting[2] = {{left}, {right}};
    std::unordered_set<CommitId> seen[2];
    for (size_t steps = 0; !waiting[0].empty() || !waiting[1].empty(); ++steps) {
      if (steps > kHistoryMax)
        return Error{ErrorCode::too_large, fmt::format("the histories of {} and {} are longer than {} commits",
                                                       left.text, right.text, kHistoryMax)};
      const int side = waiting[steps % 2].empty() ? 1 - static_cast<int>(steps % 2) : static_cast<int>(steps % 2);
      const CommitId id = waiting[side].front();
      waiting[side].pop_front();
      if (!seen[side].insert(id).second) continue;
      if (seen[1 - side].contains(id)) return std::optional(id);
      TRY(c.run(kSelectParents, {id.text}, [&](const Row& row) {
        for (const int column : {0, 1}) {
          if (!row.is_null(column)) waiting[side].push_back(CommitId(row.text(column)));
        }
        return false;
      }));
    }
    return std::optional<CommitId>();
  });
}

}  // namespace slipway::registry
