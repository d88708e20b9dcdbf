// Scorers: what judges an application's answers (a built-in rule, or a judge with instructions for a language model),
// registered under a name in an experiment and versioned from 1. What a scorer is made of is written by MLflow's client
// as JSON; Slipway keeps and hands back that text and never runs it. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

using ScorerId = Id<struct ScorerTag>;                  // 32 hex digits
using ScorerSamplingId = Id<struct ScorerSamplingTag>;  // 32 hex digits

/// One version of a scorer.
struct Scorer {
  ScorerId id;  // of all its versions
  ExperimentId experiment;
  std::int64_t experiment_number = 0;
  std::string name;
  std::int64_t version = 0;
  std::string body;  // JSON
  Time created_at;
};

/// Which share of an experiment's traces a scorer should see as they come. Kept for clients that ask; it is only above
/// zero for a scorer whose judge the server itself can reach, and there is no such judge yet.
struct ScorerSampling {
  ScorerSamplingId id;
  ScorerId scorer;
  ExperimentId experiment;
  double rate = 0;  // 0 to 1
  std::optional<std::string> filter;
};

inline constexpr size_t kScorerNameMax = 256;  // characters
inline constexpr size_t kScorerBodyBytesMax = 256 << 10;
inline constexpr std::int64_t kScorerVersionsMax = 1000;  // of one scorer

Result<void> check_scorer_name(std::string_view name);
/// Refuses what would harm whoever loads the scorer: source code (it is run by loading it) and options that send a
/// judge's requests, with their credentials, to a host of somebody's choice; wherever they lie in it. not_found for a
/// judge behind a gateway, which this server has not.
Result<void> check_scorer_body(std::string_view body);

}  // namespace slipway
