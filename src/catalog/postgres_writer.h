// One of PostgreSQL's writers: takes what waits in the queue and commits it as one transaction.
//
// Closures are written as if they ran one after the other, as they do on SQLite; several writers (and several servers)
// run at once here, so transactions are SERIALIZABLE, and one that the database turns down is run again. The second try
// runs alone in this server (`Turns`), so that its own writers cannot turn it down twice.
//
// When the connection is lost during COMMIT, nobody told us whether it happened. So every transaction also writes its
// number into this writer's row of catalog_marks; after the reconnect that row says what became of it. Taking the row's
// lock waits for a commit that is still under way. Neither is a write lost nor is one done twice.
//
// A group that holds only streams commits with synchronous_commit off: it survives our own death from then on, and
// `db-sync-0` forces PostgreSQL's log to disk at the stream interval.
#pragma once

#include <condition_variable>
#include <memory>
#include <span>
#include <string>

#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/postgres_connection.h"

namespace slipway::catalog {

/// Lets groups run side by side, or one alone. Those who want to be alone go first.
class Turns {
 public:
  void acquire(bool alone);
  void release(bool alone);

 private:
  struct State {
    int running = 0, wanting_alone = 0;
    bool alone = false;
  };
  std::condition_variable changed_;
  Guarded<State> state_;
};

/// What the writers of one database share.
struct PostgresShared {
  PostgresShared(const DatabaseOptions& o, Counters& registry)
      : options(o), counters(registry), queue(o.writes_waiting_max, counters) {}

  const DatabaseOptions options;
  WriteCounters counters;
  WriteQueue queue;
  Turns turns;
  std::atomic<bool> closing{false};
  std::atomic<bool> streams_unsynced{false};
};

/// Thread: `db-writer-N`. Ends when the queue is closed and drained.
class PostgresWriter {
 public:
  PostgresWriter(PostgresShared& shared, size_t index);

 private:
  void loop();
  void write_group(std::span<QueuedWrite> group);
  Result<void> ensure_connected();
  Result<void> make_mark_row();
  /// While the database is away: is there still hope for those who wait?
  bool may_wait() const;
  Result<void> try_group(std::span<QueuedWrite> group, std::vector<Result<void>>& results);
  Result<void> begin(bool streams_only);
  Result<void> run_one(const Write& body, bool streams_only, bool alone);
  /// After a commit whose answer never came: did it happen?
  Result<bool> was_committed();

  PostgresShared& shared_;
  const std::string name_;
  // The thread's own.
  std::unique_ptr<PostgresConnection> connection_;
  std::int64_t mark_ = 0;
  bool has_mark_row_ = false;
  std::optional<Time> lost_since_;
  Thread thread_;
};

/// Connects again and again, ever more slowly, until it works, `deadline` (of the steady clock) has passed, or
/// `closing`.
Result<std::unique_ptr<PostgresConnection>> reconnect(const std::string& url, Time deadline,
                                                      const std::atomic<bool>& closing);

}  // namespace slipway::catalog
