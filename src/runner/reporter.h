// Tells the server what happens, while it happens, without ever making the command wait for the server.
//
// Log bytes and metric points are appended to two files in the attempt's folder; a thread sends them from there at its
// own pace and remembers how far the server has them. While the server is away the files grow and nothing else changes;
// when it is back the thread goes on where it was. The heartbeat travels on the same thread and brings back the wish to
// stop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "runner/command.h"
#include "runner/link.h"

namespace slipway::runner {

inline constexpr std::uint64_t kLogBytesMax = 2ull << 30;  // of one attempt; the rest is dropped and said so
inline constexpr std::uint64_t kMetricSpoolBytesMax = 256ull << 20;
inline constexpr size_t kLogChunkBytes = 512 << 10;
inline constexpr size_t kMetricsPerBatch = 1000;

struct ReporterOptions {
  std::filesystem::path folder;
  Duration heartbeat_interval = std::chrono::seconds(1);
  Duration send_interval = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(5);
};

/// A file that grows at one end and is sent from the other. Guarded by its owner.
class Spool {
 public:
  static Result<Spool> create(const std::filesystem::path& path, std::uint64_t bytes_max);
  /// False when the spool is full; nothing was taken then.
  Result<bool> append(std::string_view bytes);
  Result<std::string> read(std::uint64_t offset, size_t bytes_max) const;
  std::uint64_t size() const { return size_; }

 private:
  UniqueFd file_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0, bytes_max_ = 0;
};

class Reporter {
 public:
  static Result<std::unique_ptr<Reporter>> start(std::unique_ptr<Link> link, ReporterOptions options,
                                                 const Clock& clock);
  /// Ends the thread; what was not sent stays in the files.
  ~Reporter();

  // Any thread; these never wait for the server.
  void log(std::string_view bytes);
  /// A line of ours in the run's log: "slipway: building the environment".
  void say(std::string_view sentence);
  void metrics(const std::vector<MetricPoint>& points);
  void set_state(std::string_view phase, pid_t pid, const Usage& usage);

  /// The server asked for it, or it says that this attempt is not its concern any more.
  std::optional<StopRequest> stop_asked() const;
  bool is_disowned() const { return disowned_; }

  /// Waits until the server has everything, at most `patience`.
  bool flush(Duration patience);

 private:
  struct State {
    std::optional<Spool> log, metrics;
    std::uint64_t log_sent = 0, metrics_sent = 0;  // bytes of the spools that the server has
    bool log_full = false;
    Heartbeat beat;
    bool ending = false, hurry = false;  // hurry: somebody waits in flush()
    bool beat_due = false;               // the phase is another one than the server heard
    std::optional<StopRequest> stop;
  };

  Reporter(std::unique_ptr<Link> link, ReporterOptions options, const Clock& clock);
  void work();
  Result<bool> send_log();
  Result<bool> send_metrics();
  Result<void> send_heartbeat();
  void lose(const Error& error);

  const ReporterOptions options_;
  const Clock& clock_;
  const std::unique_ptr<Link> link_;  // used by the thread alone
  std::atomic<bool> disowned_{false};
  mutable Guarded<State> state_;
  std::condition_variable changed_;
  Thread thread_;  // last: joined before the rest goes
};

}  // namespace slipway::runner
