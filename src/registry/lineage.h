// Lineage: what came from what. An edge goes from a cause to what was made with it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/ids.h"

namespace slipway::registry {

/// A noun and the id of one of its things: {"run", "3f…"}, {"dataset_commit", "01…"}, {"model_version", "digits/2"}.
struct Node {
  std::string kind, id;
  auto operator<=>(const Node&) const = default;
};

struct Edge {
  Node from, to;
  std::string relation;  // "input", "output", "trained", "evaluated", "deployed", …
  Time at;
};

inline constexpr size_t kLineageNameBytesMax = 512;
inline constexpr size_t kLineageEdgesMax = 10'000;  // answered at once
inline constexpr int kLineageDepthMax = 64;

/// Thread-safe; blocks for the database.
class Lineage {
 public:
  Lineage(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Edges that are there already stay as they are. All or none.
  Result<void> add(const ProjectId& project, std::span<const Edge> edges);
  Result<void> add(const ProjectId& project, const Node& from, const Node& to, std::string_view relation);

  /// What was made with it; what it was made of.
  Result<std::vector<Edge>> outgoing(const Node& node);
  Result<std::vector<Edge>> incoming(const Node& node);
  /// Every edge on the way back to the first causes (`backwards`) or on to everything made with it, nearest first; at
  /// most `depth` steps and kLineageEdgesMax edges.
  Result<std::vector<Edge>> walk(const Node& start, bool backwards, int depth = kLineageDepthMax);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

}  // namespace slipway::registry
