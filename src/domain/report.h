// A report: Markdown that people of a project write together, with live charts and tables of runs in it. Each change
// makes a numbered revision that keeps the whole of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

using ReportId = Id<struct ReportTag>;

struct Report {
  ReportId id;
  ProjectId project;
  std::string title;
  std::string text;           // Markdown; the blocks `chart` and `runs` in it are read by the web UI alone
  std::int64_t revision = 0;  // the newest one, from 1 on
  std::string author;         // the name of who made it
  std::string editor;         // and of who changed it last
  Time created_at, updated_at;
  std::optional<Time> deleted_at;
};

/// What a report was from one change to the next.
struct ReportRevision {
  std::int64_t number = 0;
  std::string title;
  std::string text;
  std::int64_t bytes = 0;  // of the text
  std::string member;      // the name of whose change it is
  Time created_at;
};

inline constexpr size_t kReportTitleBytesMax = 200;
inline constexpr size_t kReportTextBytesMax = 262'144;

/// A line of text: not empty, without control characters and spaces at its ends.
Result<void> check_report_title(std::string_view title);
/// UTF-8, without control characters but tabs and ends of lines. May be empty.
Result<void> check_report_text(std::string_view text);

}  // namespace slipway
