// A write's companion: SQL that a caller wants committed together with whatever the code below it writes, without that
// code knowing. It is what makes "this was done" and "we know that it was done" one transaction (api/idempotency.h).
#pragma once

#include <memory>

#include "catalog/catalog.h"

namespace slipway::catalog {

/// While it lives, every write that its thread asks of a database first runs `also` in the same transaction, behind the
/// same savepoint. An error of `also` is the write's, whose body then does not run. Writes that other threads ask for
/// on behalf of this one are not accompanied. They nest as scopes do: the outer one runs first.
///
/// The thread-local state behind this is deliberate: the rooms between the caller and the database have no word for it.
class WriteCompanion {
 public:
  explicit WriteCompanion(Write also);
  ~WriteCompanion();
  WriteCompanion(const WriteCompanion&) = delete;
  WriteCompanion& operator=(const WriteCompanion&) = delete;

  /// `body` with this thread's companion before it; for the databases.
  static Write accompanied(Write body);

 private:
  const std::shared_ptr<const Write> outer_;  // shared with the writes it accompanies, which may run after it is gone
};

}  // namespace slipway::catalog
