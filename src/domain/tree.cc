#include "domain/tree.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway {
namespace {

constexpr std::string_view kHeader = "slipway-tree 1\n";

char letter(TreeEntryKind kind) {
  switch (kind) {
    case TreeEntryKind::file: return 'f';
    case TreeEntryKind::executable: return 'x';
    case TreeEntryKind::link: return 'l';
  }
  return 'f';
}

std::string escape(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
    } else if (text.substr(i).starts_with("\\n")) {
      out += '\n';
      ++i;
    } else {
      return Error{ErrorCode::invalid_argument, "a tree's path contains a backslash"};
    }
  }
  return out;
}

Error malformed(size_t line, std::string_view why) {
  return Error{ErrorCode::invalid_argument, fmt::format("not a tree: line {} {}", line, why)};
}

Result<TreeEntry> parse_entry(std::string_view line, size_t number) {
  if (line.size() < 70 || line[1] != ' ' || line[66] != ' ') return malformed(number, "is not `kind hash size path`");
  TreeEntry entry;
  switch (line[0]) {
    case 'f': entry.kind = TreeEntryKind::file; break;
    case 'x': entry.kind = TreeEntryKind::executable; break;
    case 'l': entry.kind = TreeEntryKind::link; break;
    default: return malformed(number, "has a kind other than f, x or l");
  }
  entry.hash = TRY(parse_hash(line.substr(2, 64)));
  if (render(entry.hash) != line.substr(2, 64)) return malformed(number, "has a hash that is not in lower case");
  const std::string_view rest = line.substr(67);
  const size_t space = rest.find(' ');
  const auto size = parse_u64(rest.substr(0, space));
  if (space == std::string_view::npos || !size || std::to_string(*size) != rest.substr(0, space)) {
    return malformed(number, "has no size");
  }
  entry.size = *size;
  entry.path = TRY(unescape(rest.substr(space + 1)));
  TRY(check_relative_path(entry.path));
  return entry;
}

}  // namespace

const TreeEntry* Tree::find(std::string_view path) const {
  const auto at = std::lower_bound(entries.begin(), entries.end(), path,
                                   [](const TreeEntry& entry, std::string_view key) { return entry.path < key; });
  return at != entries.end() && at->path == path ? &*at : nullptr;
}

std::uint64_t Tree::bytes() const {
  std::uint64_t sum = 0;
  for (const TreeEntry& entry : entries) sum += entry.size;
  return sum;
}

std::string render(Tree tree) {
  std::sort(tree.entries.begin(), tree.entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
  std::string text(kHeader);
  for (const TreeEntry& entry : tree.entries) {
    text += fmt::format("{} {} {} {}\n", letter(entry.kind), render(entry.hash), entry.size, escape(entry.path));
  }
  return text;
}

Result<Tree> parse_tree(std::string_view text) {
  if (!text.starts_with(kHeader)) {
    return Error{ErrorCode::invalid_argument, "not a tree: the first line is not `slipway-tree 1`"};
  }
  text.remove_prefix(kHeader.size());
  Tree tree;
  for (size_t number = 2; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return malformed(number, "is cut off");
    if (tree.entries.size() >= kTreeEntriesMax) return malformed(number, "is one entry too many (limit 10,000,000)");
    TreeEntry entry = TRY(parse_entry(text.substr(0, end), number));
    if (!tree.entries.empty()) {
      const std::string& before = tree.entries.back().path;
      if (entry.path <= before) return malformed(number, "is out of order or repeats a path");
    }
    tree.entries.push_back(std::move(entry));
    text.remove_prefix(end + 1);
  }
  // "a" and "a/b" need not be neighbours ("a-c" sorts between them), so every parent is looked up.
  for (const TreeEntry& entry : tree.entries) {
    for (size_t slash = entry.path.find('/'); slash != std::string::npos; slash = entry.path.find('/', slash + 1)) {
      if (tree.find(std::string_view(entry.path).substr(0, slash))) {
        return Error{ErrorCode::invalid_argument, fmt::format("not a tree: '{}' lies inside '{}', which is a file",
                                                              entry.path, entry.path.substr(0, slash))};
      }
    }
  }
  return tree;
}

TreeDiff diff(const Tree& from, const Tree& to) {
  TreeDiff result;
  auto left = from.entries.begin();
  auto right = to.entries.begin();
  while (left != from.entries.end() || right != to.entries.end()) {
    if (right == to.entries.end() || (left != from.entries.end() && left->path < right->path)) {
      result.removed.push_back(*left++);
    } else if (left == from.entries.end() || right->path < left->path) {
      result.added.push_back(*right++);
    } else {
      if (*left != *right) result.changed.push_back({*left, *right});
      ++left;
      ++right;
    }
  }
  return result;
}

}  // namespace slipway
