// Credentials as other rooms see them: who issues one is not their business.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

/// Issues short-lived tokens that speak for one run. Implemented by teams, wired in apps/server. Thread-safe; blocks
/// for a database write.
class TokenIssuer {
 public:
  virtual ~TokenIssuer() = default;
  /// A secret, shown once. It may do what `member` may do, for that run, until `lifetime` has passed.
  virtual Result<std::string> issue_run_token(const RunId& run, const MemberId& member, Duration lifetime) = 0;
  virtual Result<void> revoke_run_tokens(const RunId& run) = 0;
};

/// A member's id by name; not_found when there is none. Implemented by teams.
using MemberLookup = std::function<Result<MemberId>(const std::string& member_name)>;

}  // namespace slipway
