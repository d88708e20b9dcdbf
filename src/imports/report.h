// What an import did, and what it could not carry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::imports {

/// Problems beyond this are only counted.
inline constexpr size_t kProblemsMax = 1'000;

struct Counts {
  std::int64_t seen = 0, carried = 0, unchanged = 0;
};

struct Report {
  Counts experiments, runs, logged_models, models, versions, aliases;
  std::int64_t points = 0, files = 0;
  std::uint64_t file_bytes = 0;
  std::vector<std::string> problems;     // sentences: what, and why not
  std::int64_t problems_more = 0;        // beyond kProblemsMax
  std::vector<std::string> left_behind;  // what the source has that is not carried

  void add_problem(std::string sentence);
  void add(const Report& other);
};

Json report_json(const Report& report, bool dry);
/// Lines for people.
std::string render(const Report& report, bool dry);

}  // namespace slipway::imports
