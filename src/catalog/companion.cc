#include "catalog/companion.h"

#include "base/check.h"

namespace slipway::catalog {
namespace {

thread_local std::shared_ptr<const Write> companion;

}  // namespace

WriteCompanion::WriteCompanion(Write also) : also_(std::make_shared<const Write>(std::move(also))) {
  CHECK(!companion, "a thread's writes have two companions");
  companion = also_;
}

WriteCompanion::~WriteCompanion() { companion = nullptr; }

Write WriteCompanion::accompanied(Write body) {
  if (!companion) return body;
  return [also = companion, body = std::move(body)](Connection& connection) -> Result<void> {
    TRY((*also)(connection));
    return body(connection);
  };
}

}  // namespace slipway::catalog
