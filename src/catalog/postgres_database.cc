#include "catalog/backend.h"

namespace slipway::catalog {

Result<std::unique_ptr<Database>> open_postgres(const DatabaseOptions&, const std::vector<Migration>&, Counters&) {
  return Error{ErrorCode::unsupported, "PostgreSQL is not there yet"};
}

}  // namespace slipway::catalog
