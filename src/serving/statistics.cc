#include "serving/statistics.h"

#include <algorithm>

namespace slipway::serving {
namespace {

constexpr size_t kBatchSizesMax = 64;  // further sizes are counted in the last one

BatchFigures& batch_of(std::vector<BatchFigures>& batches, std::uint64_t size) {
  const auto at = std::ranges::lower_bound(batches, size, {}, &BatchFigures::size);
  if (at != batches.end() && (at->size == size || batches.size() >= kBatchSizesMax)) return *at;
  if (batches.size() >= kBatchSizesMax) return batches.back();
  return *batches.insert(at, BatchFigures{size, {}, {}, {}});
}

}  // namespace

void VersionStatistics::executed(const Executed& batch, Time now) {
  auto figures = figures_.lock();
  figures->last_inference = now;
  figures->inference_count += batch.rows;
  figures->execution_count += 1;
  figures->success.add(batch.total_ns, batch.requests);
  figures->queue.add(batch.queue_ns, batch.requests);
  // Every request of a batch waited for the whole of it.
  figures->input.add(batch.times.input_ns * batch.requests, batch.requests);
  figures->infer.add(batch.times.infer_ns * batch.requests, batch.requests);
  figures->output.add(batch.times.output_ns * batch.requests, batch.requests);
  BatchFigures& size = batch_of(figures->batches, batch.rows);
  size.input.add(batch.times.input_ns);
  size.infer.add(batch.times.infer_ns);
  size.output.add(batch.times.output_ns);
}

void VersionStatistics::failed(std::uint64_t total_ns) { figures_.lock()->fail.add(total_ns); }

}  // namespace slipway::serving
