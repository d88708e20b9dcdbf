#include "inference/tensor.h"

#include <gtest/gtest.h>

namespace slipway::inference {
namespace {

Signature two_inputs() {
  return {{{"image", DataType::fp32, {-1, 2}}, {"name", DataType::bytes, {1}}}, {{"scores", DataType::fp32, {-1, 3}}}};
}

Tensor image(Shape shape, size_t bytes) {
  return Tensor::owning("image", DataType::fp32, shape, std::string(bytes, '\0'));
}
Tensor title() { return Tensor::owning("name", DataType::bytes, {1}, std::string("\3\0\0\0abc", 7)); }

TEST(Tensors, datatypes_are_rendered_and_parsed) {
  for (int i = 0; i <= static_cast<int>(DataType::bytes); ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(parse_data_type(name(type)), type);
  }
  EXPECT_FALSE(parse_data_type("FLOAT"));
}

TEST(Tensors, a_signature_is_rendered_and_parsed) {
  EXPECT_EQ(parse_signature(render(two_inputs())).value(), two_inputs());
  EXPECT_FALSE(parse_signature(Json::parse(R"({"inputs":[{"name":"x","datatype":"FP31","shape":[1]}]})").value()).ok());
}

TEST(Tensors, an_absurd_shape_has_no_count) {
  EXPECT_EQ(element_count({2, 3}), 6u);
  EXPECT_EQ(element_count({}), 1u);
  EXPECT_EQ(element_count({0, 1'000'000'000'000, 1'000'000'000'000}), std::nullopt);
  EXPECT_EQ(element_count({-1, 3}), std::nullopt);
  EXPECT_EQ(element_count({1'000'000, 1'000'000, 1'000'000, 1'000'000}), std::nullopt);
}

TEST(Tensors, inputs_are_put_into_the_order_of_the_signature) {
  std::vector<Tensor> inputs = {title(), image({4, 2}, 32)};
  ASSERT_TRUE(check_inputs(two_inputs(), inputs).ok());
  EXPECT_EQ(inputs[0].name, "image");
}

TEST(Tensors, a_wrong_input_is_refused_naming_tensor_found_and_expected) {
  const auto refused = [](std::vector<Tensor> inputs) {
    const auto checked = check_inputs(two_inputs(), inputs);
    EXPECT_FALSE(checked.ok());
    return checked.ok() ? "" : checked.error().message;
  };
  EXPECT_EQ(refused({image({1, 3}, 12), title()}),
            "input 'image' has shape [1,3]; the model expects [-1,2] (-1: any size)");
  EXPECT_EQ(refused({image({1, 2}, 9), title()}), "input 'image' carries 9 bytes; FP32 of shape [1,2] needs 8");
  EXPECT_EQ(refused({image({1, 2}, 8)}), "input 'name' is missing; the model expects 'image', 'name'");
  Tensor slip = image({1, 2}, 8);
  slip.name = "imgae";
  EXPECT_EQ(refused({slip, title()}),
            "the model has no input 'imgae'; did you mean 'image'? Its inputs are 'image', 'name'");
  Tensor typed = image({1, 2}, 8);
  typed.type = DataType::fp64;
  EXPECT_EQ(refused({typed, title()}), "input 'image' has datatype FP64; the model expects FP32");
  EXPECT_EQ(refused({image({1, 2}, 8), title(), title()}), "input 'name' is given twice");
}

TEST(Tensors, bytes_elements_must_fit_their_lengths) {
  EXPECT_EQ(split_bytes_elements(std::string_view("\1\0\0\0a\0\0\0\0", 9), 2, "x")->at(0), "a");
  EXPECT_FALSE(split_bytes_elements(std::string_view("\2\0\0\0a", 5), 1, "x").ok());
  EXPECT_FALSE(split_bytes_elements(std::string_view("\1\0", 2), 1, "x").ok());
  EXPECT_FALSE(split_bytes_elements(std::string_view("\1\0\0\0a", 5), 2, "x").ok());
}

}  // namespace
}  // namespace slipway::inference
