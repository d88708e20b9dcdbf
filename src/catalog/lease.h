// A lease: which server runs a loop, when several share one PostgreSQL. Whoever holds the loop's row in `leases` runs
// it; the row is taken by the next one once it was not renewed in time.
//
// A server that stalls for longer than the lease may believe for a moment that it still holds it. So a loop's writes
// must be harmless when made twice: keyed, or made only if the row still is as it was read.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/guarded.h"
#include "catalog/catalog.h"

namespace slipway::catalog {

class Lease {
 public:
  /// The holder is new with every object, so a restarted server waits for its former lease, unless that was given back.
  Lease(Database& database, std::string name, Duration length);
  /// Gives it back, so that another server need not wait.
  ~Lease();

  /// Whether this holder may run the loop now. Writes only when the row must be taken or is near its end. While the
  /// database is away a lease that was held runs out by itself. Blocks for the database.
  bool hold(Time now);

 private:
  bool take(Time now);

  Database& database_;
  const std::string name_;
  const Duration length_;
  const std::string holder_;
  Guarded<Time> until_{Time{0}};  // of ours; 0: not held
};

}  // namespace slipway::catalog
