// What a project keeps of its runs: "of each experiment the best 5 by val_loss and the last 10; of the others the files
// go 30 days after they ended". A list of rules; the first whose experiment matches counts, and what no rule matches
// stays. All of it is pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "tracking/run_facts.h"

namespace slipway::retention {

enum class Deletes { runs, artifacts };
std::string_view name(Deletes deletes);

struct Rule {
  std::string experiment = "*";  // a name, in which * stands for any text
  std::int64_t keep_best = 0;    // by the latest value of `metric`
  std::string metric;
  bool maximize = false;
  std::int64_t keep_last = 0;  // that started last
  Duration after{0};           // since a run ended
  Deletes deletes = Deletes::artifacts;
  bool operator==(const Rule&) const = default;
};

inline constexpr size_t kRulesMax = 50;
inline constexpr std::int64_t kKeptRunsMax = 1'000'000;
inline constexpr std::int64_t kAfterDaysMax = 36'500;

/// An array of objects with these members; the error names the rule (counted from 1), the member, what was found and
/// what is expected.
Result<std::vector<Rule>> parse_rules(const Json& json);
Json to_json(const std::vector<Rule>& rules);
/// As a sentence: "keeps the best 5 by val_loss (smallest) and the last 10 of each experiment; …".
std::string describe(const Rule& rule);

bool matches(std::string_view pattern, std::string_view experiment);
/// The first rule for an experiment, or nullptr.
const Rule* rule_for(const std::vector<Rule>& rules, std::string_view experiment);

/// Why each of an experiment's runs stays; empty for those that go, unless something needs them.
std::vector<std::string> judge(const Rule& rule, const std::vector<tracking::RunFacts>& runs, Time now);

}  // namespace slipway::retention
