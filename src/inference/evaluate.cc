#include "inference/evaluate.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/file.h"
#include "base/text.h"
#include "inference/model.h"
#include "inference/preprocess.h"
#include "inference/statistics.h"

namespace slipway::inference {
namespace {

constexpr std::uint64_t kSamplesBytesMax = 4ull << 30;
constexpr std::uint64_t kInputBytesMax = 256ull << 20;
constexpr std::uint8_t kIgnoredPixel = 255;

struct Sample {
  std::string key, input, label, target;
};

Result<std::vector<Sample>> read_samples(const std::filesystem::path& path) {
  const std::string text = TRY(read_file(path, kSamplesBytesMax));
  std::vector<Sample> samples;
  for (const std::string& line : split(text, '\n')) {
    if (trim(line).empty()) continue;
    const auto json = Json::parse(line);
    if (!json.ok()) return context(json.error(), fmt::format("in line {} of {}", samples.size() + 1, path.string()));
    Sample sample{(*json)["key"].string(), (*json)["input"].string(), (*json)["label"].string(),
                  (*json)["target"].string()};
    for (const std::string* file : {&sample.input, &sample.target}) {
      if (!file->empty()) TRY(check_relative_path(*file));
    }
    if (sample.key.empty() || sample.input.empty()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("line {} of {} has no 'key' or no 'input'", samples.size() + 1, path.string())};
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

Result<std::filesystem::path> find_model(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return path;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.path().extension() == ".onnx") found.push_back(entry.path());
  }
  if (found.size() == 1) return found[0];
  return Error{ErrorCode::invalid_argument,
               fmt::format("{} holds {} ONNX files; expected exactly one", path.string(), found.size())};
}

/// Index of the largest class of [1, classes, height, width], for each pixel.
Result<std::vector<std::uint8_t>> class_map(const Tensor& output, int height, int width) {
  const auto values = as_floats(output);
  const bool fits = values && output.shape.rank() == 4 && output.shape[0] == 1 && output.shape[1] >= 2 &&
                    output.shape[1] < kIgnoredPixel && output.shape[2] == height && output.shape[3] == width;
  if (!fits) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the output '{}' has shape {}; for segmentation it is [1, classes, {}, {}] like the mask",
                             output.name, render(output.shape), height, width)};
  }
  const auto classes = static_cast<size_t>(output.shape[1]),
             pixels = static_cast<size_t>(height) * static_cast<size_t>(width);
  std::vector<std::uint8_t> map(pixels, 0);
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    for (size_t c = 1; c < classes; ++c) {
      if ((*values)[c * pixels + pixel] > (*values)[map[pixel] * pixels + pixel])
        map[pixel] = static_cast<std::uint8_t>(c);
    }
  }
  return map;
}

class Evaluator {
 public:
  Evaluator(const EvaluateOptions& options, Model& model, ImageSpec spec)
      : options_(options), model_(model), spec_(std::move(spec)) {}

  Result<double> run(const Sample& sample, JsonWriter& line) {
    const std::string bytes = TRY(read_file(options_.data / sample.input, kInputBytesMax));
    std::vector<Tensor> inputs;
    inputs.push_back(TRY(image_to_tensor(bytes, spec_, model_.signature())));
    TRY(check_inputs(model_.signature(), inputs));
    const auto outputs = TRY(model_.run(inputs));
    const TensorStatistics figures = statistics(inputs[0], outputs[0]);
    std::string prediction;
    double score = 0;
    if (options_.task == EvaluationTask::classification) {
      prediction = class_name(figures.predicted_class);
      score = prediction == sample.label ? 1 : 0;
    } else {
      score = TRY(iou_of(sample, outputs[0]));
    }
    line.member("prediction", prediction).member("score", score);
    line.key("confidence");
    number(line, figures.confidence);
    write(line, figures);
    return score;
  }

 private:
  std::string class_name(std::int64_t index) const {
    if (index < 0) return "";
    return static_cast<size_t>(index) < options_.labels.size() ? options_.labels[static_cast<size_t>(index)]
                                                               : std::to_string(index);
  }

  Result<double> iou_of(const Sample& sample, const Tensor& output) const {
    if (sample.target.empty()) return Error{ErrorCode::invalid_argument, "the sample has no mask to compare with"};
    const Image mask = TRY(decode_mask(TRY(read_file(options_.data / sample.target, kInputBytesMax))));
    return mean_iou(TRY(class_map(output, mask.height, mask.width)), mask.pixels);
  }

  static void number(JsonWriter& line, double value) {
    if (std::isfinite(value)) {
      line.value(value);
    } else {
      line.null();
    }
  }

  static void write(JsonWriter& line, const TensorStatistics& figures) {
    line.key("statistics").begin_object();
    const std::pair<const char*, double> values[] = {{"input_mean", figures.input_mean},
                                                     {"input_deviation", figures.input_deviation},
                                                     {"confidence", figures.confidence},
                                                     {"margin", figures.margin}};
    for (const auto& [key, value] : values) {
      line.key(key);
      number(line, value);
    }
    if (figures.predicted_class >= 0) line.member("predicted_class", figures.predicted_class);
    line.end_object();
  }

  const EvaluateOptions& options_;
  Model& model_;
  const ImageSpec spec_;
};

}  // namespace

Result<EvaluationTask> parse_evaluation_task(std::string_view text) {
  if (text == "classification") return EvaluationTask::classification;
  if (text == "segmentation") return EvaluationTask::segmentation;
  return Error{ErrorCode::invalid_argument,
               "the task '" + clean_utf8(text, 60) + "' is not known; expected classification or segmentation"};
}

double mean_iou(const std::vector<std::uint8_t>& predicted, const std::vector<std::uint8_t>& target) {
  std::array<std::int64_t, 256> both{}, either{};
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == kIgnoredPixel) continue;
    if (predicted[i] == target[i]) {
      ++both[target[i]];
      ++either[target[i]];
    } else {
      ++either[target[i]];
      ++either[predicted[i]];
    }
  }
  double sum = 0;
  int present = 0;
  for (size_t c = 0; c < either.size(); ++c) {
    if (either[c] == 0) continue;
    sum += static_cast<double>(both[c]) / static_cast<double>(either[c]);
    ++present;
  }
  return present == 0 ? 1 : sum / present;
}

Result<EvaluateReport> evaluate(const EvaluateOptions& options,
                                const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const std::vector<Sample> samples = TRY(read_samples(options.samples));
  const auto model = TRY(Model::load(TRY(find_model(options.model)), {.threads = options.threads}));
  Evaluator evaluator(options, *model, TRY(parse_image_spec(options.preprocess, model->signature())));
  EvaluateReport report;
  std::string out;
  double sum = 0;
  for (const Sample& sample : samples) {
    JsonWriter line;
    line.begin_object().member("key", sample.key);
    const auto score = evaluator.run(sample, line);
    ++report.samples;
    if (score.ok()) {
      sum += *score;
      out += line.end_object().take() + "\n";
    } else {
      ++report.failed;
      JsonWriter failed;
      failed.begin_object()
          .member("key", sample.key)
          .member("error", score.error().message)
          .member("score", 0.0)
          .end_object();
      out += failed.take() + "\n";
    }
    progress(report.samples, static_cast<std::int64_t>(samples.size()));
  }
  if (options.out.has_parent_path()) TRY(make_directories(options.out.parent_path()));
  TRY(write_file_atomic(options.out, out));
  if (report.samples > report.failed) report.score_mean = sum / static_cast<double>(report.samples - report.failed);
  return report;
}

}  // namespace slipway::inference
