// For the tests of this folder: one model in a real worker.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/file.h"
#include "inference/onnx_writer.h"
#include "serving/serving.h"

namespace slipway::api {

/// One model, `scale`, whose only version multiplies two numbers by ten.
class OneModel : public serving::ModelSource {
 public:
  explicit OneModel(const std::filesystem::path& folder) : file_(folder / "model.onnx") {
    EXPECT_TRUE(write_file_atomic(file_, inference::onnx::scaling_model(2, 10)).ok());
  }
  Result<std::int64_t> version(const ProjectId&, const Reference& reference) override {
    if (reference.name != "scale") return Error{ErrorCode::not_found, "there is no " + render(reference)};
    return 1;
  }
  Result<serving::ServedModel> fetch(const ProjectId&, const std::string&, std::int64_t) override {
    return serving::ServedModel{file_, {}, {}};
  }

 private:
  const std::filesystem::path file_;
};

inline void wait_until(const std::function<bool()>& is_so) {
  for (int i = 0; i < 600; ++i) {
    if (is_so()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  FAIL() << "waited 30 s in vain";
}

}  // namespace slipway::api
