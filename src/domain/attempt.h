// One try at a run, as the server and the runner on the node speak about it. Both ends use these structs and their
// JSON.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "domain/ids.h"
#include "domain/run.h"
#include "domain/run_spec.h"

namespace slipway {

/// What `slipway runner` is started with: where the server is, what to do there, and where to work on this machine.
struct Ticket {
  std::string server;  // "http://127.0.0.1:7070"
  RunId run;
  AttemptId attempt;
  std::string token;
  std::filesystem::path folder;  // of the node: attempts, cache and environments live below it
  std::uint64_t cache_bytes_max = 50ull << 30;

  bool operator==(const Ticket&) const = default;
};
std::string render(const Ticket& ticket);
Result<Ticket> parse_ticket(std::string_view text);

/// An input, resolved by the server: a folder (tree) or one file (blob).
struct ResolvedInput {
  std::string kind;  // dataset, model, run
  Hash hash;
  bool is_tree = true;
  std::string label;                 // "dataset:digits@main, commit 01H…", for people
  std::string cause_kind, cause_id;  // the lineage node it came from: dataset_commit, model_version, run

  bool operator==(const ResolvedInput&) const = default;
};

/// What an attempt is to do.
struct AttemptPlan {
  RunId run;
  RunSpec spec;
  Named<ResolvedInput> inputs;
  Named<std::string> variables;  // set for the command, beside the run contract's own

  bool operator==(const AttemptPlan&) const = default;
};
Json to_json(const AttemptPlan& plan);
Result<AttemptPlan> parse_attempt_plan(const Json& json);
Json to_json(const Named<ResolvedInput>& inputs);
Result<Named<ResolvedInput>> parse_resolved_inputs(const Json& json);

struct Heartbeat {
  std::string phase = "preparing";  // preparing, running, uploading
  std::int64_t pid = 0;             // of the command
  double cpu_s = 0;
  std::uint64_t memory_bytes = 0;
};
Json to_json(const Heartbeat& beat);
Result<Heartbeat> parse_heartbeat(const Json& json);

struct HeartbeatAnswer {
  bool stop = false;
  std::optional<Duration> grace;
};
Json to_json(const HeartbeatAnswer& answer);
HeartbeatAnswer parse_heartbeat_answer(const Json& json);

/// How an attempt ended. It ended well only if nobody has anything to say about it.
struct AttemptResult {
  AttemptEnd end = AttemptEnd::exited;
  int exit_code = 0;
  int signal = 0;
  std::string message;

  bool ok() const { return end == AttemptEnd::exited && exit_code == 0 && message.empty(); }
  bool operator==(const AttemptResult&) const = default;
};
Json to_json(const AttemptResult& result);
Result<AttemptResult> parse_attempt_result(const Json& json);

struct OutputReport {
  std::string name, path;
  Hash hash;
  bool is_tree = false;
  std::uint64_t bytes = 0;

  bool operator==(const OutputReport&) const = default;
};
Json to_json(const OutputReport& output);
Result<OutputReport> parse_output_report(const Json& json);

inline constexpr size_t kAttemptMessageBytesMax = 16 << 10;

}  // namespace slipway
