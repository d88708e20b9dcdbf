// The requests that were chosen to become cases, on disk before their answer is given. One that accept() took is a case
// sooner or later: the monitor's thread makes it one, or that of the next process, which finds it in the log. release()
// says that it is.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "monitor/request_log.h"

namespace slipway::monitor {

inline constexpr std::uint64_t kCapturedBytesMax =
    64 << 20;  // of requests that are no cases yet; beyond, accept() is busy
inline constexpr Duration kCapturedSyncInterval = std::chrono::milliseconds(200);

struct CapturedOptions {
  std::filesystem::path folder;
  std::uint64_t bytes_max = kCapturedBytesMax;
  bool sync_first = false;  // --durability full: accept() returns when the request is on disk
};

/// Thread-safe. Thread: `captured-sync`, which syncs what accept() took within kCapturedSyncInterval.
class CapturedRequests {
 public:
  static Result<std::unique_ptr<CapturedRequests>> open(const CapturedOptions& options);
  /// Syncs what is left.
  ~CapturedRequests();

  /// From now on the request survives the end of this process. One write into the page cache, which waits for the disk
  /// only when the kernel has too much to write or with `sync_first`. busy when the log is full, the disk's error
  /// otherwise; the request is not kept then.
  Result<Place> accept(const PredictionServed& prediction, CaseReason reason);
  /// It is a case now, synced in the database.
  void release(const Place& place);
  /// What former processes accepted and did not release; to be called once. What it visits is released like everything
  /// else.
  void replay(const std::function<void(const Place&, RequestRecord)>& visit);

  /// Why nothing is accepted any more, once a sync has failed.
  std::optional<Error> failure();

 private:
  using Dirty = std::shared_ptr<const RequestLog::Segment>;
  struct State {
    RequestLog log;
    std::vector<Dirty> dirty;  // in their order; not synced since something was written to them
    std::optional<Error> failed;
    bool closed = false;
  };

  CapturedRequests(const CapturedOptions& options, RequestLog log);
  void loop();
  /// These, and their names in the folder.
  Result<void> sync(const std::vector<Dirty>& segments);

  const CapturedOptions options_;
  std::atomic<std::uint64_t> named_{0};  // the newest segment whose name is synced
  std::condition_variable changed_;
  // Held over the write: the order of the records is the order of the file, and a write into the page cache is short.
  Guarded<State> state_;
  Thread thread_;
};

}  // namespace slipway::monitor
