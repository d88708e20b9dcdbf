// The runner's link to its server: what one attempt says and asks. Behind it is HTTP; tests put a table there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/run.h"
#include "domain/run_spec.h"

namespace slipway::runner {

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
  std::string label;  // "dataset:digits@main = commit 01H…", for messages
};

struct AttemptPlan {
  RunSpec spec;
  Named<ResolvedInput> inputs;
  Named<std::string> variables;  // set for the command, beside the run contract's own
};

struct Heartbeat {
  std::string phase;  // preparing, running, uploading
  pid_t pid = 0;
  double cpu_s = 0;
  std::uint64_t memory_bytes = 0;
};

struct HeartbeatAnswer {
  bool stop = false;
  std::optional<Duration> grace;
};

struct MetricPoint {
  std::string key;
  double value = 0;
  std::int64_t step = 0;
  std::int64_t at_ms = 0;
};

struct AttemptResult {
  AttemptEnd end = AttemptEnd::exited;
  int exit_code = 0;
  int signal = 0;
  std::string message;

  bool ok() const { return end == AttemptEnd::exited && exit_code == 0 && message.empty(); }
};

struct OutputReport {
  std::string name, path;
  Hash hash;
  bool is_tree = false;
  std::uint64_t bytes = 0;
};

/// Errors: unavailable, timed_out and busy are worth another try (is_transient); everything else is the server's last word.
/// One thread at a time.
class Link {
 public:
  virtual ~Link() = default;
  virtual Result<AttemptPlan> plan() = 0;
  virtual Result<HeartbeatAnswer> heartbeat(const Heartbeat& beat) = 0;
  /// `bytes` stand at `offset` of the attempt's log. Sending what the server has already is harmless. Answers the length
  /// of the log the server has.
  virtual Result<std::uint64_t> append_log(std::uint64_t offset, std::string_view bytes) = 0;
  virtual Result<void> log_metrics(std::span<const MetricPoint> points) = 0;
  /// Documents kept with the run: {environment?, machine?}.
  virtual Result<void> record(const Json& documents) = 0;
  virtual Result<void> report_output(const OutputReport& output) = 0;
  virtual Result<void> end(const AttemptResult& result) = 0;

  virtual Result<std::vector<Hash>> missing_blobs(std::span<const Hash> hashes) = 0;
  virtual Result<void> put_blobs(std::span<const std::string> contents) = 0;
  virtual Result<void> put_file(const Hash& hash, const std::filesystem::path& path) = 0;
  /// Hands over many small blobs in the order asked.
  virtual Result<void> read_blobs(std::span<const Hash> hashes, const std::function<Result<void>(const Hash&, std::string)>& take) = 0;
  virtual Result<void> read_blob(const Hash& hash, const std::function<Result<void>(std::string_view)>& take) = 0;
};

bool is_transient(const Error& error);

/// The link by HTTP (design's contract, "Attempts"). Connections are made anew when they break.
Result<std::unique_ptr<Link>> open_http_link(const Ticket& ticket);

}  // namespace slipway::runner
