#include "monitor/case_filter.h"

#include <gtest/gtest.h>

namespace slipway::monitor {
namespace {

struct Translated {
  std::string sql, error;
  catalog::Values values;
  FilterPlace place;
};

Translated translate(std::string_view text) {
  Translated out;
  auto sql = case_conditions(parse_filter(text).value(), out.values, &out.place);
  if (sql.ok())
    out.sql = *sql;
  else
    out.error = sql.error().message;
  return out;
}

TEST(CaseFilter, becomes_conditions_with_places_for_the_values) {
  const auto both = translate("label = '3' and confidence < 0.5");
  EXPECT_EQ(both.sql, " AND NULLIF(label, '') = ? AND confidence < ?");
  ASSERT_EQ(both.values.size(), 2u);
  EXPECT_EQ(std::get<std::string>(both.values[0]), "3");
  EXPECT_EQ(std::get<double>(both.values[1]), 0.5);
  EXPECT_EQ(translate("").sql, "");
}

TEST(CaseFilter, knows_lists_patterns_absence_and_times) {
  EXPECT_EQ(translate("reason IN ('error', 'drift')").sql, " AND reason IN (?, ?)");
  EXPECT_EQ(translate("error ILIKE '%shape%'").sql, " AND LOWER(NULLIF(error, '')) LIKE LOWER(?)");
  EXPECT_EQ(translate("label IS NULL").sql, " AND NULLIF(label, '') IS NULL");
  const auto since = translate("at >= '2026-03-01T10:00:00Z'");
  EXPECT_EQ(since.sql, " AND at >= ?");
  EXPECT_EQ(std::get<std::int64_t>(since.values[0]), 1'772'359'200'000'000);
}

TEST(CaseFilter, a_label_may_be_written_as_a_number) {
  const auto digit = translate("label != 3");
  EXPECT_EQ(digit.sql, " AND NULLIF(label, '') <> ?");
  EXPECT_EQ(std::get<std::string>(digit.values[0]), "3");
}

TEST(CaseFilter, says_what_is_wrong_and_where) {
  const auto near = translate("state = 'open' and confidense < 1");
  EXPECT_EQ(near.error, "cases have no 'confidense'; did you mean 'confidence'?");
  EXPECT_EQ(near.place.position, 19u);
  EXPECT_EQ(near.place.length, 10u);
  EXPECT_EQ(translate("confidence = 'high'").error,
            "'confidence' is compared with = here; expected =, !=, <, <=, > or >= and a number without quotes");
  EXPECT_EQ(translate("label > '3'").error,
            "'label' is compared with > here; expected =, !=, LIKE, ILIKE, IN or IS NULL");
  EXPECT_EQ(translate("at > 'yesterday'").error,
            "'at' is compared with > here; expected =, !=, <, <=, > or >= and a time such as '2026-03-01T10:00:00Z'");
  EXPECT_NE(translate("metrics.loss > 1").error.find("cases have no metrics"), std::string::npos);
}

}  // namespace
}  // namespace slipway::monitor
