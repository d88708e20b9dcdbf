#include "inference/worker.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "inference/preprocess.h"
#include "inference/statistics.h"

namespace slipway::inference {
namespace {

constexpr int kWarmUpRuns = 3;
// Waking a second thread costs tens of microseconds, so a model that runs faster than this is faster on one.
constexpr std::uint64_t kWorthThreadsNs = 1'000'000;

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

/// The rows [from, from + rows) of a tensor; all of it when it has no rows of its own.
Tensor rows_of(const Tensor& tensor, std::uint64_t from, std::uint64_t rows) {
  if (tensor.shape.rank() == 0 || tensor.type == DataType::bytes) return tensor;
  const auto total = static_cast<std::uint64_t>(tensor.shape[0]);
  if (total == 0 || from + rows > total) return tensor;
  const size_t row_bytes = tensor.bytes.size() / total;
  Tensor part = tensor;
  part.shape[0] = static_cast<std::int64_t>(rows);
  part.bytes = tensor.bytes.substr(from * row_bytes, rows * row_bytes);
  return part;
}

struct WarmModel {
  std::unique_ptr<Model> model;
  std::uint64_t run_ns = 0;  // the fastest warm-up run
  int threads = 1;
};

Result<WarmModel> load_warm(const std::filesystem::path& file, int threads) {
  WarmModel warm{TRY(Model::load(file, {threads})), UINT64_MAX, threads};
  const auto zeros = zero_inputs(warm.model->signature());
  for (int i = 0; i < kWarmUpRuns; ++i) {
    const std::uint64_t started = now_ns();
    // A model that refuses zeros is not broken; it is only not warm.
    if (!warm.model->run(zeros).ok()) break;
    warm.run_ns = std::min(warm.run_ns, now_ns() - started);
  }
  return warm;
}

/// On one thread, unless it is slow enough for more to pay.
Result<WarmModel> load_as_fast_as_possible(const WorkerOptions& options) {
  WarmModel warm = TRY(load_warm(options.model, 1));
  if (options.threads <= 1 || (warm.run_ns != UINT64_MAX && warm.run_ns < kWorthThreadsNs)) return warm;
  warm.model.reset();  // two at once might not fit
  return load_warm(options.model, options.threads);
}

class Worker {
 public:
  Worker(Channel& channel, WarmModel warm, Result<ImageSpec> image)
      : channel_(channel),
        model_(std::move(warm.model)),
        run_ns_(warm.run_ns),
        threads_(warm.threads),
        image_(std::move(image)) {}

  Result<void> run() {
    TRY(announce());
    for (;;) {
      const auto frame = TRY(channel_.receive());
      if (!frame) return {};
      TRY(answer(*frame));
    }
  }

 private:
  Result<void> announce() {
    Json ready = render(model_->signature());
    ready.set("run_us", static_cast<std::int64_t>(run_ns_ / 1000)).set("threads", threads_);
    ready.set("image", image_.ok() ? render(*image_, model_->signature()) : Json());
    frame_.clear();
    frame_.text = ready.render();
    if (frame_.text.size() > kFrameTextBytesMax)
      return Error{ErrorCode::unsupported,
                   "the model's signature is over " + std::to_string(kFrameTextBytesMax) + " bytes"};
    return channel_.send(FrameKind::ready, 0, 0, frame_);
  }

  Result<void> answer(const Frame& frame) {
    auto inputs = inputs_of(frame);
    if (!inputs.ok()) return refuse(frame, inputs.error());
    const std::uint64_t started = now_ns();
    auto outputs = model_->run(*inputs);
    if (!outputs.ok()) return refuse(frame, outputs.error());
    const std::uint64_t ran = now_ns();
    frame_.clear();
    add_statistics(frame, *inputs, *outputs);
    for (size_t i = 0; i < outputs->size(); ++i) {
      const Tensor& output = (*outputs)[i];
      frame_.begin_tensor(i, output.type, output.shape);
      frame_.add_bytes(output.bytes);
    }
    frame_.times = {started - received_ns_, ran - started, now_ns() - ran};
    auto sent = channel_.send(FrameKind::answer, frame.id, frame.slot, frame_);
    if (!sent.ok() && sent.error().code == ErrorCode::too_large) return refuse(frame, sent.error());
    return sent;
  }

  /// The tensors of a frame, or the tensor that its picture becomes.
  Result<std::vector<Tensor>> inputs_of(const Frame& frame) {
    received_ns_ = now_ns();
    const Signature& signature = model_->signature();
    if (frame.kind == FrameKind::infer_image) {
      if (!image_.ok()) return image_.error();
      return std::vector{TRY(image_to_tensor(frame.payload, *image_, signature))};
    }
    if (frame.kind != FrameKind::infer || frame.tensors.size() != signature.inputs.size())
      return Error{ErrorCode::internal, "the server sent a frame that fits no model input"};
    std::vector<Tensor> inputs;
    inputs.reserve(frame.tensors.size());
    for (const FrameTensor& tensor : frame.tensors) {
      if (tensor.index != inputs.size()) return Error{ErrorCode::internal, "the server sent inputs out of order"};
      inputs.push_back({signature.inputs[tensor.index].name,
                        tensor.type,
                        tensor.shape(),
                        frame.payload.substr(tensor.offset, tensor.length),
                        {}});
    }
    return inputs;
  }

  void add_statistics(const Frame& frame, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
    if (inputs.empty() || outputs.empty()) return;
    if (frame.rows.size() <= 1) {
      frame_.add_statistics(statistics(inputs[0], outputs[0]));
      return;
    }
    std::uint64_t from = 0;
    for (const std::uint32_t rows : frame.rows) {
      frame_.add_statistics(statistics(rows_of(inputs[0], from, rows), rows_of(outputs[0], from, rows)));
      from += rows;
    }
  }

  Result<void> refuse(const Frame& frame, const Error& error) {
    frame_.clear();
    frame_.text = clean_utf8(error.message, kFrameTextBytesMax);
    frame_.code = error.code;
    return channel_.send(FrameKind::refused, frame.id, frame.slot, frame_);
  }

  Channel& channel_;
  const std::unique_ptr<Model> model_;
  const std::uint64_t run_ns_;
  const int threads_;
  const Result<ImageSpec> image_;
  FrameBuilder frame_;
  std::uint64_t received_ns_ = 0;
};

Result<std::unique_ptr<Worker>> open(const WorkerOptions& options, Channel& channel) {
  auto warm = TRY(load_as_fast_as_possible(options));
  auto image = parse_image_spec(options.preprocess, warm.model->signature());
  // Without a declaration a model need not be one for pictures; with one that is wrong, nobody wants to find out later.
  if (!image.ok() && !options.preprocess.is_null()) return image.error();
  return std::make_unique<Worker>(channel, std::move(warm), std::move(image));
}

}  // namespace

Result<void> serve(const WorkerOptions& options, Channel& channel) {
  auto worker = open(options, channel);
  if (!worker.ok()) {
    FrameBuilder frame;
    frame.text = clean_utf8(worker.error().message, kFrameTextBytesMax);
    frame.code = worker.error().code;
    (void)channel.send(FrameKind::failed, 0, 0, frame);
    return worker.error();
  }
  return (*worker)->run();
}

}  // namespace slipway::inference
