// A server in memory, for tests: keeps what it is told, and can be away.
#pragma once

#include <map>

#include "base/file.h"
#include "base/guarded.h"
#include "runner/link.h"

namespace slipway::runner {

struct FakeServer {
  struct State {
    AttemptPlan plan;
    std::map<Hash, std::string> blobs;
    std::string log;
    std::vector<MetricPoint> metrics;
    std::vector<std::string> phases;
    std::vector<OutputReport> outputs;
    Json documents;
    std::optional<AttemptResult> end;
    bool away = false, stop = false, refuses = false;
    std::optional<Duration> grace;
    int blob_reads = 0, blob_puts = 0;
  };
  Guarded<State> state;

  Hash put(std::string bytes) {
    const Hash hash = hash_of(bytes);
    state.lock()->blobs[hash] = std::move(bytes);
    return hash;
  }
};

class FakeLink : public Link {
 public:
  explicit FakeLink(FakeServer& server) : server_(server) {}

  Result<AttemptPlan> plan() override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    return state->plan;
  }
  Result<HeartbeatAnswer> heartbeat(const Heartbeat& beat) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    if (state->phases.empty() || state->phases.back() != beat.phase) state->phases.push_back(beat.phase);
    return HeartbeatAnswer{state->stop, state->grace};
  }
  Result<std::uint64_t> append_log(std::uint64_t offset, std::string_view bytes) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    if (offset <= state->log.size()) state->log = state->log.substr(0, offset) + std::string(bytes);
    return state->log.size();
  }
  Result<void> log_metrics(std::span<const MetricPoint> points) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    state->metrics.insert(state->metrics.end(), points.begin(), points.end());
    return {};
  }
  Result<void> record(const Json& documents) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    state->documents = documents;
    return {};
  }
  Result<void> report_output(const OutputReport& output) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    state->outputs.push_back(output);
    return {};
  }
  Result<void> end(const AttemptResult& result) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    state->end = result;
    return {};
  }
  Result<std::vector<Hash>> missing_blobs(std::span<const Hash> hashes) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    std::vector<Hash> missing;
    for (const Hash& hash : hashes) {
      if (!state->blobs.contains(hash)) missing.push_back(hash);
    }
    return missing;
  }
  Result<void> put_blobs(std::span<const std::string> contents) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    for (const std::string& content : contents) state->blobs[hash_of(content)] = content;
    ++state->blob_puts;
    return {};
  }
  Result<void> put_file(const Hash& hash, const std::filesystem::path& path) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    const std::string bytes = TRY(read_file(path));
    if (hash_of(bytes) != hash) return Error{ErrorCode::invalid_argument, "the bytes do not match their hash"};
    state->blobs[hash] = bytes;
    ++state->blob_puts;
    return {};
  }
  Result<void> read_blobs(std::span<const Hash> hashes,
                          const std::function<Result<void>(const Hash&, std::string)>& take) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    ++state->blob_reads;
    for (const Hash& hash : hashes) {
      if (!state->blobs.contains(hash)) return Error{ErrorCode::not_found, "there is no blob " + render(hash)};
      TRY(take(hash, state->blobs[hash]));
    }
    return {};
  }
  Result<void> read_blob(const Hash& hash, const std::function<Result<void>(std::string_view)>& take) override {
    auto state = server_.state.lock();
    TRY(reach(*state));
    ++state->blob_reads;
    if (!state->blobs.contains(hash)) return Error{ErrorCode::not_found, "there is no blob " + render(hash)};
    return take(state->blobs[hash]);
  }

 private:
  static Result<void> reach(const FakeServer::State& state) {
    if (state.away) return Error{ErrorCode::unavailable, "nobody answers"};
    if (state.refuses) return Error{ErrorCode::failed_precondition, "the attempt is over"};
    return {};
  }

  FakeServer& server_;
};

}  // namespace slipway::runner
