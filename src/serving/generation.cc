#include "serving/generation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/log.h"

namespace slipway::serving {
namespace {

using inference::Frame;
using inference::FrameKind;
using inference::Tensor;

// A model whose run takes less is answered in the asking thread while nobody else asks: see AnswerLoop::ask_here.
constexpr std::int64_t kQuickRunUsMax = 50;
constexpr Duration kLoneWaitMax{150};
constexpr const char* kEndedMeanwhile =
    "the worker that ran the request ended; nothing was changed, so the request can be sent again";
constexpr const char* kEndedUnexpectedly = "the worker ended unexpectedly";
constexpr std::uint64_t kReleaseBytesMin = 1 << 20;  // smaller tensors may keep their pages of shared memory

/// May two requests be one? The same shapes behind the first dimension.
bool fit_together(const inference::InferRequest& a, const inference::InferRequest& b) {
  for (size_t i = 0; i < a.inputs.size(); ++i) {
    const auto left = a.inputs[i].shape.sizes(), right = b.inputs[i].shape.sizes();
    if (left.size() != right.size() || !std::equal(left.begin() + 1, left.end(), right.begin() + 1)) return false;
  }
  return true;
}

std::uint64_t input_bytes(const inference::InferRequest& request) {
  std::uint64_t total = 0;
  for (const Tensor& input : request.inputs) total += input.bytes.size();
  return total;
}

}  // namespace

Generation::Generation(std::shared_ptr<const EndpointFacts> facts, Revision revision, std::vector<std::string> labels,
                       std::shared_ptr<VersionStatistics> statistics, BatchLimits limits, size_t queue_max)
    : facts_(std::move(facts)),
      revision_(std::move(revision)),
      labels_(labels.empty() ? nullptr : std::make_shared<const std::vector<std::string>>(std::move(labels))),
      version_text_(std::to_string(revision_.version)),
      queue_max_(queue_max),
      statistics_(std::move(statistics)) {
  auto state = state_.lock();
  state->limits = limits;
  state->last_request = facts_->clock.steady();
}

Generation::Submitted Generation::submit(std::unique_ptr<Pending>& pending) {
  std::vector<Outgoing> outgoing;
  bool nobody = false, lone = false;
  {
    auto state = state_.lock();
    if (state->closed) return Submitted::closed;
    if (state->queue.size() >= queue_max_) {
      facts_->rejected.add();
      return Submitted::full;
    }
    state->last_request = pending->arrived;
    state->queue.push_back(std::move(pending));
    nobody = state->replicas.empty();
    outgoing = plan(*state);
    lone = is_lone(*state, outgoing);
  }
  if (lone)
    facts_->answers.ask_here(shared_from_this(), outgoing[0].replica, kLoneWaitMax, [&] { send(outgoing); });
  else
    send(outgoing);
  // Scaled to zero: the loop should start somebody now rather than at its next look.
  if (nobody) facts_->changed();
  return Submitted::accepted;
}

void Generation::dispatch() {
  std::vector<Outgoing> outgoing;
  {
    auto state = state_.lock();
    state->alarm = {};
    outgoing = plan(*state);
  }
  send(outgoing);
}

void Generation::set_limits(const BatchLimits& limits) {
  state_.lock()->limits = limits;
  dispatch();
}

BatchLimits Generation::limits() const { return state_.lock()->limits; }

std::vector<Generation::Outgoing> Generation::plan(State& state) {
  std::vector<Outgoing> outgoing;
  while (!state.queue.empty()) {
    std::shared_ptr<Replica> best;
    for (const auto& replica : state.replicas) {
      if (replica->state != ReplicaState::ready || replica->flying() == inference::kSlots) continue;
      if (!best || replica->flying() < best->flying()) best = replica;
    }
    if (!best) break;
    const BatchDecision decision =
        decide_batch(state.limits, static_cast<int>(state.queue.size()), state.queue.front()->arrived,
                     facts_->clock.steady(), best->flying() == 0);
    if (const auto* wait = std::get_if<WaitUntil>(&decision);
        wait && (state.alarm == Time{} || wait->time < state.alarm)) {
      state.alarm = wait->time;
      facts_->answers.wake_at(wait->time, weak_from_this());
    }
    const auto* now = std::get_if<Send>(&decision);
    if (!now) break;
    const int slot = best->flights[0] ? 1 : 0;
    best->flights[static_cast<size_t>(slot)] = take(state, now->count);
    best->has_touched_memory |=
        input_bytes(best->flights[static_cast<size_t>(slot)]->requests.front()->request) >= kReleaseBytesMin;
    outgoing.push_back({best, best->flights[static_cast<size_t>(slot)], slot});
  }
  return outgoing;
}

bool Generation::is_lone(const State& state, const std::vector<Outgoing>& outgoing) {
  if (!state.quick || outgoing.size() != 1 || !state.queue.empty() ||
      outgoing[0].batch->requests.front()->request.is_image())
    return false;
  int flying = 0;
  for (const auto& replica : state.replicas) flying += replica->flying();
  return flying == 1;
}

std::shared_ptr<Batch> Generation::take(State& state, int count) {
  auto batch = std::make_shared<Batch>();
  batch->id = state.next_batch++;
  batch->sent = facts_->clock.steady();
  std::uint64_t bytes = 0;
  while (!state.queue.empty() && static_cast<int>(batch->requests.size()) < count) {
    auto& next = state.queue.front();
    bytes += input_bytes(next->request);
    if (!batch->requests.empty()) {
      const inference::InferRequest& first = batch->requests.front()->request;
      const bool fits = batchable_ && !first.is_image() && !next->request.is_image() &&
                        bytes <= inference::kAreaBytes && fit_together(first, next->request);
      if (!fits) break;
    }
    batch->requests.push_back(std::move(next));
    state.queue.pop_front();
  }
  return batch;
}

Result<void> Generation::send_one(const Outgoing& outgoing) {
  thread_local inference::FrameBuilder frame;
  frame.clear();
  const auto& requests = outgoing.batch->requests;
  const inference::InferRequest& first = requests.front()->request;
  for (const auto& pending : requests) frame.add_request(pending->rows);
  if (first.is_image()) {
    frame.add_payload(first.image);
    return outgoing.replica->channel.send(FrameKind::infer_image, outgoing.batch->id, outgoing.slot, frame);
  }
  for (size_t i = 0; i < first.inputs.size(); ++i) {
    inference::Shape shape = first.inputs[i].shape;
    if (requests.size() > 1) {
      shape[0] = 0;
      for (const auto& pending : requests) shape[0] += pending->request.inputs[i].shape[0];
    }
    frame.begin_tensor(i, first.inputs[i].type, shape);
    for (const auto& pending : requests) frame.add_bytes(pending->request.inputs[i].bytes);
  }
  return outgoing.replica->channel.send(FrameKind::infer, outgoing.batch->id, outgoing.slot, frame);
}

void Generation::send(const std::vector<Outgoing>& outgoing) {
  std::vector<Outgoing> further;  // what another replica gets because the first one's socket was closed
  for (const Outgoing& one : outgoing) {
    const auto sent = send_one(one);
    std::shared_ptr<Batch> failed;
    {
      auto state = state_.lock();
      const size_t waiting = state->queue.size();
      failed = settle(*state, one, sent);
      if (state->queue.size() > waiting) {
        const auto planned = plan(*state);
        further.insert(further.end(), planned.begin(), planned.end());
      }
    }
    if (!failed) continue;
    const Error error = sent.ok() ? Error{ErrorCode::unavailable, kEndedMeanwhile} : sent.error();
    for (const auto& pending : failed->requests) fail(*pending, error);
  }
  if (!further.empty()) send(further);
}

std::shared_ptr<Batch> Generation::settle(State& state, const Outgoing& outgoing, const Result<void>& sent) {
  Replica& replica = *outgoing.replica;
  outgoing.batch->sending = false;
  auto& flight = replica.flights[static_cast<size_t>(outgoing.slot)];
  if (flight != outgoing.batch) return nullptr;  // answered already
  if (sent.ok()) return replica.state == ReplicaState::dead ? abandon(state, replica) : nullptr;
  if (sent.error().code != ErrorCode::unavailable) return std::move(flight);
  // The worker never saw it. Its end of the socket is closed, and on_gone() will come to know.
  replica.state = ReplicaState::dead;
  if (replica.failure.empty()) replica.failure = kEndedUnexpectedly;
  put_back(state, *flight);
  flight.reset();
  return nullptr;
}

void Generation::put_back(State& state, Batch& batch) {
  for (auto request = batch.requests.rbegin(); request != batch.requests.rend(); ++request)
    state.queue.push_front(std::move(*request));
}

std::shared_ptr<Batch> Generation::abandon(State& state, Replica& replica) {
  std::array<std::shared_ptr<Batch>*, inference::kSlots> order{};
  size_t count = 0;
  for (auto& flight : replica.flights) {
    if (flight && !flight->sending) order[count++] = &flight;
  }
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
            [](const auto* a, const auto* b) { return (*a)->id < (*b)->id; });
  // What it worked on may be what killed it, and must not kill the next one too. What came after that it never began.
  std::shared_ptr<Batch> oldest;
  for (size_t i = count; i-- > 0;) {
    if (i == 0 && !replica.has_failed_batch) {
      oldest = std::move(*order[i]);
      replica.has_failed_batch = true;
    } else {
      put_back(state, **order[i]);
    }
    order[i]->reset();
  }
  return oldest;
}

void Generation::on_gone(const std::shared_ptr<Replica>& replica, const Error& why) {
  std::shared_ptr<Batch> failed;
  std::vector<Outgoing> outgoing;
  {
    auto state = state_.lock();
    const bool expected = replica->state == ReplicaState::draining || replica->state == ReplicaState::dead;
    replica->state = ReplicaState::dead;
    if (replica->failure.empty() && !expected)
      replica->failure = why.code == ErrorCode::data_loss ? why.message : kEndedUnexpectedly;
    failed = abandon(*state, *replica);
    outgoing = plan(*state);
  }
  send(outgoing);
  if (failed) {
    for (const auto& pending : failed->requests) fail(*pending, {ErrorCode::unavailable, kEndedMeanwhile});
  }
  facts_->changed();
}

void Generation::on_frame(const std::shared_ptr<Replica>& replica, const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::answer:
    case FrameKind::refused: return on_answer(replica, frame);
    case FrameKind::ready: return on_ready(replica, frame);
    case FrameKind::failed: {
      auto state = state_.lock();
      replica->state = ReplicaState::dead;
      replica->failure_code = frame.code;
      replica->failure = frame.text;
      return;  // its end closes now, and on_gone() does the rest
    }
    case FrameKind::infer:
    case FrameKind::infer_image: break;
  }
  on_gone(replica, {ErrorCode::data_loss, "a worker sent a request; only the server does"});
}

void Generation::on_ready(const std::shared_ptr<Replica>& replica, const Frame& frame) {
  const auto json = Json::parse(frame.text);
  auto signature = json.ok() ? inference::parse_signature(*json) : Result<inference::Signature>(json.error());
  if (!signature.ok())
    return on_gone(replica, {ErrorCode::data_loss, "a worker described its model badly: " + signature.error().message});
  std::vector<Outgoing> outgoing;
  {
    auto state = state_.lock();
    if (!state->described) {
      signature_ = std::move(*signature);
      batchable_ = signature_.is_batchable();
      state->described = true;
      state->quick = (*json)["run_us"].integer().value_or(kQuickRunUsMax) < kQuickRunUsMax;
    }
    if (replica->state == ReplicaState::starting) replica->state = ReplicaState::ready;
    replica->ready_at = facts_->clock.steady();
    outgoing = plan(*state);
  }
  send(outgoing);
  facts_->changed();
}

void Generation::on_answer(const std::shared_ptr<Replica>& replica, const Frame& frame) {
  // The slot's shared memory belongs to the next frame as soon as plan() has run.
  const auto payload = std::make_shared<const std::string>(frame.payload);
  std::shared_ptr<Batch> batch;
  std::vector<Outgoing> outgoing;
  {
    auto state = state_.lock();
    auto& flight = replica->flights[static_cast<size_t>(frame.slot)];
    if (flight && flight->id == frame.id) {
      batch = std::move(flight);
      flight.reset();
      replica->has_touched_memory |= payload->size() >= kReleaseBytesMin;
      outgoing = plan(*state);
    }
  }
  // The worker first: it should not idle while we write answers.
  send(outgoing);
  if (!batch) return on_gone(replica, {ErrorCode::data_loss, "a worker answered something that nobody asked"});
  if (frame.kind == FrameKind::answer) return complete(*batch, frame, payload);
  const Error error{frame.code, std::string(frame.text)};
  for (const auto& pending : batch->requests) fail(*pending, error);
}

void Generation::add(std::shared_ptr<Replica> replica) { state_.lock()->replicas.push_back(std::move(replica)); }

std::vector<std::shared_ptr<Replica>> Generation::replicas() const { return state_.lock()->replicas; }

std::vector<ReplicaView> Generation::views() const {
  std::vector<ReplicaView> out;
  const Clock& clock = facts_->clock;
  auto state = state_.lock();
  for (const auto& replica : state->replicas) {
    out.push_back({replica->id, revision_.version, std::string(name(replica->state)), replica->process.pid(), 0,
                   clock.now() - (clock.steady() - replica->started)});
  }
  return out;
}

std::vector<std::shared_ptr<Replica>> Generation::bury() {
  std::vector<std::shared_ptr<Replica>> dead;
  auto state = state_.lock();
  std::erase_if(state->replicas, [&](const auto& replica) {
    if (replica->state != ReplicaState::dead || replica->flying() > 0) return false;
    dead.push_back(replica);
    return true;
  });
  return dead;
}

void Generation::retire_one() {
  auto state = state_.lock();
  std::shared_ptr<Replica> least;
  for (const auto& replica : state->replicas) {
    if (replica->state != ReplicaState::ready && replica->state != ReplicaState::starting) continue;
    if (!least || replica->flying() < least->flying()) least = replica;
  }
  if (least) least->state = ReplicaState::draining;
}

bool Generation::is_idle_and_draining(const Replica& replica) const {
  auto state = state_.lock();
  return replica.state == ReplicaState::draining && replica.flying() == 0;
}

void Generation::on_ended(const std::shared_ptr<Replica>& replica) {
  {
    auto state = state_.lock();
    replica->state = ReplicaState::draining;
    std::erase(state->replicas, replica);
  }
  on_gone(replica, {ErrorCode::unavailable, "the worker was ended"});
}

void Generation::close() { state_.lock()->closed = true; }

bool Generation::is_drained() const {
  auto state = state_.lock();
  return state->closed && state->queue.empty() &&
         std::ranges::all_of(state->replicas, [](const auto& replica) { return replica->flying() == 0; });
}

void Generation::fail_all(const Error& why) {
  std::vector<std::unique_ptr<Pending>> failed;
  {
    auto state = state_.lock();
    for (auto& pending : state->queue) failed.push_back(std::move(pending));
    state->queue.clear();
    for (const auto& replica : state->replicas) {
      for (auto& flight : replica->flights) {
        if (!flight || flight->sending) continue;
        for (auto& pending : flight->requests) failed.push_back(std::move(pending));
        flight.reset();
      }
    }
  }
  for (const auto& pending : failed) fail(*pending, why);
}

void Generation::expire() {
  const Time now = facts_->clock.steady();
  std::vector<std::unique_ptr<Pending>> late;
  {
    auto state = state_.lock();
    std::erase_if(state->queue, [&](auto& pending) {
      if (pending->deadline > now) return false;
      late.push_back(std::move(pending));
      return true;
    });
  }
  for (const auto& pending : late) {
    fail(*pending,
         {ErrorCode::timed_out, "the request waited " + std::to_string((now - pending->arrived).count() / 1000) +
                                    " ms for a free replica of '" + facts_->name +
                                    "' and was given up; try again later, or give the deployment more replicas"});
  }
}

std::vector<std::shared_ptr<Replica>> Generation::hung() const {
  const Time now = facts_->clock.steady();
  std::vector<std::shared_ptr<Replica>> out;
  auto state = state_.lock();
  for (const auto& replica : state->replicas) {
    const auto owes = [&](const std::shared_ptr<Batch>& flight) {
      return flight && now - flight->sent > kAnswerWaitMax;
    };
    const bool loads = replica->state == ReplicaState::starting && now - replica->started > kLoadWaitMax;
    if (loads || std::ranges::any_of(replica->flights, owes)) out.push_back(replica);
  }
  return out;
}

Load Generation::load() const {
  const Time now = facts_->clock.steady();
  Load load;
  auto state = state_.lock();
  for (const auto& replica : state->replicas) {
    load.replicas += replica->state == ReplicaState::starting || replica->state == ReplicaState::ready;
    load.starting += replica->state == ReplicaState::starting;
  }
  load.waiting = static_cast<int>(state->queue.size());
  if (!state->queue.empty()) load.oldest_wait = now - state->queue.front()->arrived;
  load.idle = now - state->last_request;
  return load;
}

int Generation::ready() const {
  auto state = state_.lock();
  return static_cast<int>(std::ranges::count_if(
      state->replicas, [](const auto& replica) { return replica->state == ReplicaState::ready; }));
}

void Generation::release_idle_memory() {
  auto state = state_.lock();
  for (const auto& replica : state->replicas) {
    if (!replica->has_touched_memory || replica->flying() > 0) continue;
    for (int slot = 0; slot < inference::kSlots; ++slot) replica->channel.release_pages(slot);
    replica->has_touched_memory = false;
  }
}

}  // namespace slipway::serving
