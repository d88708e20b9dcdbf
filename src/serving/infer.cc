// The way of a request: from any thread to the queue of the generation that answers.
#include <algorithm>

#include "base/text.h"
#include "serving/impl.h"

namespace slipway::serving {
namespace {

constexpr int kSwitchesMax = 4;  // generations a request may find closed before it is given up

/// How many rows of a batch it makes; 1 for models without rows.
std::uint32_t rows_of(const inference::InferRequest& request, const inference::Signature& signature) {
  if (request.is_image() || request.inputs.empty() || !signature.is_batchable()) return 1;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(request.inputs[0].shape[0], 0, UINT32_MAX));
}

Result<void> check_request(const inference::Signature& signature, inference::InferRequest& request) {
  if (!request.is_image()) TRY(inference::check_inputs(signature, request.inputs));
  TRY(inference::check_outputs(signature, request));
  if (!signature.is_batchable() || request.is_image()) return {};
  // One number of rows for all inputs, or they could not be told apart in a batch.
  for (const inference::Tensor& input : request.inputs) {
    if (input.shape[0] != request.inputs[0].shape[0])
      return Error{ErrorCode::invalid_argument, "input '" + input.name + "' has " + std::to_string(input.shape[0]) +
                                                    " rows and input '" + request.inputs[0].name + "' has " +
                                                    std::to_string(request.inputs[0].shape[0]) +
                                                    "; they must be the same"};
  }
  return {};
}

}  // namespace

const std::string& Target::deployment() const { return endpoint_->facts().name; }
const std::string& Target::model() const { return generation_->revision().model; }
std::int64_t Target::version() const { return generation_->revision().version; }
const inference::Signature& Target::signature() const { return generation_->signature(); }
int Target::batch_max() const { return generation_->limits().requests_max; }
Duration Target::batch_delay() const { return generation_->limits().delay; }

Result<Target> Serving::target(const ProjectId& project, std::string_view name, std::optional<std::int64_t> version) {
  Target target;
  target.endpoint_ = impl_->find(project, name);
  if (!target.endpoint_)
    return Error{ErrorCode::not_found, "Request for unknown model: '" + clean_utf8(name, 200) + "' is not found"};
  target.generation_ = target.endpoint_->active();
  if (!target.generation_) {
    auto state = target.endpoint_->lock();
    const DeploymentState now = Endpoint::sum_up(*state);
    std::string why =
        "the deployment '" + std::string(name) + "' is " + std::string(serving::name(now)) + " and cannot answer";
    if (!state->message.empty()) why += ": " + state->message;
    return Error{ErrorCode::unavailable, std::move(why)};
  }
  if (version && *version != target.version())
    return Error{ErrorCode::not_found, "Request for unknown model: '" + std::string(name) + "' version " +
                                           std::to_string(*version) + " is not found; version " +
                                           std::to_string(target.version()) + " answers"};
  target.version_named_ = version.has_value();
  return target;
}

void Serving::infer(const Target& target, inference::InferRequest request, RequestSource source, Completion done) {
  const Time arrived = impl_->clock.steady();
  auto pending = std::make_unique<Pending>();
  pending->request = std::move(request);
  pending->source = std::move(source);
  pending->done = std::move(done);
  pending->received = impl_->clock.now();
  pending->arrived = arrived;
  const Duration wait =
      pending->request.timeout_us > 0 ? std::min(kQueueWaitMax, Duration(pending->request.timeout_us)) : kQueueWaitMax;
  pending->deadline = arrived + wait;

  std::shared_ptr<Generation> generation = target.generation_;
  for (int i = 0; i < kSwitchesMax && generation; ++i) {
    if (auto checked = check_request(generation->signature(), pending->request); !checked.ok())
      return pending->done(pending->request, checked.error());
    pending->rows = rows_of(pending->request, generation->signature());
    switch (generation->submit(pending)) {
      case Generation::Submitted::accepted: return;
      case Generation::Submitted::full:
        return pending->done(
            pending->request,
            Error{ErrorCode::busy, "the queue of '" + target.deployment() + "' is full (" +
                                       std::to_string(impl_->options.queue_requests_max) +
                                       " requests wait); try again in a moment, or give the deployment more replicas"});
      case Generation::Submitted::closed: generation = target.endpoint_->active(); break;
    }
    if (generation && target.version_named_ && generation->revision().version != target.version()) {
      return pending->done(pending->request,
                           Error{ErrorCode::not_found, "version " + std::to_string(target.version()) + " of '" +
                                                           target.deployment() + "' was replaced by version " +
                                                           std::to_string(generation->revision().version) +
                                                           " while the request came in"});
    }
  }
  pending->done(pending->request, Error{ErrorCode::unavailable, "the deployment '" + target.deployment() +
                                                                    "' was stopped while the request came in"});
}

std::vector<std::pair<std::string, std::int64_t>> Serving::endpoints(const ProjectId& project) {
  std::vector<std::pair<std::string, std::int64_t>> out;
  auto all = impl_->endpoints.lock();
  for (const auto& [key, endpoint] : *all) {
    if (key.first != project.text) continue;
    const auto active = endpoint->active();
    out.emplace_back(key.second, active ? active->revision().version : 0);
  }
  return out;
}

Result<std::vector<VersionFigures>> Serving::figures(const ProjectId& project, std::string_view name) {
  const auto endpoint = TRY(impl_->require(project, name));
  std::vector<VersionFigures> out;
  std::map<std::int64_t, std::uint64_t> memory;
  auto state = endpoint->lock();
  std::vector<std::shared_ptr<Running>> all = state->draining;
  if (state->active) all.push_back(state->active);
  if (state->next) all.push_back(state->next);
  for (const auto& running : all) {
    for (const auto& replica : running->generation->replicas())
      memory[running->generation->revision().version] += replica->memory_bytes;
  }
  for (const auto& [version, statistics] : state->statistics) {
    out.push_back(statistics->figures());
    out.back().memory_bytes = memory[version];
  }
  return out;
}

}  // namespace slipway::serving
