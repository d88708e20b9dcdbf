#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/clock.h"

namespace slipway {
namespace {

std::string again(std::string_view text) {
  const auto json = Json::parse(text);
  return json.ok() ? json.value().render() : "error: " + json.error().message;
}

TEST(Json, what_is_parsed_is_printed) {
  for (const char* text : {"null", "true", "[]", "{}", "[1,-2,3.5,\"x\",null,false]", R"({"b":1,"a":{"c":[{}]}})",
                           "9223372036854775807", "1e+300", "\"\\\"\\\\\\n\\r\\t\\u0001é🚢\""}) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(Json, keys_keep_their_order_and_the_last_of_a_repeated_one_counts) {
  EXPECT_EQ(again(R"({"z":1,"a":2,"z":3})"), R"({"z":3,"a":2})");
}

TEST(Json, broken_documents_are_refused_as_invalid_arguments) {
  for (const char* wrong : {"", " ", "{", "[1,]", "{\"a\" 1}", "{\"a\":1}x", "01", "nan", "'a'", "\"\xff\"", "\"a",
                            "[1e999999]", "{NaN:1}", "tru"}) {
    const auto json = Json::parse(wrong);
    ASSERT_FALSE(json.ok()) << wrong;
    EXPECT_EQ(json.error().code, ErrorCode::invalid_argument) << wrong;
  }
}

TEST(Json, nesting_has_a_limit) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(Json::parse(nested(kJsonDepthMax - 1)).ok());
  EXPECT_FALSE(Json::parse(nested(kJsonDepthMax + 2)).ok());
  EXPECT_FALSE(Json::parse(nested(1'000'000)).ok());
  EXPECT_FALSE(Json::parse("[NaN," + nested(100) + "]").ok());
}

TEST(Json, pythons_bare_numbers_are_doubles) {
  const Json json = Json::parse(R"({"a": NaN, "b": [Infinity, -Infinity], "c": "NaN \" Infinity"})").value();
  EXPECT_TRUE(std::isnan(json["a"].number().value()));
  EXPECT_EQ(json["b"].array()[0].number(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(json["b"].array()[1].number(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(json["c"].string(), "NaN \" Infinity");
}

TEST(Json, a_string_that_looks_like_our_mark_for_nan_stays_a_string) {
  for (const char* text : {"\\u0001slipway-number:abc", "number-00000000000000000000000000000000:NaN"}) {
    const Json json = Json::parse("[NaN, \"" + std::string(text) + "\"]").value();
    EXPECT_TRUE(json.array()[1].is_string());
  }
}

TEST(Json, numbers_keep_their_kind) {
  EXPECT_TRUE(Json::parse("1").value().is_integer());
  EXPECT_FALSE(Json::parse("1.0").value().is_integer());
  EXPECT_EQ(Json::parse("1.0").value().integer(), 1);
  EXPECT_EQ(Json::parse("1.5").value().integer(), std::nullopt);
  EXPECT_EQ(Json::parse("1e300").value().integer(), std::nullopt);
  EXPECT_EQ(Json::parse("18446744073709551615").value().number(), 18446744073709551615.0);
  EXPECT_EQ(Json(std::uint64_t{1} << 63).integer(), std::nullopt);
  EXPECT_EQ(again("2.0"), "2.0");
}

TEST(Json, escapes_become_the_characters_they_stand_for) {
  EXPECT_EQ(Json::parse(R"("\u0041\u00e9\u20ac\ud83d\udea2\/\b\f\u0000x")").value().string(),
            std::string("A\u00e9\u20ac\U0001F6A2/\b\f\0x", 15));
  for (const char* wrong : {R"("\ud83d")", R"("\udea2")", R"("\ud83d\u0041")", R"("\u12")", R"("\u12g4")", R"("\x")",
                            "\"a\nb\"", R"("\)"}) {
    EXPECT_FALSE(Json::parse(wrong).ok()) << wrong;
  }
}

TEST(Json, numbers_have_one_grammar) {
  for (const char* wrong : {"+1", ".5", "1.", "1e", "1e+", "-", "00", "-01", "0x1", "1_000", "18446744073709551616",
                            "-9223372036854775809", "--1", "-NaN"}) {
    EXPECT_FALSE(Json::parse(wrong).ok()) << wrong;
  }
  EXPECT_EQ(Json::parse("-9223372036854775808").value().integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Json::parse("1e-400").value().number(), 0.0);
  EXPECT_EQ(Json::parse(" -0.5E+1 ").value().number(), -5.0);
}

TEST(Json, an_error_says_where) {
  EXPECT_EQ(again(R"({"a": 1 "b": 2})"), "error: not valid JSON: expected ',' or '}' at byte 8");
}

TEST(Json, looking_for_what_is_not_there_is_harmless) {
  const Json json = Json::parse(R"({"a":[1]})").value();
  EXPECT_TRUE(json["b"]["c"].is_null());
  EXPECT_EQ(json.find("b"), nullptr);
  EXPECT_EQ(json["a"].string(), "");
  EXPECT_EQ(json["a"].object().size(), 0u);
  EXPECT_EQ(Json(5).array().size(), 0u);
  EXPECT_EQ(json["a"].boolean(), std::nullopt);
  EXPECT_STREQ(json["a"].type_name(), "array");
}

TEST(Json, set_and_push_build_a_document) {
  Json json;
  json.set("a", 1).set("b", Json::Array{}).set("a", "x");
  Json list;
  list.push(1).push(nullptr).push(true);
  json.set("b", list);
  EXPECT_EQ(json.render(), R"({"a":"x","b":[1,null,true]})");
}

TEST(Json, many_keys_cost_no_square_of_them) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  text += "}";
  const Time start = system_clock().steady();
  EXPECT_EQ(Json::parse(text).value().object().size(), 200'000u);
  EXPECT_LT(system_clock().steady() - start, std::chrono::seconds(10));
}

TEST(JsonWriter, places_the_commas) {
  JsonWriter json;
  json.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .value("x")
      .begin_object()
      .end_object()
      .null()
      .raw("[1]")
      .end_array();
  json.member("c", true).member("d", std::int64_t{-1}).member("e", 0.5).end_object();
  EXPECT_EQ(json.text(), R"({"a":1,"b":["x",{},null,[1]],"c":true,"d":-1,"e":0.5})");
  EXPECT_TRUE(Json::parse(json.text()).ok());
}

TEST(JsonWriter, repairs_text_and_names_what_is_no_number) {
  JsonWriter json;
  json.begin_array()
      .value("a\xff")
      .value(std::nan(""))
      .value(std::numeric_limits<double>::infinity())
      .value(std::string("\0", 1))
      .end_array();
  EXPECT_EQ(json.text(), "[\"a\xEF\xBF\xBD\",\"NaN\",\"Infinity\",\"\\u0000\"]");
}

}  // namespace
}  // namespace slipway
