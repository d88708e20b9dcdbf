#include "inference/model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "inference/onnx_writer.h"
#include "inference/statistics.h"

// ONNX Runtime leaves a few bytes behind when a file is no model; they are not ours to free.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libonnxruntime"; }

namespace slipway::inference {
namespace {

struct ModelFile {
  explicit ModelFile(const std::string& bytes) : path(folder.path() / "model.onnx") {
    EXPECT_TRUE(write_file_atomic(path, bytes).ok());
  }
  TemporaryDirectory folder;
  std::filesystem::path path;
};

std::string float_bytes(std::vector<float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TEST(Model, says_what_it_takes_and_gives_and_runs) {
  const ModelFile file(onnx::scaling_model(3, 2));
  const auto model = Model::load(file.path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->signature(), (Signature{{{"x", DataType::fp32, {-1, 3}}}, {{"y", DataType::fp32, {-1, 3}}}}));
  const std::vector inputs = {Tensor::owning("x", DataType::fp32, {2, 3}, float_bytes({1, 2, 3, 4, 5, 6}))};
  const auto outputs = (*model)->run(inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.error().message;
  EXPECT_EQ((*outputs)[0].bytes, float_bytes({2, 4, 6, 8, 10, 12}));
  EXPECT_EQ((*outputs)[0].shape, (Shape{2, 3}));
}

TEST(Model, strings_go_through) {
  const ModelFile file(onnx::echo_strings_model());
  const auto model = Model::load(file.path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const std::string two("\3\0\0\0abc\0\0\0\0", 11);
  const std::vector inputs = {Tensor::owning("text", DataType::bytes, {2}, two)};
  EXPECT_EQ((*model)->run(inputs)->at(0).bytes, two);
  EXPECT_FALSE((*model)->signature().is_batchable());
}

TEST(Model, a_corrupt_file_is_the_callers_mistake) {
  for (std::string bytes : {std::string("not a model"), std::string(), onnx::scaling_model(3, 2).substr(0, 90)}) {
    const ModelFile file(bytes);
    const auto model = Model::load(file.path);
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(model.error().message.find("model.onnx"), std::string::npos) << model.error().message;
  }
  EXPECT_EQ(Model::load("/no/such/model.onnx").error().code, ErrorCode::not_found);
}

TEST(Model, zeros_fit_its_own_signature) {
  const ModelFile file(onnx::flatten_model(1, 2, 2));
  const auto model = Model::load(file.path);
  ASSERT_TRUE(model.ok());
  auto zeros = zero_inputs((*model)->signature());
  EXPECT_TRUE(check_inputs((*model)->signature(), zeros).ok());
  EXPECT_TRUE((*model)->run(zeros).ok());
}

TEST(Statistics, logits_become_a_confidence) {
  const Tensor input = Tensor::owning("x", DataType::fp32, {1, 4}, float_bytes({0, 0, 1, 1}));
  const TensorStatistics logits =
      statistics(input, Tensor::owning("y", DataType::fp32, {1, 2}, float_bytes({0, std::log(3.0f)})));
  EXPECT_NEAR(logits.confidence, 0.75, 1e-6);
  EXPECT_NEAR(logits.margin, 0.5, 1e-6);
  EXPECT_EQ(logits.predicted_class, 1);
  EXPECT_NEAR(logits.input_mean, 0.5, 1e-9);
  EXPECT_NEAR(logits.input_deviation, 0.5, 1e-9);
  const TensorStatistics distribution =
      statistics(input, Tensor::owning("y", DataType::fp32, {1, 2}, float_bytes({0.9f, 0.1f})));
  EXPECT_NEAR(distribution.confidence, 0.9, 1e-6);
  EXPECT_EQ(distribution.predicted_class, 0);
}

TEST(Statistics, a_mask_has_the_mean_confidence_of_its_pixels_and_no_class) {
  const Tensor input = Tensor::owning("x", DataType::uint8, {1, 1}, "\x10");
  const TensorStatistics mask =
      statistics(input, Tensor::owning("y", DataType::fp32, {1, 2, 1, 2}, float_bytes({0.8f, 0.4f, 0.2f, 0.6f})));
  EXPECT_NEAR(mask.confidence, 0.7, 1e-6);
  EXPECT_EQ(mask.predicted_class, -1);
  EXPECT_EQ(mask.input_mean, 16);
}

TEST(Statistics, a_regression_has_no_confidence) {
  const Tensor input = Tensor::owning("x", DataType::fp32, {1, 1}, float_bytes({1}));
  EXPECT_TRUE(std::isnan(statistics(input, Tensor::owning("y", DataType::fp32, {1, 1}, float_bytes({42}))).confidence));
  EXPECT_TRUE(
      std::isnan(statistics(input, Tensor::owning("y", DataType::bytes, {1}, std::string(4, '\0'))).output_mean));
}

}  // namespace
}  // namespace slipway::inference
