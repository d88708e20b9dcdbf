// Idempotency-Key: a create that is sent again does not happen again.
//
// A client whose connection broke cannot know whether its create happened. So it sends a key of its own making with it,
// and sends the same request with the same key again until it gets an answer. Keys belong to a member and a project.
//
// Life of a create with a key:
//   1. claim   A row for the key is written and synced. It names a fence: a new id that stands for this one try.
//   2. create  The handler runs as always. In front of each of its writes, in the same transaction, the row is marked
//   as
//              "something was written" (catalog/companion.h); the write is refused when the row names another fence. So
//              a record is committed only together with the knowledge that it was, and only by the one who holds the
//              claim.
//   3. keep    The answer is written into the row and synced; only then the client gets it. If nothing was written (the
//   request
//              was refused), the row goes instead, and the key is free.
//
// What a retry gets:
//   the same request, answered        the same status and body, with `Idempotency-Replayed: true`
//   the same request, under way       409 busy with Retry-After
//   another request with that key     422
//   died between 1 and 2              nothing was written: the retry takes the claim over and the create happens now,
//   once died between 2 and 3              it was written, but its answer is lost: 409, and the sentence says to look
//   for the record;
//                                     never a second one. Creates that find what they made by themselves (submitting a
//                                     run) are carried out again instead, and answer what there is.
//
// "Died" is known at once on SQLite, which has one server. On PostgreSQL another server may still be at it, so its
// claim holds for kClaimHeldFor; taking over is safe even if it lives, because its writes fail at the fence from then
// on.
#pragma once

#include <set>
#include <string>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "catalog/catalog.h"
#include "http/http.h"

namespace slipway::api {

inline constexpr Duration kIdempotencyKeysKeptFor = std::chrono::hours(24);
inline constexpr Duration kClaimHeldFor = std::chrono::seconds(30);
inline constexpr size_t kIdempotencyKeyBytesMax = 256;
/// Longer answers are not kept; a retry is told so.
inline constexpr size_t kKeptAnswerBytesMax = 1 << 20;

/// Thread-safe; blocks for the database. No thread of its own.
class Idempotency {
 public:
  /// Both outlive this, and this outlives the handlers it is around.
  Idempotency(catalog::Database& database, const Clock& clock, Counters& counters);

  struct Create {
    bool keeps_body = true;     // false: the answer holds a secret, which is told once and kept nowhere
    bool finds_itself = false;  // carried out again, it finds what it made
  };
  /// `create` with all of the above around it; without the header it is just `create`, which must answer on the thread
  /// it is called on, before it returns.
  http::Handler around(http::Handler create, Create options);

  /// For creates that find what they made by themselves: the same for the same request of the same member with the same
  /// key, and for no other. Empty without a key.
  static std::string request_key(const http::Request& request);

 private:
  struct Claim;
  struct Earlier;
  http::Response carry_out(const http::Handler& create, Create options, http::Request& request);
  Result<Earlier> claim(const Claim& claim);
  http::Response answer_earlier(const Earlier& earlier, Create options) const;
  http::Response create_as(const Claim& claim, const http::Handler& create, http::Request& request);
  Result<void> keep(const Claim& claim, const http::Response& answer, bool keeps_body);
  void sweep_if_due();

  catalog::Database& database_;
  const Clock& clock_;
  const std::string server_;  // this run of the program, among all that use the database
  Counter& replayed_;
  Counter& refused_;
  Guarded<std::set<std::string>> under_way_;  // fences
  Guarded<Time> swept_at_;
};

}  // namespace slipway::api
