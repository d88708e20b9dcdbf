// A tree: an immutable directory, written as text that is itself a blob. The hash of that text is the tree's name, so
// two folders with the same files have the same name wherever they were read.
//
//   slipway-tree 1
//   f <64 hex digits> <size> images/0/17.png
//   x <64 hex digits> <size> tools/convert
//   l <64 hex digits> <size> latest            (a symbolic link; the blob holds its target)
//
// Entries are sorted by path, bytewise; paths are relative (check_relative_path) and appear once. A line break inside a
// path is written as the two characters \n (a backslash cannot stand in a path).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace slipway {

enum class TreeEntryKind { file, executable, link };

struct TreeEntry {
  std::string path;
  Hash hash;
  std::uint64_t size = 0;
  TreeEntryKind kind = TreeEntryKind::file;

  bool operator==(const TreeEntry&) const = default;
};

struct Tree {
  std::vector<TreeEntry> entries;  // sorted by path

  /// The entry of exactly this path, or nullptr.
  const TreeEntry* find(std::string_view path) const;
  std::uint64_t bytes() const;
  bool operator==(const Tree&) const = default;
};

inline constexpr size_t kTreeEntriesMax = 10'000'000;

/// Sorts the entries first, so the order in which a folder was read does not matter.
std::string render(Tree tree);
/// The inverse of render(). Text that render() would not have produced (unsorted, repeated or escaping paths, a file
/// where another entry needs a folder) is invalid_argument: one tree has one name.
Result<Tree> parse_tree(std::string_view text);

/// What has to be done to `from` to get `to`. Each list is sorted by path.
struct TreeDiff {
  struct Change {
    TreeEntry before, after;
    bool operator==(const Change&) const = default;
  };
  std::vector<TreeEntry> added, removed;
  std::vector<Change> changed;  // the same path with another hash or kind

  bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

TreeDiff diff(const Tree& from, const Tree& to);

}  // namespace slipway
