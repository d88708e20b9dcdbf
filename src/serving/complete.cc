// The end of a request: outputs are cut out of the batch's answer, counted, told to the monitor, handed to whoever
// asked.
#include <cmath>
#include <limits>

#include "serving/generation.h"

namespace slipway::serving {
namespace {

using inference::Frame;
using inference::FrameTensor;
using inference::Tensor;

/// What a worker answers must be what its model said it would give.
bool is_as_described(const Frame& frame, const inference::Signature& signature, std::uint64_t rows, bool split) {
  if (frame.tensors.size() != signature.outputs.size()) return false;
  for (size_t i = 0; i < frame.tensors.size(); ++i) {
    const FrameTensor& tensor = frame.tensors[i];
    if (tensor.index != i || tensor.type != signature.outputs[i].type) return false;
    if (split && (tensor.rank == 0 || tensor.sizes[0] != static_cast<std::int64_t>(rows) ||
                  tensor.type == inference::DataType::bytes))
      return false;
  }
  return true;
}

std::vector<Tensor> cut_outputs(const Frame& frame, const inference::Signature& signature,
                                const std::shared_ptr<const std::string>& payload, std::uint64_t from,
                                std::uint64_t rows, bool split) {
  std::vector<Tensor> outputs;
  outputs.reserve(frame.tensors.size());
  for (size_t i = 0; i < frame.tensors.size(); ++i) {
    const FrameTensor& part = frame.tensors[i];
    Tensor output{signature.outputs[i].name, part.type, part.shape(),
                  std::string_view(*payload).substr(part.offset, part.length), payload};
    if (split) {
      const size_t row_bytes = part.sizes[0] == 0 ? 0 : part.length / static_cast<size_t>(part.sizes[0]);
      output.shape[0] = static_cast<std::int64_t>(rows);
      output.bytes = output.bytes.substr(from * row_bytes, rows * row_bytes);
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

TensorStatistics no_statistics() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  return {nan, nan, nan, nan, nan, nan, nan, nan, -1};
}

}  // namespace

void Generation::complete(Batch& batch, const Frame& frame, std::shared_ptr<const std::string> payload) {
  std::uint64_t rows = 0;
  for (const auto& pending : batch.requests) rows += pending->rows;
  const bool split = batch.requests.size() > 1;
  if (!is_as_described(frame, signature_, rows, split)) {
    for (const auto& pending : batch.requests)
      fail(*pending,
           {ErrorCode::internal,
            "the model gave other outputs than it declares" +
                std::string(split ? " when requests were batched; set the deployment's batch.max to 1" : "")});
    return;
  }
  const Time now = facts_->clock.steady();
  VersionStatistics::Executed executed;
  executed.requests = batch.requests.size();
  executed.rows = rows;
  executed.times = frame.times;
  for (const auto& pending : batch.requests) {
    executed.queue_ns += static_cast<std::uint64_t>((batch.sent - pending->arrived).count()) * 1000;
    executed.total_ns += static_cast<std::uint64_t>((now - pending->arrived).count()) * 1000;
  }
  // Counted before it is told, so that who asks for statistics after an answer finds it in them.
  statistics_->executed(executed, facts_->clock.now());
  std::uint64_t from = 0;
  for (size_t i = 0; i < batch.requests.size(); ++i) {
    Pending& pending = *batch.requests[i];
    const TensorStatistics figures =
        frame.statistics.size() == batch.requests.size() ? frame.statistics[i] : no_statistics();
    succeed(pending, cut_outputs(frame, signature_, payload, from, pending.rows, split), figures);
    from += pending.rows;
  }
}

void Generation::succeed(Pending& pending, std::vector<Tensor> outputs, const TensorStatistics& statistics) {
  inference::InferResponse response;
  response.model_name = facts_->name;
  response.model_version = version_text_;
  response.id = pending.request.id;
  response.answer = new_answer_id(revision_.id, facts_->clock);
  response.outputs = std::move(outputs);
  response.statistics = statistics;
  response.labels = labels_;
  tell(pending, response.answer, &statistics, "");
  pending.done(pending.request, std::move(response));
}

void Generation::fail(Pending& pending, const Error& error) {
  const AnswerId answer = new_answer_id(revision_.id, facts_->clock);
  statistics_->failed(static_cast<std::uint64_t>((facts_->clock.steady() - pending.arrived).count()) * 1000);
  facts_->errors.add();
  tell(pending, answer, nullptr, error.message);
  pending.done(pending.request, error);
}

void Generation::tell(Pending& pending, const AnswerId& answer, const TensorStatistics* statistics,
                      const std::string& error) {
  const Duration latency = facts_->clock.steady() - pending.arrived;
  facts_->requests.add();
  facts_->latency.record(latency);
  if (!facts_->predictions) return;
  PredictionServed served;
  served.answer = answer;
  served.project = facts_->project;
  served.deployment = facts_->id;
  served.deployment_name = facts_->name;
  served.revision = revision_.id;
  served.model = revision_.model;
  served.version = revision_.version;
  served.at = pending.received;
  served.latency = latency;
  served.rows = pending.rows;
  served.ok = statistics != nullptr;
  served.error = error;
  if (statistics) {
    served.statistics = *statistics;
    const auto index = static_cast<size_t>(statistics->predicted_class);
    if (labels_ && statistics->predicted_class >= 0 && index < labels_->size()) served.label = (*labels_)[index];
  }
  if (pending.source.body && pending.source.body->size() <= kPredictionBodyBytesMax)
    served.request = std::move(pending.source.body);
  served.media_type = std::move(pending.source.media_type);
  served.request_json_bytes = pending.source.json_bytes;
  facts_->predictions->served(std::move(served));
}

}  // namespace slipway::serving
