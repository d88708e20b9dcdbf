#include "retention/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "domain/units.h"

namespace slipway::retention {
namespace {

constexpr std::int64_t kDay_us = 86'400'000'000;
constexpr size_t kNameBytesMax = 500;
const std::vector<std::string> kMembers = {"experiment", "keep_best",  "metric", "goal",
                                           "keep_last",  "after_days", "delete"};

/// One rule's members, with sentences that say which rule is meant.
class Reader {
 public:
  Reader(const Json& json, size_t number) : json_(json), number_(number) {}

  Result<void> check_members() const {
    if (!json_.is_object()) return wrong(fmt::format("is a {}; expected an object", json_.type_name()));
    for (const auto& [key, value] : json_.object()) {
      if (std::find(kMembers.begin(), kMembers.end(), key) != kMembers.end()) continue;
      const auto near = nearest(key, kMembers);
      return wrong(fmt::format("has '{}', which rules do not have; {}", clean_utf8(key, 100),
                               near ? "did you mean '" + *near + "'?" : "they have " + join(kMembers, ", ")));
    }
    return {};
  }
  Result<std::string> text(const char* key, const char* otherwise) const {
    const Json& value = json_[key];
    if (value.is_null()) return std::string(otherwise);
    if (!value.is_string() || value.string().empty() || value.string().size() > kNameBytesMax)
      return wrong(
          fmt::format("has a '{}' that is {}; expected a text of 1 to {} bytes", key, shown(value), kNameBytesMax));
    return value.string();
  }
  Result<std::int64_t> count(const char* key) const {
    const Json& value = json_[key];
    if (value.is_null()) return std::int64_t{0};
    const auto number = value.integer();
    if (!number || *number < 0 || *number > kKeptRunsMax)
      return wrong(
          fmt::format("has a '{}' that is {}; expected a whole number from 0 to {}", key, shown(value), kKeptRunsMax));
    return *number;
  }
  Result<Duration> days(const char* key) const {
    const auto number = json_[key].number();
    if (!number || !(*number >= 0 && *number <= static_cast<double>(kAfterDaysMax)))
      return wrong(fmt::format("has {} as '{}'; expected days since a run ended, from 0 to {}",
                               json_[key].is_null() ? "nothing" : shown(json_[key]), key, kAfterDaysMax));
    return Duration(std::llround(*number * static_cast<double>(kDay_us)));
  }
  Error wrong(const std::string& what) const {
    return {ErrorCode::invalid_argument, fmt::format("rule {} {}", number_, what)};
  }

 private:
  static std::string shown(const Json& value) { return clean_utf8(value.render(), 100); }

  const Json& json_;
  const size_t number_;
};

Result<Rule> parse_rule(const Json& json, size_t number) {
  const Reader reader(json, number);
  TRY(reader.check_members());
  Rule rule;
  rule.experiment = TRY(reader.text("experiment", "*"));
  rule.keep_best = TRY(reader.count("keep_best"));
  rule.keep_last = TRY(reader.count("keep_last"));
  rule.metric = TRY(reader.text("metric", ""));
  if (rule.keep_best > 0 && rule.metric.empty())
    return reader.wrong("keeps the best runs, but has no 'metric' to tell which those are");
  if (rule.keep_best == 0 && !rule.metric.empty())
    return reader.wrong("has a 'metric', but no 'keep_best': how many of the best runs stay");
  const std::string goal = TRY(reader.text("goal", "minimize"));
  if (goal != "minimize" && goal != "maximize")
    return reader.wrong(fmt::format("has the 'goal' '{}'; expected minimize or maximize", clean_utf8(goal, 100)));
  rule.maximize = goal == "maximize";
  rule.after = TRY(reader.days("after_days"));
  const std::string deletes = TRY(reader.text("delete", "artifacts"));
  if (deletes != "artifacts" && deletes != "runs")
    return reader.wrong(fmt::format("has '{}' as 'delete'; expected artifacts or runs", clean_utf8(deletes, 100)));
  rule.deletes = deletes == "runs" ? Deletes::runs : Deletes::artifacts;
  return rule;
}

double days_of(Duration duration) { return static_cast<double>(duration.count()) / static_cast<double>(kDay_us); }

/// Which runs are among the best, by their place in the list.
std::vector<bool> best_of(const Rule& rule, const std::vector<tracking::RunFacts>& runs) {
  std::vector<size_t> ranked;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].value) ranked.push_back(i);
  }
  // Of equal ones the newer, which comes first in the list.
  std::stable_sort(ranked.begin(), ranked.end(), [&](size_t a, size_t b) {
    return rule.maximize ? *runs[a].value > *runs[b].value : *runs[a].value < *runs[b].value;
  });
  std::vector<bool> best(runs.size());
  for (size_t i = 0; i < ranked.size() && i < static_cast<size_t>(rule.keep_best); ++i) best[ranked[i]] = true;
  return best;
}

}  // namespace

std::string_view name(Deletes deletes) { return deletes == Deletes::runs ? "runs" : "artifacts"; }

Result<std::vector<Rule>> parse_rules(const Json& json) {
  if (!json.is_array())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'rules' is a {}; expected an array of rules", json.type_name())};
  if (json.array().size() > kRulesMax)
    return Error{ErrorCode::too_large,
                 fmt::format("{} rules; a project has at most {}", json.array().size(), kRulesMax)};
  std::vector<Rule> rules;
  for (const Json& one : json.array()) rules.push_back(TRY(parse_rule(one, rules.size() + 1)));
  return rules;
}

Json to_json(const std::vector<Rule>& rules) {
  Json::Array out;
  for (const Rule& rule : rules) {
    Json json;
    json.set("experiment", rule.experiment).set("keep_best", rule.keep_best);
    json.set("metric", rule.metric.empty() ? Json() : Json(rule.metric))
        .set("goal", rule.maximize ? "maximize" : "minimize");
    json.set("keep_last", rule.keep_last).set("after_days", days_of(rule.after)).set("delete", name(rule.deletes));
    out.push_back(std::move(json));
  }
  return Json(std::move(out));
}

std::string describe(const Rule& rule) {
  std::vector<std::string> kept;
  if (rule.keep_best > 0)
    kept.push_back(
        fmt::format("the best {} by {} ({})", rule.keep_best, rule.metric, rule.maximize ? "largest" : "smallest"));
  if (rule.keep_last > 0) kept.push_back(fmt::format("the last {}", rule.keep_last));
  kept.emplace_back("pinned and needed ones");
  const std::string of = rule.experiment == "*" ? "each experiment" : "the experiment " + rule.experiment;
  return fmt::format("of {} stay {}; {} of the others are deleted {} after they ended", of, join(kept, ", "),
                     rule.deletes == Deletes::runs ? "all" : "the artifacts", render_duration(rule.after));
}

/// Goes back to the last * only, so that no pattern takes longer than its length times the name's.
bool matches(std::string_view pattern, std::string_view experiment) {
  size_t at = 0, in = 0, star = std::string_view::npos, resume = 0;
  while (in < experiment.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = in;
    } else if (at < pattern.size() && pattern[at] == experiment[in]) {
      ++at, ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

const Rule* rule_for(const std::vector<Rule>& rules, std::string_view experiment) {
  for (const Rule& rule : rules) {
    if (matches(rule.experiment, experiment)) return &rule;
  }
  return nullptr;
}

std::vector<std::string> judge(const Rule& rule, const std::vector<tracking::RunFacts>& runs, Time now) {
  const std::vector<bool> best = best_of(rule, runs);
  std::vector<std::string> reasons;
  for (size_t i = 0; i < runs.size(); ++i) {
    const tracking::RunFacts& run = runs[i];
    std::string reason;
    if (run.is_pinned)
      reason = "it is pinned";
    else if (!is_over(run.state))
      reason = "it is not over";
    else if (best[i])
      reason = fmt::format("it is one of the best {} by {}", rule.keep_best, rule.metric);
    else if (i < static_cast<size_t>(rule.keep_last))
      reason = fmt::format("it is one of the last {}", rule.keep_last);
    else if (now - run.ended_at.value_or(run.started_at) < rule.after)
      reason = fmt::format("it ended less than {} ago", render_duration(rule.after));
    reasons.push_back(std::move(reason));
  }
  return reasons;
}

}  // namespace slipway::retention
