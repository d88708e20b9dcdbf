// One version over many samples: what `slipway-worker evaluate` does on a node. Decodes each sample as serving would,
// runs the model, and writes one line of JSON per sample.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "inference/image.h"

namespace slipway::inference {

enum class EvaluationTask { classification, segmentation };
Result<EvaluationTask> parse_evaluation_task(std::string_view text);

struct EvaluateOptions {
  std::filesystem::path model;  // an ONNX file, or a folder with exactly one
  std::filesystem::path
      samples;  // lines {"key", "input", "label"?, "target"?}; input and target are paths below `data`
  std::filesystem::path data;
  std::filesystem::path
      out;  // lines {"key", "prediction", "confidence", "score", "statistics": {…}} or {"key", "error"}
  EvaluationTask task = EvaluationTask::classification;
  Json preprocess;                  // an ImageSpec's declaration, or null
  std::vector<std::string> labels;  // names of the classes; empty: their indices
  int threads = 1;
};

struct EvaluateReport {
  std::int64_t samples = 0, failed = 0;  // failed: the sample's input could not be read or run
  double score_mean = 0;                 // over the others
};

/// `progress` hears of every sample. The whole evaluation fails when the model does not load or the lines are wrong; a
/// single unreadable picture is a line with its error and score 0.
Result<EvaluateReport> evaluate(const EvaluateOptions& options,
                                const std::function<void(std::int64_t done, std::int64_t total)>& progress);

/// The mean over the classes present in either mask of intersection over union (Everingham et al. 2010); pixels of the
/// target with value 255 do not count. 1 when nothing is left to count. Both masks have one size.
double mean_iou(const std::vector<std::uint8_t>& predicted, const std::vector<std::uint8_t>& target);

}  // namespace slipway::inference
