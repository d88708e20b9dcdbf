// What a pipeline run is to do, read once from its slipway.yaml: the file, the pipeline with its parameters, the graph.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "pipelines/graph.h"

namespace slipway::pipelines {

struct Plan {
  ProjectFile file;
  Pipeline pipeline;  // with the given parameters over its own
  Graph graph;
};

/// Everything about a pipeline that can be checked before anything runs. `parameters` is node -> parameter -> value.
/// The error says what is wrong: the file (with its line), a pipeline or node that does not exist (and the nearest
/// one), a circle, an output that no step declares, a parameter that does not fit.
Result<Plan> make_plan(std::string_view file, std::string_view pipeline, const Json& parameters);

inline constexpr size_t kPlansKept = 64;

/// The plans used last, at most kPlansKept. Thread-safe.
class Plans {
 public:
  /// The plan of this key; `make` is called when it is not here. What a key means must not change.
  Result<std::shared_ptr<const Plan>> get(const std::string& key, const std::function<Result<Plan>()>& make);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<const Plan>>;
  Guarded<std::list<Entry>> kept_;  // the one used last comes first
};

}  // namespace slipway::pipelines
