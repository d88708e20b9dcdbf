#include "domain/filter.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

FilterComparison only(std::string_view text) {
  const auto filter = parse_filter(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << (filter.ok() ? "" : filter.error().message);
  if (!filter.ok() || filter->comparisons.size() != 1) return {};
  return filter->comparisons[0];
}

TEST(Filter, entities_have_the_names_that_mlflow_clients_use) {
  for (const char* text : {"metrics.a < 1", "metric.a < 1", "METRICS.a<1"})
    EXPECT_EQ(only(text).entity, FilterEntity::metric) << text;
  for (const char* text : {"params.a = 'x'", "param.a='x'", "parameter.a = \"x\"", "parameters.a = 'x'"}) {
    EXPECT_EQ(only(text), (FilterComparison{FilterEntity::parameter, "a", FilterOperator::equal, std::string("x")}))
        << text;
  }
  EXPECT_EQ(only("status = 'RUNNING'").entity, FilterEntity::attribute);
  EXPECT_EQ(only("run.status = 'RUNNING'").key, "status");
}

TEST(Filter, keys_may_be_quoted_and_hold_anything) {
  EXPECT_EQ(only("metrics.`val loss/1.0` >= 0.5").key, "val loss/1.0");
  EXPECT_EQ(only("tags.\"a.b c\" LIKE '%x%'").key, "a.b c");
  EXPECT_EQ(only("params.a.b.c != 'it''s'").value, FilterValue(std::string("it's")));
  EXPECT_EQ(only("`run name` ilike 'x'").key, "run name");
}

TEST(Filter, an_unknown_entity_is_part_of_an_attribute) { EXPECT_EQ(only("weather.wind > 3").key, "weather.wind"); }

TEST(Filter, lists_and_null_are_comparisons) {
  EXPECT_EQ(only("run_id IN ('a', 'b')").value, FilterValue(std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(only("run_id not in ('a')").op, FilterOperator::not_in);
  EXPECT_EQ(only("tags.x IS NULL").op, FilterOperator::is_null);
  EXPECT_EQ(only("tags.x is not null").op, FilterOperator::is_not_null);
}

TEST(Filter, patterns_are_only_where_a_search_has_them) {
  const auto filter = parse_pattern_filter("name rlike '^a.*z$' AND tags.x RLIKE \"b+\"");
  ASSERT_TRUE(filter.ok()) << filter.error().message;
  EXPECT_EQ(filter->comparisons[0].op, FilterOperator::rlike);
  EXPECT_EQ(filter->comparisons[1].value, FilterValue(std::string("b+")));
  EXPECT_EQ(parse_pattern_filter(render(*filter)).value(), *filter);
  EXPECT_FALSE(parse_filter("name RLIKE 'a'").ok());
  EXPECT_EQ(only("tags.rlike = 'rlike'").key, "rlike");
}

TEST(Filter, what_is_rendered_parses_to_the_same) {
  for (const char* text :
       {"", "metrics.a < 1e-9 and params.`x``y` != 'it''s' AND run_id IN ('a','b') and tags.q is null"}) {
    const auto first = parse_filter(text);
    ASSERT_TRUE(first.ok()) << first.error().message;
    const auto second = parse_filter(render(*first));
    ASSERT_TRUE(second.ok()) << render(*first);
    EXPECT_EQ(*first, *second);
  }
}

TEST(Filter, bad_input_gets_a_sentence_and_a_place) {
  for (const char* text :
       {"metrics.", "metrics.a", "metrics.a <", "metrics.a < x", "metrics.a < 1 or b = 2", "a = 'x", "a in ()",
        "a in ('x'", "= 3", "a = 1 and", "a not 3", "a is 3", "metrics. `a` < 1", "metrics.a < 1 metrics.b < 2"}) {
    const auto filter = parse_filter(text);
    ASSERT_FALSE(filter.ok()) << text;
    EXPECT_EQ(filter.error().code, ErrorCode::invalid_argument) << text;
  }
  FilterPlace place;
  EXPECT_FALSE(parse_filter("metrics.a < word", &place).ok());
  EXPECT_EQ(place.position, 12u);
  EXPECT_EQ(place.length, 4u);
}

TEST(Filter, a_filter_has_limits) {
  EXPECT_EQ(parse_filter(std::string(kFilterBytesMax + 1, ' ')).error().code, ErrorCode::too_large);
  std::string many = "a = 1";
  for (size_t i = 0; i < kFilterComparisonsMax; ++i) many += " and a = 1";
  EXPECT_EQ(parse_filter(many).error().code, ErrorCode::too_large);
}

TEST(Order, an_order_term_ascends_unless_told_otherwise) {
  EXPECT_EQ(parse_order("metrics.`a b` DESC").value(), (OrderTerm{FilterEntity::metric, "a b", false}));
  EXPECT_EQ(parse_order("start_time").value(), (OrderTerm{FilterEntity::attribute, "start_time", true}));
  EXPECT_EQ(parse_order("tags.x asc").value(), (OrderTerm{FilterEntity::tag, "x", true}));
  EXPECT_FALSE(parse_order("a b c").ok());
  EXPECT_FALSE(parse_order("").ok());
}

}  // namespace
}  // namespace slipway
