// Finding runs and experiments: a filter and an order become parameterised SQL that walks an index; pages go on by key,
// so the thousandth page costs what the first does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "domain/filter.h"
#include "tracking/metric_sorter.h"
#include "tracking/metrics.h"
#include "tracking/records.h"
#include "tracking/runs.h"

namespace slipway::tracking {

enum class View { active, deleted, all };

struct RunQuery {
  ProjectId project;
  std::vector<ExperimentId> experiments;  // empty: none, unless all_experiments
  bool all_experiments = false;
  Filter filter;
  std::vector<OrderTerm> order;  // then newest first
  View view = View::active;
  size_t page_size = 100;
  std::string page_token;
  RunParts parts;
  bool count = false;  // also count all that pass
};

struct RunPage : Paged<Run> {
  std::optional<std::int64_t> total;
};

struct ExperimentQuery {
  ProjectId project;
  Filter filter;
  std::vector<OrderTerm> order;
  View view = View::active;
  size_t page_size = 100;
  std::string page_token;
};

struct PageMark;

inline constexpr size_t kPageSizeMax = 50'000;
inline constexpr size_t kOrderTermsMax = 20;

/// Thread-safe; blocks for the database.
class Search {
 public:
  Search(catalog::Database& database, MetricSorter& sorter, const Metrics& metrics)
      : database_(database), sorter_(sorter), metrics_(metrics) {}

  /// invalid_argument for a name or comparison that runs do not have, and for a page token of another query.
  Result<RunPage> runs(const RunQuery& query);
  Result<Paged<Experiment>> experiments(const ExperimentQuery& query);
  /// Parameter or tag keys of the project's runs, sorted.
  Result<std::vector<std::string>> keys(const ProjectId& project, FilterEntity entity,
                                        std::optional<ExperimentId> experiment, size_t most);

 private:
  Result<std::optional<RunPage>> read_page(const RunQuery& query, const PageMark& mark, bool reads_log);

  catalog::Database& database_;
  MetricSorter& sorter_;
  const Metrics& metrics_;
};

}  // namespace slipway::tracking
