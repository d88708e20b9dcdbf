#include "registry/samples.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::registry {
namespace {

using Entries = std::map<std::string, TreeEntry>;

Entries entries_of(const Tree& tree) {
  Entries entries;
  for (const TreeEntry& entry : tree.entries) entries.emplace(entry.path, entry);
  return entries;
}

Tree tree_of(const Entries& entries) {
  Tree tree;
  for (const auto& [path, entry] : entries) tree.entries.push_back(entry);
  return tree;
}

void add_files(Entries& entries, const Sample& sample) {
  for (const auto& [name, file] : sample.streams)
    entries[file.path] = {file.path, file.hash, file.size, TreeEntryKind::file};
}

void remove_files(Entries& entries, const Sample& sample) {
  for (const auto& [name, file] : sample.streams) entries.erase(file.path);
}

/// Both sides' changes of files since `base`; a file that both changed differently is named.
Result<Tree> merge_trees(const Tree& base, const Tree& left, const Tree& right) {
  Entries merged = entries_of(left);
  const Entries before = entries_of(base);
  const TreeDiff theirs = slipway::diff(base, right);
  const auto take = [&](const std::string& path, const TreeEntry* was, const TreeEntry* is) -> Result<void> {
    const auto here = merged.find(path);
    const TreeEntry* ours = here == merged.end() ? nullptr : &here->second;
    const auto same = [](const TreeEntry* a, const TreeEntry* b) {
      return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
    };
    if (same(ours, is)) return {};
    if (!same(ours, was))
      return Error{ErrorCode::failed_precondition,
                   fmt::format("both sides changed the file '{}' differently; decide on one side and try again", path)};
    if (is == nullptr) {
      merged.erase(path);
    } else {
      merged[path] = *is;
    }
    return {};
  };
  for (const TreeEntry& entry : theirs.added) TRY(take(entry.path, nullptr, &entry));
  for (const TreeEntry& entry : theirs.removed) TRY(take(entry.path, &entry, nullptr));
  for (const TreeDiff::Change& change : theirs.changed) TRY(take(change.before.path, &change.before, &change.after));
  return tree_of(merged);
}

}  // namespace

// --- reading -------------------------------------------------------------------------------------------------------

Result<std::shared_ptr<const SampleTable>> Samples::table(const Commit& commit) {
  if (!commit.samples) return std::make_shared<const SampleTable>();
  {
    auto cache = cache_.lock();
    const auto found = std::find_if(cache->tables.begin(), cache->tables.end(),
                                    [&](const auto& entry) { return entry.first == *commit.samples; });
    if (found != cache->tables.end()) {
      cache->tables.splice(cache->tables.begin(), cache->tables, found);
      return found->second;
    }
  }
  auto parsed = SampleTable::parse(TRY(store_.get(*commit.samples, kSampleTableBytesMax)), false);
  if (!parsed.ok()) return context(parsed.error(), "while reading the samples of commit " + commit.id.text);
  auto table = std::make_shared<const SampleTable>(std::move(*parsed));
  const std::uint64_t bytes = table->text().size();
  if (bytes > kSampleCacheBytesMax) return table;
  auto cache = cache_.lock();
  cache->tables.emplace_front(*commit.samples, table);
  cache->bytes += bytes;
  while (cache->bytes > kSampleCacheBytesMax) {
    cache->bytes -= cache->tables.back().second->text().size();
    cache->tables.pop_back();
  }
  return table;
}

Result<SamplePage> Samples::list(const Commit& commit, std::string_view filter_text, std::int64_t page_size,
                                 std::string_view page_token) {
  const auto samples = TRY(table(commit));
  const Filter filter = TRY(parse_filter(filter_text));
  TRY(check_filter(filter, *samples));
  const size_t most = static_cast<size_t>(std::clamp<std::int64_t>(page_size, 1, kSamplePageMax));
  SamplePage page;
  const size_t first = page_token.empty() ? 0 : samples->lower_bound(page_token);
  if (filter.comparisons.empty()) {
    const size_t end = std::min(samples->size(), first + most);
    for (size_t i = first; i < end; ++i) page.items.push_back(TRY(samples->at(i)));
    if (end < samples->size()) page.next_page_token = samples->key(end);
    page.total = static_cast<std::int64_t>(samples->size());
    return page;
  }
  for (size_t i = 0; i < samples->size(); ++i) {
    Sample sample = TRY(samples->at(i));
    if (!matches(filter, sample)) continue;
    ++page.total;
    if (i < first || !page.next_page_token.empty()) continue;
    if (page.items.size() == most) {
      page.next_page_token = sample.key;
    } else {
      page.items.push_back(std::move(sample));
    }
  }
  return page;
}

Result<Sample> Samples::get(const Commit& commit, std::string_view key) {
  const auto samples = TRY(table(commit));
  auto sample = TRY(samples->find(key));
  if (!sample)
    return Error{ErrorCode::not_found, fmt::format("the commit {} of {} has no sample '{}'", commit.id.text,
                                                   commit.dataset, clean_utf8(key, 200))};
  return std::move(*sample);
}

Result<SampleChanges> Samples::diff(const Commit& from, const Commit& to, size_t most) {
  const auto before = TRY(table(from)), after = TRY(table(to));
  const SampleDiff found = slipway::diff(*before, *after);
  SampleChanges changes;
  changes.added_count = static_cast<std::int64_t>(found.added.size());
  changes.removed_count = static_cast<std::int64_t>(found.removed.size());
  changes.changed_count = static_cast<std::int64_t>(found.changed.size());
  for (size_t i = 0; i < std::min(most, found.added.size()); ++i)
    changes.added.push_back(TRY(after->at(found.added[i])));
  for (size_t i = 0; i < std::min(most, found.removed.size()); ++i)
    changes.removed.push_back(TRY(before->at(found.removed[i])));
  for (size_t i = 0; i < std::min(most, found.changed.size()); ++i) {
    auto old = TRY(before->at(found.changed[i].first));
    auto now = TRY(after->at(found.changed[i].second));
    changes.changed.push_back({std::move(old), std::move(now)});
  }
  return changes;
}

// --- making commits ------------------------------------------------------------------------------------------------

Result<Commit> Samples::edit(const ProjectId& project, std::string_view dataset, const SampleEdit& edit) {
  std::optional<Commit> before;
  for (const std::string* ref : {&edit.branch, &edit.from}) {
    if (before || ref->empty()) continue;
    auto found = datasets_.get_commit(project, dataset, *ref);
    if (found.ok()) {
      before = std::move(*found);
    } else if (found.error().code != ErrorCode::not_found) {
      return found.error();
    }
  }
  Entries files;
  std::map<std::string, Sample> samples;
  if (before) {
    files = entries_of(TRY(datasets_.tree(before->tree)));
    const auto old = TRY(table(*before));
    for (size_t i = 0; i < old->size(); ++i) samples.emplace(old->key(i), TRY(old->at(i)));
  }
  for (const std::string& key : edit.remove) {
    const auto found = samples.find(key);
    if (found == samples.end())
      return Error{ErrorCode::not_found, fmt::format("the branch {} of {} has no sample '{}' that could be removed",
                                                     edit.branch, dataset, clean_utf8(key, 200))};
    remove_files(files, found->second);
    samples.erase(found);
  }
  for (const Sample& sample : edit.put) {
    if (const auto found = samples.find(sample.key); found != samples.end()) remove_files(files, found->second);
    add_files(files, sample);
    samples[sample.key] = sample;
  }
  std::vector<Sample> list;
  for (auto& [key, sample] : samples) list.push_back(std::move(sample));
  const SampleTable made = TRY(SampleTable::make(std::move(list)));
  const std::string tree_text = render(tree_of(files));
  const std::vector<std::string_view> texts = {tree_text, made.text()};
  const auto blobs = TRY(store_.put_many(texts));
  return datasets_.commit(project, dataset,
                          {.branch = edit.branch,
                           .parent = before ? std::optional(before->id) : std::nullopt,
                           .merged = {},
                           .tree = blobs[0].hash,
                           .samples = blobs[1].hash,
                           .declaration = edit.declaration.is_null() && before ? before->declaration : edit.declaration,
                           .metadata = edit.metadata,
                           .message = edit.message,
                           .author = edit.author});
}

Result<Commit> Samples::merge(const ProjectId& project, std::string_view dataset, std::string_view from,
                              std::string_view into, std::string_view message, std::string_view author) {
  const Commit theirs = TRY(datasets_.get_commit(project, dataset, from));
  const Commit ours = TRY(datasets_.get_commit(project, dataset, into));
  const auto ancestor = TRY(datasets_.common_ancestor(ours.id, theirs.id));
  if (ancestor == theirs.id) return ours;  // has it all
  if (ancestor == ours.id) {
    TRY(datasets_.set_branch(project, dataset, into, theirs.id, ours.id, author, message));
    return theirs;
  }
  Tree base_tree;
  auto base_samples = std::make_shared<const SampleTable>();
  if (ancestor) {
    const Commit base = TRY(datasets_.get_commit(*ancestor));
    base_tree = TRY(datasets_.tree(base.tree));
    base_samples = TRY(table(base));
  }
  const SampleTable samples = TRY(slipway::merge(*base_samples, *TRY(table(ours)), *TRY(table(theirs))));
  const std::string tree_text =
      render(TRY(merge_trees(base_tree, TRY(datasets_.tree(ours.tree)), TRY(datasets_.tree(theirs.tree)))));
  const std::vector<std::string_view> texts = {tree_text, samples.text()};
  const auto blobs = TRY(store_.put_many(texts));
  return datasets_.commit(project, dataset,
                          {.branch = std::string(into),
                           .parent = ours.id,
                           .merged = theirs.id,
                           .tree = blobs[0].hash,
                           .samples = blobs[1].hash,
                           .declaration = ours.declaration,
                           .metadata = {},
                           .message = std::string(message),
                           .author = std::string(author)});
}

}  // namespace slipway::registry
