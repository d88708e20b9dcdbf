#include "domain/sample.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

Sample sample(std::string key, std::string label = "3", double brightness = 0.5) {
  const std::string path = "images/" + key + ".png";
  return {key,
          {{"image", {path, hash_of(key), 10, "image/png", 28, 28}}},
          {{"brightness", brightness}, {"site", "lab"}, {"clean", true}},
          label};
}

std::vector<std::string> passing(std::string_view filter, const SampleTable& table) {
  std::vector<std::string> keys;
  const Filter parsed = parse_filter(filter).value();
  const auto checked = check_filter(parsed, table);
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  for (size_t i = 0; i < table.size(); ++i) {
    if (matches(parsed, table.at(i).value())) keys.push_back(table.key(i));
  }
  return keys;
}

TEST(SampleTable, round_trip) {
  Sample plain = sample("b/2");
  plain.label = nullptr;
  const SampleTable table = SampleTable::make({sample("c"), sample("a \"quoted\" key"), plain}).value();
  const SampleTable again = SampleTable::parse(table.text(), true).value();
  EXPECT_EQ(again.text(), table.text());
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again.key(0), "a \"quoted\" key");
  EXPECT_EQ(again.at(1).value(), plain);
  EXPECT_EQ(again.find("c").value(), sample("c"));
  EXPECT_EQ(again.find("bb").value(), std::nullopt);
  EXPECT_EQ(again.streams(), std::vector<std::string>{"image"});
  EXPECT_EQ(again.attributes(), (std::vector<std::string>{"brightness", "clean", "site"}));
  EXPECT_EQ(SampleTable().size(), 0u);
}

TEST(SampleTable, the_order_of_making_does_not_change_the_text) {
  EXPECT_EQ(SampleTable::make({sample("a"), sample("b")})->text(),
            SampleTable::make({sample("b"), sample("a")})->text());
}

TEST(SampleTable, bad_text_is_refused) {
  const std::string good = SampleTable::make({sample("a"), sample("b")})->text();
  const std::string header = good.substr(0, good.find('\n') + 1);
  const std::string line_a = to_json(sample("a")).render() + "\n", line_b = to_json(sample("b")).render() + "\n";
  for (const std::string& text :
       {std::string(), std::string("{}\n"), std::string("{\"slipway_samples\":2}\n"), header + line_b + line_a,
        header + line_a + line_a, header + line_a.substr(0, line_a.size() - 1), header + "{\"key\":\"x\"\n",
        header + "\n", header + "{\"key\":\"../x\"}\n", header + "{\"key\":\"x\",\"label\":[1]}\n",
        header + " " + line_a}) {
    EXPECT_FALSE(SampleTable::parse(text, true).ok()) << text;
  }
  EXPECT_FALSE(SampleTable::make({sample("a"), sample("a")}).ok());
  EXPECT_FALSE(SampleTable::make({sample("../a")}).ok());
}

TEST(SampleFilter, names_are_attributes_label_key_and_facts_of_files) {
  const SampleTable table =
      SampleTable::make({sample("a", "3", 0.1), sample("b", "7", 0.9), sample("c", "30", 0.5)}).value();
  EXPECT_EQ(passing("", table), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(passing("label = '3'", table), std::vector<std::string>{"a"});
  EXPECT_EQ(passing("label > 5", table), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(passing("label LIKE '3%' AND brightness < 0.2", table), std::vector<std::string>{"a"});
  EXPECT_EQ(passing("label IN ('7', '30')", table), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(passing("label NOT IN ('7', '30')", table), std::vector<std::string>{"a"});
  EXPECT_EQ(passing("key != 'a' AND site ILIKE 'LAB'", table), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(passing("image.width = 28 AND clean = 1", table), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(passing("label IS NULL", table), std::vector<std::string>());
}

TEST(SampleFilter, an_unknown_name_is_refused_with_the_nearest) {
  const SampleTable table = SampleTable::make({sample("a")}).value();
  const auto refused = check_filter(parse_filter("brightnes < 0.2").value(), table);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("did you mean brightness?"), std::string::npos);
  EXPECT_FALSE(check_filter(parse_filter("metrics.label = 1").value(), table).ok());
}

TEST(SampleFilter, what_a_sample_lacks_passes_only_is_null) {
  Sample other = sample("b");
  other.attributes.clear();
  const SampleTable table = SampleTable::make({sample("a"), other}).value();
  EXPECT_EQ(passing("brightness IS NULL", table), std::vector<std::string>{"b"});
  EXPECT_EQ(passing("brightness IS NOT NULL", table), std::vector<std::string>{"a"});
  EXPECT_EQ(passing("brightness != 7", table), std::vector<std::string>{"a"});
}

TEST(Like, patterns) {
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{
           {"%", ""}, {"a%", "abc"}, {"%c", "abc"}, {"a_c", "abc"}, {"%b%", "abc"}, {"a%b%c", "aXbYbc"}, {"", ""}}) {
    EXPECT_TRUE(like_matches(pattern, text, false)) << pattern;
  }
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{
           {"", "a"}, {"a", "A"}, {"_", ""}, {"a%b", "abc"}, {"%%x", "abc"}}) {
    EXPECT_FALSE(like_matches(pattern, text, false)) << pattern;
  }
  EXPECT_TRUE(like_matches("A%", "abc", true));
}

TEST(SampleDiff, names_exactly_what_was_added_removed_and_changed) {
  const SampleTable from = SampleTable::make({sample("a"), sample("b"), sample("c")}).value();
  const SampleTable to = SampleTable::make({sample("a"), sample("b", "9"), sample("d")}).value();
  const SampleDiff difference = diff(from, to);
  EXPECT_EQ(difference.added, std::vector<size_t>{2});
  EXPECT_EQ(difference.removed, std::vector<size_t>{2});
  EXPECT_EQ(difference.changed, (std::vector<std::pair<size_t, size_t>>{{1, 1}}));
  EXPECT_TRUE(diff(from, from).changed.empty());
}

TEST(SampleMerge, both_sides_changes_are_taken) {
  const SampleTable base = SampleTable::make({sample("a"), sample("b"), sample("c")}).value();
  const SampleTable left = SampleTable::make({sample("a", "9"), sample("b"), sample("c"), sample("l")}).value();
  const SampleTable right = SampleTable::make({sample("a"), sample("c"), sample("r")}).value();
  EXPECT_EQ(merge(base, left, right)->text(),
            SampleTable::make({sample("a", "9"), sample("c"), sample("l"), sample("r")})->text());
  EXPECT_EQ(merge(base, right, left)->text(), merge(base, left, right)->text());
  EXPECT_EQ(merge(base, base, base)->text(), base.text());
}

TEST(SampleMerge, a_sample_that_both_changed_is_named) {
  const SampleTable base = SampleTable::make({sample("a"), sample("b")}).value();
  const SampleTable left = SampleTable::make({sample("a", "1"), sample("b", "5")}).value();
  const SampleTable right = SampleTable::make({sample("b", "5")}).value();
  const auto refused = merge(base, left, right);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(refused.error().message.find("changed 1 samples"), std::string::npos);
}

}  // namespace
}  // namespace slipway
