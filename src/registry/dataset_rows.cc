#include "registry/dataset_rows.h"

#include <fmt/format.h>

#include "base/text.h"
#include "domain/grammar.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Row;

constexpr std::string_view kSelectDataset =
    "SELECT number, id, project_id, name, description, created_at, updated_at FROM datasets "
    "WHERE project_id = ? AND name = ? AND deleted_at IS NULL";
constexpr std::string_view kSelectTags = "SELECT key, value FROM dataset_tags WHERE dataset = ? ORDER BY key";
constexpr std::string_view kSelectBranches =
    "SELECT name, commit_id, updated_at FROM dataset_branches WHERE dataset = ? ORDER BY name";
constexpr std::string_view kSelectBranch =
    "SELECT name, commit_id, updated_at FROM dataset_branches WHERE dataset = ? AND name = ?";
constexpr std::string_view kCountCommits = "SELECT COUNT(*) FROM dataset_commits WHERE dataset = ?";
constexpr std::string_view kSelectShown =
    "SELECT k.sample_count, k.bytes FROM dataset_commits k LEFT JOIN dataset_branches b "
    "ON b.dataset = k.dataset AND b.name = 'main' AND b.commit_id = k.id "
    "WHERE k.dataset = ? ORDER BY CASE WHEN b.name IS NULL THEN 1 ELSE 0 END, k.number DESC LIMIT 1";
constexpr std::string_view kSelectCommit =
    "SELECT k.id, d.id, d.name, k.parent_id, k.merged_id, k.tree, k.samples, k.declaration, k.metadata, k.message, k.author, "
    "k.created_at, k.sample_count, k.bytes FROM dataset_commits k JOIN datasets d ON d.number = k.dataset WHERE k.id = ?";
constexpr std::string_view kSelectIdsByPrefix =
    "SELECT id FROM dataset_commits WHERE dataset = ? AND id >= ? AND id < ? LIMIT 2";
constexpr std::string_view kUpsertBranch =
    "INSERT INTO dataset_branches (dataset, name, commit_id, updated_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (dataset, name) DO UPDATE SET commit_id = excluded.commit_id, updated_at = excluded.updated_at";
constexpr std::string_view kDeleteBranch = "DELETE FROM dataset_branches WHERE dataset = ? AND name = ?";
constexpr std::string_view kInsertMove =
    "INSERT INTO dataset_branch_moves (dataset, branch, from_commit, to_commit, at, member, reason) VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kTouch = "UPDATE datasets SET updated_at = ? WHERE number = ?";

constexpr size_t kCommitPrefixMin = 8;

Branch branch_of_row(const Row& row) { return {std::string(row.text(0)), CommitId(row.text(1)), Time{row.integer(2)}}; }

Json object_of(std::string_view text) {
  auto json = Json::parse(text);
  return json.ok() && json->is_object() ? std::move(*json) : Json(Json::Object{});
}

Commit commit_of_row(const Row& row) {
  Commit commit;
  commit.id = CommitId(row.text(0));
  commit.dataset_id = DatasetId(row.text(1));
  commit.dataset = row.text(2);
  if (const auto parent = row.maybe_text(3)) commit.parent = CommitId(*parent);
  if (const auto merged = row.maybe_text(4)) commit.merged = CommitId(*merged);
  commit.tree = hash_of_row(row, 5);
  if (!row.is_null(6)) commit.samples = hash_of_row(row, 6);
  commit.declaration = object_of(row.text(7));
  commit.metadata = object_of(row.text(8));
  commit.message = row.text(9);
  commit.author = row.text(10);
  commit.created_at = Time{row.integer(11)};
  commit.sample_count = row.integer(12);
  commit.bytes = static_cast<std::uint64_t>(row.integer(13));
  return commit;
}

catalog::Value id_or_null(const std::optional<CommitId>& id) {
  return id ? catalog::Value(id->text) : catalog::Value(nullptr);
}

}  // namespace

DatasetRow dataset_of_row(const Row& row) {
  Dataset dataset;
  dataset.id = DatasetId(row.text(1));
  dataset.project = ProjectId(row.text(2));
  dataset.name = row.text(3);
  dataset.description = row.text(4);
  dataset.created_at = Time{row.integer(5)};
  dataset.updated_at = Time{row.integer(6)};
  return {row.integer(0), std::move(dataset)};
}

Result<DatasetRow> find_dataset(Connection& c, const ProjectId& project, std::string_view name) {
  auto row = TRY(c.first(kSelectDataset, {project.text, clean_utf8(name)}, dataset_of_row));
  if (!row)
    return Error{ErrorCode::not_found,
                 fmt::format("there is no dataset '{}' in the project {}; `slipway data list` shows what there is",
                             clean_utf8(name, 200), project.text)};
  return std::move(*row);
}

Result<void> complete_dataset(Connection& c, DatasetRow& row) {
  row.dataset.tags = TRY(tags_of(c, kSelectTags, {row.number}));
  row.dataset.branches = TRY(c.rows(kSelectBranches, {row.number}, branch_of_row));
  row.dataset.commit_count =
      TRY(c.first(kCountCommits, {row.number}, [](const Row& r) { return r.integer(0); })).value_or(0);
  TRY(c.run(kSelectShown, {row.number}, [&](const Row& shown) {
    row.dataset.sample_count = shown.integer(0);
    row.dataset.bytes = static_cast<std::uint64_t>(shown.integer(1));
    return false;
  }));
  return {};
}

Result<std::optional<Commit>> find_commit(Connection& c, const CommitId& id) {
  return c.first(kSelectCommit, {clean_utf8(id.text)}, commit_of_row);
}

Result<Commit> find_commit(Connection& c, const DatasetRow& dataset, std::string_view ref) {
  CommitId id{clean_utf8(ref, 300)};
  if (const auto branch = TRY(find_branch(c, dataset.number, id.text))) {
    id = branch->commit;
  } else if (looks_like_id(id.text) && id.text.size() >= kCommitPrefixMin) {
    const auto ids = TRY(c.rows(kSelectIdsByPrefix, {dataset.number, id.text, id.text + "~"},
                                [](const Row& row) { return std::string(row.text(0)); }));
    if (ids.size() > 1)
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("'{}' begins the ids of several commits of {}; write more of it", id.text, dataset.dataset.name)};
    if (ids.size() == 1) id = CommitId(ids[0]);
  }
  auto commit = TRY(find_commit(c, id));
  if (commit && commit->dataset_id == dataset.dataset.id) return std::move(*commit);
  std::vector<std::string> names;
  for (const Branch& branch : TRY(c.rows(kSelectBranches, {dataset.number}, branch_of_row)))
    names.push_back(branch.name);
  const auto near = nearest(ref, names);
  return Error{ErrorCode::not_found, fmt::format("the dataset {} has neither a branch nor a commit '{}'{}",
                                                 dataset.dataset.name, clean_utf8(ref, 200),
                                                 near            ? "; did you mean " + *near + "?"
                                                 : names.empty() ? "; nothing was committed yet"
                                                                 : "; its branches are " + join(names, ", "))};
}

Result<std::optional<Branch>> find_branch(Connection& c, std::int64_t dataset, std::string_view name) {
  return c.first(kSelectBranch, {dataset, clean_utf8(name)}, branch_of_row);
}

Result<void> check_branch_name(std::string_view name) {
  if (check_grammar_name(name).ok()) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "'{}' cannot be the name of a branch; expected 1 to 128 letters, digits, '_', '-' and '.', beginning with a letter, digit or '_'",
          clean_utf8(name, 100))};
}

Result<void> move_branch(Connection& c, std::int64_t dataset, std::string_view branch,
                         const std::optional<CommitId>& to, Time now, std::string_view member,
                         std::string_view reason) {
  const std::string text(branch);
  const auto before = TRY(find_branch(c, dataset, branch));
  const std::optional<CommitId> from = before ? std::optional(before->commit) : std::nullopt;
  if (from == to) return {};
  if (to) {
    TRY(c.run(kUpsertBranch, {dataset, text, to->text, now.micros}));
  } else {
    TRY(c.run(kDeleteBranch, {dataset, text}));
  }
  TRY(c.run(kInsertMove,
            {dataset, text, id_or_null(from), id_or_null(to), now.micros, std::string(member), std::string(reason)}));
  TRY(c.run(kTouch, {now.micros, dataset}));
  return {};
}

}  // namespace slipway::registry
