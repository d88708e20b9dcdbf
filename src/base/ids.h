// Ids are types: a RunId is not a ModelId. All are time-ordered, so new rows land at the end of their index.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace slipway {

/// A string that names one kind of thing. Constructing one says nothing about whether the thing exists.
template <typename Tag>
struct Id {
  std::string text;

  Id() = default;
  explicit Id(std::string_view t) : text(t) {}
  bool empty() const { return text.empty(); }
  auto operator<=>(const Id&) const = default;
};

/// 26 characters of Crockford base 32: 48 bits of milliseconds, 80 random bits (the ULID layout). Ids of one process
/// are strictly increasing.
std::string new_id_text(const Clock& clock);

/// 32 lower-case hex digits: 48 bits of milliseconds, 80 random bits. Runs use these, because MLflow clients expect
/// the look of a UUID without dashes.
std::string new_hex_id_text(const Clock& clock);

template <typename IdType>
IdType new_id(const Clock& clock) {
  return IdType(new_id_text(clock));
}

/// Letters, digits, '_' and '-', 1 to 256 characters, the first one no '-': what may stand for an id in a URL.
bool looks_like_id(std::string_view text);

}  // namespace slipway

template <typename Tag>
struct std::hash<slipway::Id<Tag>> {
  size_t operator()(const slipway::Id<Tag>& id) const { return std::hash<std::string>()(id.text); }
};
