#include "domain/tree.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TreeEntry entry(std::string path, std::string_view content, TreeEntryKind kind = TreeEntryKind::file) {
  return {std::move(path), hash_of(content), content.size(), kind};
}

TEST(Tree, round_trip) {
  Tree tree{{entry("a", "1"), entry("b/c d", "22", TreeEntryKind::executable), entry("b/line\nbreak", ""),
             entry("l", "a", TreeEntryKind::link)}};
  const std::string text = render(tree);
  const auto again = parse_tree(text);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, tree);
  EXPECT_EQ(render(*again), text);
  EXPECT_EQ(again->bytes(), 4u);
  ASSERT_NE(again->find("b/c d"), nullptr);
  EXPECT_EQ(again->find("b"), nullptr);
}

TEST(Tree, the_order_of_reading_does_not_change_the_name) {
  EXPECT_EQ(render(Tree{{entry("b", "1"), entry("a", "2")}}), render(Tree{{entry("a", "2"), entry("b", "1")}}));
}

TEST(Tree, an_empty_folder_is_a_tree) { EXPECT_TRUE(parse_tree(render(Tree{}))->entries.empty()); }

TEST(Tree, bad_text_is_refused) {
  const std::string line = "f " + render(hash_of("x")) + " 1 ";
  for (const std::string& text :
       {std::string(), std::string("slipway-tree 2\n"), "slipway-tree 1\n" + line + "../up\n",
        "slipway-tree 1\n" + line + "/abs\n", "slipway-tree 1\n" + line + "b\n" + line + "a\n",
        "slipway-tree 1\n" + line + "a\n" + line + "a\n", "slipway-tree 1\n" + line + "a",
        "slipway-tree 1\n" + line + "a\\b\n", "slipway-tree 1\nq" + line.substr(1) + "a\n",
        "slipway-tree 1\n" + line + "a\n" + line + "a-c\n" + line + "a/b\n",
        std::string("slipway-tree 1\nf zz 1 a\n")}) {
    EXPECT_FALSE(parse_tree(text).ok()) << text;
  }
}

TEST(Tree, the_difference_names_exactly_what_was_added_removed_and_changed) {
  const Tree from{{entry("a", "1"), entry("b", "1"), entry("c", "1"), entry("d", "1")}};
  const Tree to{{entry("a", "1"), entry("b", "2"), entry("d", "1", TreeEntryKind::executable), entry("e", "1")}};
  const TreeDiff difference = diff(from, to);
  EXPECT_EQ(difference.added, std::vector<TreeEntry>{to.entries[3]});
  EXPECT_EQ(difference.removed, std::vector<TreeEntry>{from.entries[2]});
  const std::vector<TreeDiff::Change> changed = {{from.entries[1], to.entries[1]}, {from.entries[3], to.entries[2]}};
  EXPECT_EQ(difference.changed, changed);
  EXPECT_TRUE(diff(from, from).empty());
  EXPECT_EQ(diff(Tree{}, to).added, to.entries);
}

}  // namespace
}  // namespace slipway
