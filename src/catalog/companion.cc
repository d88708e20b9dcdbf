#include "catalog/companion.h"

namespace slipway::catalog {
namespace {

thread_local std::shared_ptr<const Write> companion;

}  // namespace

WriteCompanion::WriteCompanion(Write also) : outer_(companion) {
  if (!outer_) {
    companion = std::make_shared<const Write>(std::move(also));
    return;
  }
  companion = std::make_shared<const Write>([outer = outer_, also = std::move(also)](Connection& c) -> Result<void> {
    TRY((*outer)(c));
    return also(c);
  });
}

WriteCompanion::~WriteCompanion() { companion = outer_; }

Write WriteCompanion::accompanied(Write body) {
  if (!companion) return body;
  return [also = companion, body = std::move(body)](Connection& connection) -> Result<void> {
    TRY((*also)(connection));
    return body(connection);
  };
}

}  // namespace slipway::catalog
