#include "api/idempotency.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "catalog/companion.h"
#include "http/wrap.h"

namespace slipway::api {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;
using catalog::Values;

constexpr Duration kSweepInterval = std::chrono::minutes(10);

constexpr const char* kFind =
    "SELECT fingerprint, fence, server, claimed_at, wrote, status, body, created_at FROM idempotency_keys "
    "WHERE member_id = ? AND project_id = ? AND request_key = ?";
constexpr const char* kInsert =
    "INSERT INTO idempotency_keys (member_id, project_id, request_key, fingerprint, fence, server, claimed_at, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kTakeOver =
    "UPDATE idempotency_keys SET fence = ?, server = ?, claimed_at = ? WHERE member_id = ? AND project_id = ? AND request_key = ?";
constexpr const char* kForget =
    "DELETE FROM idempotency_keys WHERE member_id = ? AND project_id = ? AND request_key = ?";
constexpr const char* kMark =
    "UPDATE idempotency_keys SET wrote = 1 WHERE member_id = ? AND project_id = ? AND request_key = ? AND fence = ?";
constexpr const char* kForgetUnwritten =
    "DELETE FROM idempotency_keys WHERE member_id = ? AND project_id = ? AND request_key = ? AND fence = ? AND wrote = 0";
constexpr const char* kKeep =
    "UPDATE idempotency_keys SET status = ?, body = ? WHERE member_id = ? AND project_id = ? AND request_key = ? AND fence = ?";
constexpr const char* kSweep = "DELETE FROM idempotency_keys WHERE created_at < ?";

/// What makes two requests the same.
std::string fingerprint(const http::Request& request) {
  Hasher hasher;
  hasher.update(http::name(request.method));
  hasher.update(" " + request.target + "\n");
  hasher.update(request.body);
  return render(hasher.finish());
}

http::Response refusal(int status, ErrorCode code, std::string message) {
  http::Response response = error_response({code, std::move(message)});
  response.status = status;
  return response;
}

bool is_key(std::string_view text) {
  const auto is_visible = [](char c) { return c >= ' ' && c < 0x7f; };
  return !text.empty() && text.size() <= kIdempotencyKeyBytesMax && std::all_of(text.begin(), text.end(), is_visible);
}

/// This server is at it, until this goes (also by an exception).
class UnderWay {
 public:
  UnderWay(Guarded<std::set<std::string>>& fences, std::string fence) : fences_(fences), fence_(std::move(fence)) {
    fences_.lock()->insert(fence_);
  }
  ~UnderWay() { fences_.lock()->erase(fence_); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  Guarded<std::set<std::string>>& fences_;
  const std::string fence_;
};

}  // namespace

/// One try at one request.
struct Idempotency::Claim {
  std::string member, project, key, fingerprint, fence;
  bool finds_itself = false;

  Values named() const { return {member, project, key}; }
  Values fenced() const { return {member, project, key, fence}; }
};

/// What there was when the claim was made.
struct Idempotency::Earlier {
  enum class State { none, other_request, under_way, answered, lost };
  State state = State::none;  // none: the claim is ours
  std::int64_t status = 0;
  std::optional<std::string> body;
  Time at;
};

Idempotency::Idempotency(catalog::Database& database, const Clock& clock, Counters& counters)
    : database_(database),
      clock_(clock),
      server_(new_id_text(clock)),
      replayed_(counters.counter("api_creates_replayed_total",
                                 "Creates answered from an earlier request with the same Idempotency-Key")),
      refused_(counters.counter("api_creates_refused_total", "Creates refused because of their Idempotency-Key")) {}

std::string Idempotency::request_key(const http::Request& request) {
  const std::string_view key = request.headers.get("Idempotency-Key");
  if (key.empty()) return "";
  return render(hash_of(fmt::format("{}\n{}\n{}", caller_of(request).member.text, key, fingerprint(request))));
}

http::Handler Idempotency::around(http::Handler create, Create options) {
  return [this, create = std::move(create), options](http::Request& request, const http::Responder& responder) {
    if (!request.headers.has("Idempotency-Key")) return create(request, responder);
    responder.send(carry_out(create, options, request));
  };
}

http::Response Idempotency::carry_out(const http::Handler& create, Create options, http::Request& request) {
  const std::string_view key = request.headers.get("Idempotency-Key");
  if (!is_key(key)) {
    return error_response(
        {ErrorCode::invalid_argument,
         fmt::format("the Idempotency-Key has {} bytes; expected 1 to {} of visible ASCII, such as a UUID", key.size(),
                     kIdempotencyKeyBytesMax)});
  }
  sweep_if_due();
  const Claim ours{caller_of(request).member.text, project_of(request).text, std::string(key),
                   fingerprint(request),           new_id_text(clock_),      options.finds_itself};
  const UnderWay under_way(under_way_, ours.fence);
  auto earlier = claim(ours);
  // Two at once, on PostgreSQL: the second to write the row reads it now.
  if (!earlier.ok() && earlier.error().code == ErrorCode::already_exists) earlier = claim(ours);
  if (!earlier.ok()) return error_response(earlier.error());
  if (earlier->state != Earlier::State::none) return answer_earlier(*earlier, options);
  http::Response answer = create_as(ours, create, request);
  if (const auto kept = keep(ours, answer, options.keeps_body); !kept.ok()) {
    // The client gets its answer; only a retry would be worse off.
    log_warning("api", "the answer to a create could not be kept for its Idempotency-Key",
                {{"path", request.path}, {"error", kept.error().message}});
  }
  return answer;
}

Result<Idempotency::Earlier> Idempotency::claim(const Claim& claim) {
  const Time now = clock_.now();
  return database_.write_value(Durability::record, [&](Connection& c) -> Result<Earlier> {
    struct Found {
      std::string fingerprint, fence, server;
      Time claimed_at, created_at;
      bool wrote = false;
      std::optional<std::int64_t> status;
      std::optional<std::string> body;
    };
    const auto found = TRY(c.first(kFind, claim.named(), [](const Row& row) {
      return Found{std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), Time{row.integer(3)},
                   Time{row.integer(7)},     row.integer(4) != 0,      row.maybe_integer(5),     row.maybe_text(6)};
    }));
    const bool is_old = found && found->created_at < now - kIdempotencyKeysKeptFor;
    if (is_old) TRY(c.run(kForget, claim.named()));
    if (!found || is_old) {
      TRY(c.run(kInsert, {claim.member, claim.project, claim.key, claim.fingerprint, claim.fence, server_, now.micros,
                          now.micros}));
      return Earlier{};
    }
    using State = Earlier::State;
    if (found->fingerprint != claim.fingerprint) return Earlier{State::other_request, 0, {}, found->created_at};
    if (found->status) return Earlier{State::answered, *found->status, found->body, found->created_at};
    const bool is_ours = found->server == server_;
    const bool is_held = is_ours ? under_way_.lock()->contains(found->fence)
                                 : c.is_postgres() && now < found->claimed_at + kClaimHeldFor;
    if (is_held) return Earlier{State::under_way, 0, {}, found->created_at};
    if (found->wrote && !claim.finds_itself) return Earlier{State::lost, 0, {}, found->created_at};
    TRY(c.run(kTakeOver, {claim.fence, server_, now.micros, claim.member, claim.project, claim.key}));
    return Earlier{};
  });
}

http::Response Idempotency::answer_earlier(const Earlier& earlier, Create options) const {
  if (earlier.state == Earlier::State::answered && earlier.body) {
    replayed_.add();
    http::Response response = http::Response::json(*earlier.body, static_cast<int>(earlier.status));
    response.headers.set("Idempotency-Replayed", "true");
    return response;
  }
  refused_.add();
  const std::string since = "the request with this Idempotency-Key of " + render(earlier.at);
  switch (earlier.state) {
    case Earlier::State::other_request:
      return refusal(422, ErrorCode::invalid_argument,
                     since + " was another one (method, path, query or body differ); a new request needs a new key");
    case Earlier::State::under_way: {
      http::Response response =
          refusal(409, ErrorCode::busy, since + " is still being carried out; send it again in a moment");
      response.headers.set("Retry-After", "1");
      return response;
    }
    case Earlier::State::lost:
      return refusal(
          409, ErrorCode::already_exists,
          since +
              " was carried out, but the server ended before it could keep the answer; look for the record instead of sending the request again");
    default:
      return refusal(409, ErrorCode::already_exists,
                     fmt::format("{} was carried out and answered {}; {}", since, earlier.status,
                                 options.keeps_body ? "its answer was too long to be kept"
                                                    : "its answer holds a secret, which is told only once"));
  }
}

http::Response Idempotency::create_as(const Claim& claim, const http::Handler& create, http::Request& request) {
  const catalog::WriteCompanion companion([claim](Connection& c) -> Result<void> {
    if (TRY(c.run(kMark, claim.fenced())) > 0) return {};
    return Error{ErrorCode::unavailable, "another server has taken this request over; send it again to get its answer"};
  });
  return http::answer_of(create, request);
}

Result<void> Idempotency::keep(const Claim& claim, const http::Response& answer, bool keeps_body) {
  const bool keeps = keeps_body && answer.body.size() <= kKeptAnswerBytesMax;
  const Value body = keeps ? Value(answer.body) : Value(nullptr);
  return database_.write(
      Durability::record, catalog::Write([&](Connection& c) -> Result<void> {
        const bool was_refused = answer.status >= 400;
        if (was_refused && TRY(c.run(kForgetUnwritten, claim.fenced())) > 0) return {};
        TRY(c.run(kKeep, {std::int64_t{answer.status}, body, claim.member, claim.project, claim.key, claim.fence}));
        return {};
      }));
}

void Idempotency::sweep_if_due() {
  const Time now = clock_.now();
  {
    auto swept_at = swept_at_.lock();
    if (now < *swept_at + kSweepInterval) return;
    *swept_at = now;
  }
  database_.write(
      Durability::stream,
      [before = now - kIdempotencyKeysKeptFor](Connection& c) -> Result<void> {
        TRY(c.run(kSweep, {before.micros}));
        return {};
      },
      [](const Result<void>& swept) {
        if (!swept.ok())
          log_warning("api", "old Idempotency-Keys could not be removed", {{"error", swept.error().message}});
      });
}

}  // namespace slipway::api
