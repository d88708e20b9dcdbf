// What the two backends share: the queue of writes, its counters, and the few rules that make them behave alike.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/queue.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace slipway::catalog {

Result<std::unique_ptr<Database>> open_sqlite(const DatabaseOptions& options, const std::vector<Migration>& migrations,
                                              Counters& counters);
Result<std::unique_ptr<Database>> open_postgres(const DatabaseOptions& options,
                                                const std::vector<Migration>& migrations, Counters& counters);

/// A connection as its backend sees it.
class Session : public Connection {
 public:
  /// Runs statements without parameters and without keeping them prepared: transactions and migrations.
  virtual Result<void> execute(const std::string& sql) = 0;
};

struct WriteCounters {
  explicit WriteCounters(Counters& counters);

  Counter& writes;
  Counter& commits;
  Counter& refused;
  Counter& retries;
  Counter& syncs;
  Gauge& waiting;
  Gauge& group;
  LatencyHistogram& commit;
  LatencyHistogram& sync;
  LatencyHistogram& queued;
};

struct QueuedWrite {
  Durability durability = Durability::record;
  Write body;
  Completion done;
  Time queued;
};

/// The bounded line in front of the writers.
class WriteQueue {
 public:
  WriteQueue(size_t size_max, WriteCounters& counters) : size_max_(size_max), counters_(counters), queue_(size_max) {}

  /// Takes the write, or tells `done` why not: `busy` when full, `unavailable` once closed.
  void push(Durability durability, Write body, Completion done);
  /// Waits, then takes up to `most`; empty once closed and drained.
  std::vector<QueuedWrite> pop_group(size_t most);
  void close();

 private:
  const size_t size_max_;
  WriteCounters& counters_;
  std::atomic<bool> closed_{false};
  BoundedQueue<QueuedWrite> queue_;
};

/// body(connection), with an exception that escaped it turned into an error, so that it cannot end a writer.
Result<void> run_body(const std::function<Result<void>(Connection&)>& body, Connection& connection);

/// Both databases take the same texts: valid UTF-8 without NUL (PostgreSQL stores nothing else).
Result<void> check_values(std::string_view sql, const Values& values);

/// The statement for an error message: one line, cut at a length that a person reads.
std::string shown(std::string_view sql);

}  // namespace slipway::catalog
