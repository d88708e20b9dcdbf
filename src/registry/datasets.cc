#include "registry/datasets.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "domain/grammar.h"
#include "registry/dataset_rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kInsertDataset =
    "INSERT INTO datasets (id, project_id, name, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)";
constexpr std::string_view kSelectPage =
    "SELECT number, id, project_id, name, description, created_at, updated_at FROM datasets "
    "WHERE project_id = ? AND deleted_at IS NULL AND name > ? ORDER BY name LIMIT ?";
constexpr std::string_view kDescribe = "UPDATE datasets SET description = ?, updated_at = ? WHERE number = ?";
constexpr std::string_view kRemove = "UPDATE datasets SET deleted_at = ?, updated_at = ? WHERE number = ?";
constexpr std::string_view kUpsertTag =
    "INSERT INTO dataset_tags (dataset, key, value) VALUES (?, ?, ?) ON CONFLICT (dataset, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kDeleteTag = "DELETE FROM dataset_tags WHERE dataset = ? AND key = ?";
constexpr std::string_view kSelectMoves =
    "SELECT number, at, branch, from_commit, to_commit, member, reason FROM dataset_branch_moves "
    "WHERE dataset = ? AND branch = ? AND number < ? ORDER BY number DESC LIMIT ?";
constexpr std::int64_t kPageMax = 1'000;

Result<void> check_dataset_name(std::string_view name) {
  if (name.size() <= kDatasetNameBytesMax && check_grammar_name(name).ok()) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "'{}' cannot be the name of a dataset; expected 1 to {} letters, digits, '_', '-' and '.', beginning with a letter, digit or '_'",
          clean_utf8(name, 100), kDatasetNameBytesMax)};
}

}  // namespace

void Datasets::changed(const ProjectId& project, std::string_view name) {
  if (events_ != nullptr) events_->emit({EventKind::dataset_changed, project, std::string(name)});
}

Result<Dataset> Datasets::create(const ProjectId& project, std::string_view name, std::string_view description) {
  TRY(check_dataset_name(name));
  TRY(check_description(description));
  const Time now = clock_.now();
  const std::string id = new_id_text(clock_);
  auto made = database_.write_value(Durability::record, [&](Connection& c) -> Result<Dataset> {
    const auto done =
        c.run(kInsertDataset, {id, project.text, std::string(name), std::string(description), now.micros, now.micros});
    if (!done.ok() && done.error().code == ErrorCode::already_exists) {
      return Error{ErrorCode::already_exists, fmt::format("there is a dataset '{}' already", name)};
    }
    TRY(done);
    return TRY(find_dataset(c, project, name)).dataset;
  });
  if (made.ok()) changed(project, name);
  return made;
}

Result<Dataset> Datasets::get(const ProjectId& project, std::string_view name) {
  return database_.read_value([&](Connection& c) -> Result<Dataset> {
    DatasetRow row = TRY(find_dataset(c, project, name));
    TRY(complete_dataset(c, row));
    return row.dataset;
  });
}

Result<Page<Dataset>> Datasets::list(const ProjectId& project, std::int64_t page_size, std::string_view page_token) {
  page_size = std::clamp<std::int64_t>(page_size, 1, kPageMax);
  return database_.read_value([&](Connection& c) -> Result<Page<Dataset>> {
    Page<Dataset> page;
    for (DatasetRow& row :
         TRY(c.rows(kSelectPage, {project.text, clean_utf8(page_token), page_size + 1}, dataset_of_row))) {
      if (static_cast<std::int64_t>(page.items.size()) == page_size) {
        page.next_page_token = page.items.back().name;
        break;
      }
      TRY(complete_dataset(c, row));
      page.items.push_back(std::move(row.dataset));
    }
    return page;
  });
}

Result<Dataset> Datasets::describe(const ProjectId& project, std::string_view name, std::string_view description) {
  TRY(check_description(description));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const DatasetRow row = TRY(find_dataset(c, project, name));
    TRY(c.run(kDescribe, {std::string(description), now.micros, row.number}));
    return {};
  }));
  changed(project, name);
  return get(project, name);
}

Result<void> Datasets::remove(const ProjectId& project, std::string_view name) {
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const DatasetRow row = TRY(find_dataset(c, project, name));
    TRY(c.run(kRemove, {now.micros, now.micros, row.number}));
    return {};
  }));
  changed(project, name);
  return {};
}

// --- branches ------------------------------------------------------------------------------------------------------

Result<std::vector<Branch>> Datasets::branches(const ProjectId& project, std::string_view name) {
  return TRY(get(project, name)).branches;
}

Result<Branch> Datasets::set_branch(const ProjectId& project, std::string_view name, std::string_view branch,
                                    const CommitId& commit, const std::optional<CommitId>& expected,
                                    std::string_view member, std::string_view reason) {
  TRY(check_branch_name(branch));
  const Time now = clock_.now();
  auto moved = database_.write_value(Durability::record, [&](Connection& c) -> Result<Branch> {
    DatasetRow row = TRY(find_dataset(c, project, name));
    const Commit target = TRY(find_commit(c, row, commit.text));
    const auto before = TRY(find_branch(c, row.number, branch));
    const CommitId there = before ? before->commit : CommitId();
    if (expected && *expected != there) {
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the branch {} of {} {}; look at what changed and try again", branch, name,
                               before ? "is at " + there.text + " by now, not at " +
                                            (expected->empty() ? "nothing" : expected->text)
                                      : "does not exist, so it is not at " + expected->text)};
    }
    TRY(complete_dataset(c, row));
    if (!before && row.dataset.branches.size() >= kBranchesMax) {
      return Error{ErrorCode::too_large,
                   fmt::format("the dataset {} has {} branches; remove some first", name, kBranchesMax)};
    }
    TRY(move_branch(c, row.number, branch, target.id, now, member, reason));
    return TRY(find_branch(c, row.number, branch)).value();
  });
  if (moved.ok()) changed(project, name);
  return moved;
}

Result<void> Datasets::remove_branch(const ProjectId& project, std::string_view name, std::string_view branch,
                                     std::string_view member) {
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const DatasetRow row = TRY(find_dataset(c, project, name));
    if (!TRY(find_branch(c, row.number, branch))) {
      return Error{ErrorCode::not_found,
                   fmt::format("the dataset {} has no branch '{}'", name, clean_utf8(branch, 200))};
    }
    return move_branch(c, row.number, branch, std::nullopt, now, member, "the branch was removed");
  }));
  changed(project, name);
  return {};
}

Result<Page<BranchMove>> Datasets::branch_history(const ProjectId& project, std::string_view name,
                                                  std::string_view branch, std::int64_t page_size,
                                                  std::string_view page_token) {
  const std::int64_t before = page_token.empty() ? INT64_MAX : TRY(parse_position_token(page_token));
  page_size = std::clamp<std::int64_t>(page_size, 1, kPageMax);
  const auto commit_of = [](const Row& row, int column) {
    const auto text = row.maybe_text(column);
    return text ? std::optional(CommitId(*text)) : std::nullopt;
  };
  return database_.read_value([&](Connection& c) -> Result<Page<BranchMove>> {
    const DatasetRow row = TRY(find_dataset(c, project, name));
    Page<BranchMove> page;
    std::int64_t last = 0;
    TRY(c.run(kSelectMoves, {row.number, clean_utf8(branch), before, page_size + 1}, [&](const Row& move) {
      if (static_cast<std::int64_t>(page.items.size()) == page_size) {
        page.next_page_token = render_position_token(last);
        return false;
      }
      last = move.integer(0);
      page.items.push_back({Time{move.integer(1)}, std::string(move.text(2)), commit_of(move, 3), commit_of(move, 4),
                            std::string(move.text(5)), std::string(move.text(6))});
      return true;
    }));
    return page;
  });
}

// --- tags ----------------------------------------------------------------------------------------------------------

Result<void> Datasets::set_tag(const ProjectId& project, std::string_view name, std::string_view key,
                               std::string_view value) {
  TRY(check_registry_tag(key, value));
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    DatasetRow row = TRY(find_dataset(c, project, name));
    TRY(complete_dataset(c, row));
    if (row.dataset.tags.size() >= kRegistryTagsMax)
      return Error{ErrorCode::invalid_argument, fmt::format("a dataset may have at most {} tags", kRegistryTagsMax)};
    TRY(c.run(kUpsertTag, {row.number, std::string(key), std::string(value)}));
    return {};
  }));
  changed(project, name);
  return {};
}

Result<void> Datasets::remove_tag(const ProjectId& project, std::string_view name, std::string_view key) {
  TRY(check_registry_tag(key, ""));
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const DatasetRow row = TRY(find_dataset(c, project, name));
    TRY(c.run(kDeleteTag, {row.number, std::string(key)}));
    return {};
  }));
  changed(project, name);
  return {};
}

}  // namespace slipway::registry
