#include "catalog/lease.h"

#include "base/ids.h"

namespace slipway::catalog {
namespace {

constexpr std::string_view kTake =
    "INSERT INTO leases (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
    "holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder OR leases.until < ?";
constexpr std::string_view kGiveBack = "DELETE FROM leases WHERE name = ? AND holder = ?";

}  // namespace

Lease::Lease(Database& database, std::string name, Duration length)
    : database_(database), name_(std::move(name)), length_(length), holder_(new_id_text(system_clock())) {}

Lease::~Lease() {
  if (*until_.lock() == Time{0}) return;
  // Whether it worked or not: it would run out by itself.
  (void)database_
      .write(Durability::stream, Write([this](Connection& c) -> Result<void> {
               TRY(c.run(kGiveBack, {name_, holder_}));
               return {};
             }))
      .ok();
}

bool Lease::hold(Time now) {
  const Time until = *until_.lock();
  const bool held = now < until;
  if (held && until - now > length_ * 2 / 3) return true;
  return take(now) || (held && now < *until_.lock());
}

bool Lease::take(Time now) {
  const auto taken = database_.write_value(Durability::stream, [&](Connection& c) -> Result<bool> {
    return TRY(c.run(kTake, {name_, holder_, (now + length_).micros, now.micros})) == 1;
  });
  if (!taken.ok()) return false;
  *until_.lock() = *taken ? now + length_ : Time{0};
  return *taken;
}

}  // namespace slipway::catalog
