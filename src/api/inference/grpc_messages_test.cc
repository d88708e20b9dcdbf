#include "api/inference/grpc_messages.h"

#include <gtest/gtest.h>

#include <cstring>

namespace slipway::api::oip {
namespace {

using ::inference::InferTensorContents;
using ::inference::ModelInferRequest;

/// A request with one input of two elements, as contents.
ModelInferRequest typed(const std::string& datatype, const std::function<void(InferTensorContents&)>& fill_in) {
  ModelInferRequest request;
  auto& input = *request.add_inputs();
  input.set_name("x");
  input.set_datatype(datatype);
  input.add_shape(2);
  fill_in(*input.mutable_contents());
  return request;
}

/// The bytes of the only input behind the JSON, or the sentence.
std::string raw(const ModelInferRequest& request) {
  const auto body = http_body(request);
  return body.ok() ? body->bytes.substr(*body->json_bytes) : body.error().message;
}

template <typename T>
std::string bytes(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

TEST(GrpcMessages, every_datatype_has_its_field_and_its_width) {
  const auto ints = [](InferTensorContents& to) { to.add_int_contents(-1), to.add_int_contents(2); };
  const auto uints = [](InferTensorContents& to) { to.add_uint_contents(1), to.add_uint_contents(200); };
  EXPECT_EQ(raw(typed("INT8", ints)), bytes<std::int8_t>({-1, 2}));
  EXPECT_EQ(raw(typed("INT16", ints)), bytes<std::int16_t>({-1, 2}));
  EXPECT_EQ(raw(typed("INT32", ints)), bytes<std::int32_t>({-1, 2}));
  EXPECT_EQ(raw(typed("UINT8", uints)), bytes<std::uint8_t>({1, 200}));
  EXPECT_EQ(raw(typed("UINT16", uints)), bytes<std::uint16_t>({1, 200}));
  EXPECT_EQ(raw(typed("UINT32", uints)), bytes<std::uint32_t>({1, 200}));
  EXPECT_EQ(raw(typed("INT64", [](auto& to) { to.add_int64_contents(INT64_MIN), to.add_int64_contents(1); })),
            bytes<std::int64_t>({INT64_MIN, 1}));
  EXPECT_EQ(raw(typed("UINT64", [](auto& to) { to.add_uint64_contents(UINT64_MAX), to.add_uint64_contents(1); })),
            bytes<std::uint64_t>({UINT64_MAX, 1}));
  EXPECT_EQ(raw(typed("FP32", [](auto& to) { to.add_fp32_contents(1.5f), to.add_fp32_contents(-2); })),
            bytes<float>({1.5f, -2}));
  EXPECT_EQ(raw(typed("FP64", [](auto& to) { to.add_fp64_contents(1e300), to.add_fp64_contents(-2); })),
            bytes<double>({1e300, -2}));
  EXPECT_EQ(raw(typed("BOOL", [](auto& to) { to.add_bool_contents(true), to.add_bool_contents(false); })),
            std::string("\1\0", 2));
  EXPECT_EQ(raw(typed("BYTES", [](auto& to) { to.add_bytes_contents("ab"), to.add_bytes_contents(""); })),
            std::string("\2\0\0\0ab\0\0\0\0", 10));
}

TEST(GrpcMessages, contents_that_cannot_be_meant_are_refused_with_the_reason) {
  EXPECT_EQ(raw(typed("INT8", [](auto& to) { to.add_int_contents(300); })), "input 'x' holds 300, which is no INT8");
  EXPECT_EQ(raw(typed("UINT16", [](auto& to) { to.add_uint_contents(65536); })),
            "input 'x' holds 65536, which is no UINT16");
  const char* const elsewhere = "and its contents are in the field of another datatype";
  EXPECT_NE(raw(typed("FP32", [](auto& to) { to.add_fp64_contents(1); })).find(elsewhere), std::string::npos);
  EXPECT_NE(raw(typed("FP32", [](auto& to) { to.add_fp32_contents(1), to.add_int_contents(1); })).find(elsewhere),
            std::string::npos);
  EXPECT_NE(raw(typed("BYTES", [](auto& to) { to.add_int_contents(1); })).find(elsewhere), std::string::npos);
  for (const char* half : {"FP16", "BF16"})
    EXPECT_NE(raw(typed(half, [](auto& to) { to.add_fp32_contents(1); })).find("send it in raw_input_contents"),
              std::string::npos);
}

TEST(GrpcMessages, parameters_travel_on_and_cannot_say_how_tensors_do) {
  ModelInferRequest request = typed("FP32", [](auto& to) { to.add_fp32_contents(1), to.add_fp32_contents(2); });
  auto& all = *request.mutable_parameters();
  all["timeout"].set_int64_param(5000);
  all["share"].set_double_param(0.5);
  all["many"].set_uint64_param(UINT64_MAX);
  all["lost"].set_double_param(std::numeric_limits<double>::infinity());
  all["empty"].Clear();
  all["binary_data_output"].set_bool_param(false);
  (*request.mutable_inputs(0)->mutable_parameters())["binary_data_size"].set_int64_param(1);
  const auto body = http_body(request);
  ASSERT_TRUE(body.ok()) << body.error().message;
  const Json json = Json::parse(body->bytes.substr(0, *body->json_bytes)).value();
  EXPECT_EQ(json["parameters"]["timeout"].integer(), 5000);
  EXPECT_EQ(json["parameters"]["share"].number(), 0.5);
  EXPECT_TRUE(json["parameters"]["lost"].is_null());
  EXPECT_EQ(json["parameters"]["binary_data_output"].boolean(), true);
  EXPECT_EQ(json["inputs"].array().at(0)["parameters"]["binary_data_size"].integer(), 8);
}

TEST(GrpcMessages, a_member_that_no_message_has_is_noticed) {
  ::inference::ServerMetadataResponse message;
  EXPECT_TRUE(fill(message, R"({"name":"slipway"})").ok());
  const auto unknown = fill(message, R"({"nickname":"slip"})");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace slipway::api::oip
