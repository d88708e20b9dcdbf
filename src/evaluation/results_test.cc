#include "evaluation/results.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::evaluation {
namespace {

SampleResult sample(int number, bool right, double brightness) {
  SampleResult made;
  made.key = "s" + std::to_string(1000 + number);
  made.label = std::to_string(number % 3);
  made.prediction = right ? made.label : "9";
  made.confidence = 0.8;
  made.score = right ? 1 : 0;
  made.statistics["input_mean"] = brightness;
  made.attributes["brightness"] = brightness;
  made.attributes["site"] = number % 2 ? std::string("north") : std::string("it's south");
  return made;
}

class ResultsTest : public testing::Test {
 protected:
  Results open(const std::vector<SampleResult>& results, const std::string& file) {
    const auto path = folder.path() / file;
    const auto written = write_parquet(path, results);
    EXPECT_TRUE(written.ok()) << written.error().message;
    return std::move(Results::open(path).value());
  }
  std::int64_t count(Results& results, std::string_view filter) {
    return results.count(results.understand(filter).value()).value();
  }

  std::vector<SampleResult> hundred(int wrong_every) {
    std::vector<SampleResult> made;
    for (int i = 0; i < 100; ++i) made.push_back(sample(i, i % wrong_every != 0, i / 100.0));
    return made;
  }

  TemporaryDirectory folder;
};

TEST_F(ResultsTest, are_read_back_as_they_were_written) {
  Results results = open({sample(1, true, 0.25)}, "r.parquet");
  const auto back = results.samples(results.understand("").value(), "", 10).value();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].key, "s1001");
  EXPECT_EQ(back[0].score, 1);
  EXPECT_EQ(std::get<double>(back[0].attributes.at("brightness")), 0.25);
  EXPECT_EQ(std::get<std::string>(back[0].attributes.at("site")), "north");
  EXPECT_EQ(back[0].statistics.at("input_mean"), 0.25);
}

TEST_F(ResultsTest, slices_are_queries_over_attributes_and_results) {
  Results results = open(hundred(10), "r.parquet");
  EXPECT_EQ(count(results, ""), 100);
  EXPECT_EQ(count(results, "brightness < 0.2"), 20);
  EXPECT_EQ(count(results, "correct = 0"), 10);
  EXPECT_EQ(count(results, "label = '1' and site = 'north'"), 17);
  EXPECT_EQ(count(results, "label = 1"), 33);
  EXPECT_EQ(count(results, "site LIKE 'it''s%'"), 50);
  EXPECT_EQ(count(results, "label IN ('0', '2')"), 67);
}

TEST_F(ResultsTest, an_unknown_word_is_named_with_its_neighbour) {
  Results results = open(hundred(10), "r.parquet");
  const auto wrong = results.understand("brightnes < 0.2");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("did you mean 'brightness'"), std::string::npos) << wrong.error().message;
  EXPECT_FALSE(results.understand("brightness = 'dark'").ok());
  EXPECT_FALSE(results.understand("1=1; DROP TABLE results").ok());
}

TEST_F(ResultsTest, a_score_of_rights_and_wrongs_is_a_share) {
  Results results = open(hundred(10), "r.parquet");
  const Interval all = results.score(results.understand("").value()).value();
  EXPECT_DOUBLE_EQ(all.value, 0.9);
  EXPECT_EQ(all.n, 100);
  EXPECT_NEAR(all.low, 0.8256, 1e-3);
}

TEST_F(ResultsTest, pages_follow_the_key) {
  Results results = open(hundred(10), "r.parquet");
  const auto all = results.understand("").value();
  const auto first = results.samples(all, "", 60).value();
  const auto second = results.samples(all, first.back().key, 60).value();
  EXPECT_EQ(first.size(), 60u);
  EXPECT_EQ(second.size(), 40u);
  EXPECT_GT(second.front().key, first.back().key);
}

TEST_F(ResultsTest, are_compared_on_the_samples_both_have) {
  Results left = open(hundred(4), "left.parquet");
  auto better = hundred(20);
  better.push_back(sample(5000, false, 0.5));
  Results right = open(better, "right.parquet");
  const SliceComparison all = compare(left, right, "all", "", 0.01).value();
  EXPECT_EQ(all.left.n, 100);
  EXPECT_EQ(all.fixed, 20);
  EXPECT_EQ(all.broken, 0);
  EXPECT_EQ(all.verdict, Verdict::better);
  EXPECT_NEAR(all.difference.value, 0.2, 1e-12);
  EXPECT_EQ(compare(left, right, "dark", "brightness < 0.04", 0.01).value().verdict, Verdict::unclear);
}

TEST_F(ResultsTest, of_no_samples_are_empty_and_not_an_error) {
  Results results = open({}, "r.parquet");
  EXPECT_EQ(count(results, ""), 0);
  EXPECT_EQ(results.score(results.understand("").value()).value().n, 0);
}

}  // namespace
}  // namespace slipway::evaluation
