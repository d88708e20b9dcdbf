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
#include "tracking/search_totals.h"

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
  bool count = false;  // also count all that pass; where that takes long, the number may be kTotalKeptMax old
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
struct Asked;

inline constexpr size_t kPageSizeMax = 50'000;
inline constexpr size_t kOrderTermsMax = 20;
inline constexpr std::int64_t kKeyRunsMax = 5'000;

/// Thread-safe; blocks for the database.
class Search {
 public:
  Search(catalog::Database& database, MetricSorter& sorter, const Metrics& metrics)
      : database_(database), sorter_(sorter), metrics_(metrics) {}

  /// invalid_argument for a name or comparison that runs do not have, and for a page token of another query.
  Result<RunPage> runs(const RunQuery& query);
  Result<Paged<Experiment>> experiments(const ExperimentQuery& query);
  /// Keys of metrics, parameters or tags of the runs of a project or of one experiment, sorted; at most `most`. Those
  /// of parameters and tags are looked for in the newest kKeyRunsMax runs.
  Result<std::vector<std::string>> keys(const ProjectId& project, FilterEntity entity,
                                        std::optional<ExperimentId> experiment, size_t most);

 private:
  Result<std::optional<RunPage>> read_page(const RunQuery& query, const PageMark& mark, bool reads_log);
  Result<std::int64_t> total_of(const Asked& asked);

  catalog::Database& database_;
  MetricSorter& sorter_;
  const Metrics& metrics_;
  SearchTotals totals_;
};

}  // namespace slipway::tracking
