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
#include "domain/attempt.h"

namespace slipway::runner {

struct MetricPoint {
  std::string key;
  double value = 0;
  std::int64_t step = 0;
  std::int64_t at_ms = 0;
};

/// Errors: unavailable, timed_out, busy and internal are worth another try (is_transient): no trouble of the server's
/// own may end a training. Everything else is its last word. One thread at a time.
class Link {
 public:
  virtual ~Link() = default;
  virtual Result<AttemptPlan> plan() = 0;
  virtual Result<HeartbeatAnswer> heartbeat(const Heartbeat& beat) = 0;
  /// `bytes` stand at `offset` of the attempt's log. Sending what the server has already is harmless. Answers the
  /// length of the log the server has.
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
  virtual Result<void> read_blobs(std::span<const Hash> hashes,
                                  const std::function<Result<void>(const Hash&, std::string)>& take) = 0;
  virtual Result<void> read_blob(const Hash& hash, const std::function<Result<void>(std::string_view)>& take) = 0;
};

bool is_transient(const Error& error);

/// The link by HTTP (design's contract, "Attempts"). Connections are made anew when they break.
Result<std::unique_ptr<Link>> open_http_link(const Ticket& ticket);

}  // namespace slipway::runner
