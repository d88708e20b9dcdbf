#include "inference/codec.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::inference {
namespace {

const Signature kSignature{{{"x", DataType::fp32, {-1, 2}}},
                           {{"y", DataType::fp32, {-1, 3}}, {"h", DataType::fp16, {-1}}}};

Result<InferRequest> decode(std::string body, std::optional<std::uint64_t> json_bytes = std::nullopt) {
  return decode_request(std::make_shared<const std::string>(std::move(body)), json_bytes, kSignature);
}

std::string refused(std::string body, std::optional<std::uint64_t> json_bytes = std::nullopt) {
  const auto request = decode(std::move(body), json_bytes);
  return request.ok() ? "accepted" : request.error().message;
}

std::vector<float> floats(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::string float_bytes(std::vector<float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TEST(Codec, data_may_be_flat_or_nested) {
  for (const char* data : {"[1,2,3,4.5]", "[[1,2],[3,4.5]]"}) {
    const auto request = decode(R"({"id":"7","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":)" +
                                std::string(data) + "}]}");
    ASSERT_TRUE(request.ok()) << request.error().message;
    EXPECT_EQ(floats(request->inputs[0].bytes), (std::vector<float>{1, 2, 3, 4.5}));
    EXPECT_EQ(request->id, "7");
  }
}

TEST(Codec, raw_tensors_follow_the_json_in_the_order_of_the_inputs) {
  const std::string json =
      R"({"inputs":[{"name":"a","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}},{"name":"b","shape":[1],"datatype":"UINT8","data":[3]},{"name":"c","shape":[2],"datatype":"UINT8","parameters":{"binary_data_size":2}}],"outputs":[{"name":"y","parameters":{"binary_data":true}},{"name":"h","parameters":{"classification":3}}]})";
  const auto request = decode(json + std::string("\7\0\0\0\0\0\0\0\1\2", 10), json.size());
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(request->inputs[0].bytes[0], 7);
  EXPECT_EQ(request->inputs[2].bytes, std::string_view("\1\2"));
  EXPECT_TRUE(request->outputs[0].binary);
  EXPECT_EQ(request->outputs[1].classification, 3u);
}

TEST(Codec, a_raw_body_takes_its_shape_from_the_signature) {
  const auto request = decode(float_bytes({1, 2, 3, 4}), 0);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->inputs[0].shape, (Shape{2, 2}));
  EXPECT_TRUE(request->binary_outputs);
}

TEST(Codec, bad_bodies_get_a_sentence) {
  EXPECT_EQ(refused("").substr(0, 26), "the body is not valid JSON");
  EXPECT_EQ(refused("{\"inputs\":").substr(0, 26), "the body is not valid JSON");
  EXPECT_EQ(refused(std::string(100, '[') + std::string(100, ']')).substr(0, 26), "the body is not valid JSON");
  EXPECT_EQ(refused("[]"), "the body must be a JSON object with 'inputs'");
  EXPECT_EQ(refused("{}"), "the request has no 'inputs'");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FLOAT","data":[1,2]}]})").substr(0, 47),
            "input 'x' has the unknown datatype 'FLOAT'; kno");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1]}]})"),
            "'data' of input 'x' has 1 values; its shape needs 2");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2,3]}]})"),
            "'data' of input 'x' has more values than its shape needs, which is 2");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,"two"]}]})"),
            "'data' of input 'x' holds \"two\" at position 1, which is no FP32");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1e300]}]})"),
            "'data' of input 'x' holds 1e+300 at position 0, which is no FP32");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1],"datatype":"UINT8","data":[256]}]})"),
            "'data' of input 'x' holds 256 at position 0, which is no UINT8");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]})").substr(0, 26),
            "the body is not valid JSON");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1000000,1000000],"datatype":"FP32","data":[1]}]})"),
            "'data' of input 'x' has 1 values; its shape needs 1000000000000");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[-1,2],"datatype":"FP32","data":[1]}]})"),
            "the shape of input 'x' holds something that is no size");
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP16","data":[1]}]})"),
            "'data' of input 'x' cannot be FP16: JSON has no such numbers; send this input as binary data");
  EXPECT_EQ(refused("{}", 5), "Inference-Header-Content-Length is 5, but the body has only 2 bytes");
  const std::string json =
      R"({"inputs":[{"name":"x","shape":[1],"datatype":"UINT8","parameters":{"binary_data_size":3}}]})";
  EXPECT_EQ(refused(json + "ab", json.size()), "input 'x' claims 3 bytes of binary data and 2 are left in the body");
  EXPECT_EQ(refused(json + "abcd", json.size()),
            "the body has 1 bytes that no input claims; check binary_data_size and Inference-Header-Content-Length");
  EXPECT_EQ(refused(json),
            "input 'x' claims binary data, but the request has no header Inference-Header-Content-Length");
}

TEST(Codec, a_request_is_encoded_and_decoded) {
  InferRequest request;
  request.id = "a\"b";
  request.inputs.push_back(Tensor::owning("x", DataType::fp32, {1, 2}, float_bytes({0.1f, -3e-20f})));
  request.inputs.push_back(Tensor::owning("t", DataType::bytes, {2}, std::string("\1\0\0\0z\0\0\0\0", 9)));
  request.outputs = {{"y", true, 0}, {"z", false, 2}};
  for (const bool binary : {false, true}) {
    auto encoded = encode_request(request, binary);
    ASSERT_TRUE(encoded.ok());
    const auto back = decode(encoded->bytes, encoded->json_bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->id, request.id);
    for (size_t i = 0; i < 2; ++i) EXPECT_EQ(back->inputs[i].bytes, request.inputs[i].bytes);
    EXPECT_TRUE(back->outputs[0].binary);
    EXPECT_EQ(back->outputs[1].classification, 2u);
  }
}

InferResponse response() {
  InferResponse made;
  made.model_name = "digits";
  made.model_version = "3";
  made.outputs.push_back(Tensor::owning("y", DataType::fp32, {1, 3}, float_bytes({0.5f, NAN, 2})));
  made.outputs.push_back(Tensor::owning("h", DataType::fp16, {1}, std::string("\0\x3c", 2)));
  made.labels = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"zero", "one", "two"});
  return made;
}

TEST(Codec, an_answer_is_written_as_json) {
  InferRequest request;
  request.outputs = {{"y", false, 0}};
  EXPECT_EQ(
      encode_response(request, response())->bytes,
      R"({"model_name":"digits","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[1,3],"data":[0.5,null,2]}]})");
}

TEST(Codec, the_answer_to_a_picture_says_the_class_too) {
  InferRequest request;
  request.outputs = {{"y", false, 0}};
  request.image_owner = std::make_shared<const std::string>("png");
  InferResponse answer = response();
  answer.answer = AnswerId("a");
  answer.statistics.predicted_class = 2;
  answer.statistics.confidence = 0.75;
  EXPECT_NE(
      encode_response(request, answer)
          ->bytes.find(
              R"("parameters":{"slipway_answer_id":"a","slipway_class":2,"slipway_confidence":0.75,"slipway_label":"two"})"),
      std::string::npos);
}

TEST(Codec, an_answer_is_written_with_raw_tensors) {
  InferRequest request;
  request.binary_outputs = true;
  const auto encoded = encode_response(request, response());
  ASSERT_TRUE(encoded.ok() && encoded->json_bytes);
  EXPECT_EQ(encoded->bytes.size(), *encoded->json_bytes + 12 + 2);
  EXPECT_EQ(floats(encoded->bytes.substr(*encoded->json_bytes, 12))[2], 2);
}

TEST(Codec, classification_gives_the_largest_with_index_and_label) {
  InferRequest request;
  request.outputs = {{"y", false, 2}};
  InferResponse answer = response();
  answer.outputs[0] = Tensor::owning("y", DataType::fp32, {2, 3}, float_bytes({0.5f, 0.25f, 2, 1, 0, 0}));
  EXPECT_NE(
      encode_response(request, answer)
          ->bytes.find(R"("datatype":"BYTES","shape":[2,2],"data":["2:2:two","0.5:0:zero","1:0:zero","0:1:one"])"),
      std::string::npos)
      << encode_response(request, answer)->bytes;
}

TEST(Codec, half_precision_as_json_is_refused_before_anything_runs) {
  InferRequest request;
  EXPECT_FALSE(check_outputs(kSignature, request).ok());
  request.outputs = {{"h", true, 0}};
  EXPECT_TRUE(check_outputs(kSignature, request).ok());
  request.outputs = {{"q", true, 0}};
  EXPECT_EQ(check_outputs(kSignature, request).error().message,
            "the model has no output 'q'; its outputs are 'y', 'h'");
}

}  // namespace
}  // namespace slipway::inference
