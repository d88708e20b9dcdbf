// A saved view: what a page of the web UI shows (filter, order, columns, charts), kept under a name for its project.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

using ViewId = Id<struct ViewTag>;

struct SavedView {
  ViewId id;
  ProjectId project;
  std::string page;    // a word of the web UI: "runs", "samples of digits"
  std::string name;    // unique among those of its page
  std::string query;   // of the page's URL, without the question mark
  std::string member;  // the name of who made it
  Time created_at, updated_at;
};

inline constexpr size_t kViewPageBytesMax = 300;
inline constexpr size_t kViewNameBytesMax = 200;
inline constexpr size_t kViewQueryBytesMax = 16'384;

/// Both: not empty, without control characters and spaces at its ends.
Result<void> check_view_page(std::string_view page);
Result<void> check_view_name(std::string_view name);
/// As a browser writes it: visible ASCII, everything else percent-encoded; without '?' in front and without '#', so
/// that it can be nothing but the query of a URL. May be empty: the page as it is at first.
Result<void> check_view_query(std::string_view query);

}  // namespace slipway
