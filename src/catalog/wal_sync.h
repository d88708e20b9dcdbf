// Making SQLite's write-ahead log durable at our own pace, away from the writer.
//
// With synchronous=NORMAL a commit appends its frames to the -wal file by write(2) and returns: from then on the data
// is the kernel's, and survives the end of our process however it ends. Power loss is another matter: frames that never
// reached the disk are gone, and recovery takes the longest prefix of the log whose checksums hold. So a write that
// must survive power loss needs one fdatasync of the -wal file after its commit, which makes durable everything
// committed before it too. That is all SQLite's synchronous=FULL would add; doing it here lets one sync serve every
// group that was committed meanwhile, and lets the writer go on while the disk works. The two other places where order
// matters are SQLite's own and are kept by NORMAL: the log is synced before a checkpoint copies pages from it, and its
// new header is synced before frames overwrite an old log.
//
// A failed fdatasync cannot be repeated: the kernel may have dropped the pages and call them clean, and a hole in the
// log would make recovery stop there and lose everything after it, though it was acknowledged. After one, nothing more
// is accepted until the server is started again.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/backend.h"

namespace slipway::catalog {

/// Thread: `db-sync-0`.
class WalSync {
 public:
  WalSync(UniqueFd wal, std::filesystem::path path, Duration stream_interval, WriteCounters& counters);
  /// Syncs what is left and tells everybody.
  ~WalSync();

  /// A group was committed. `waiting` are told once it is on disk; without any, it is synced within the stream
  /// interval.
  void committed(std::vector<Completion> waiting);
  /// Why nothing more can be accepted, once a sync has failed.
  std::optional<Error> failure();

 private:
  struct State {
    std::vector<Completion> waiting;
    std::optional<Time> dirty_since;
    std::optional<Error> failed;
    bool closed = false;
  };
  void loop();
  Result<void> sync();

  const UniqueFd wal_;
  const std::filesystem::path path_;
  const Duration stream_interval_;
  WriteCounters& counters_;
  std::condition_variable changed_;
  Guarded<State> state_;
  Thread thread_;
};

}  // namespace slipway::catalog
