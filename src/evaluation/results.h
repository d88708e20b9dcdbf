// Per-sample results of one version on one dataset commit: a Parquet file, and the questions asked of it. A slice is a
// query in the filter language over the sample's attributes and its result.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/filter.h"
#include "evaluation/statistics.h"

namespace slipway::evaluation {

/// A sample's attribute: a number or a text; none when the sample lacks it.
using AttributeValue = std::variant<std::nullptr_t, double, std::string>;

/// What a version made of one sample.
struct SampleResult {
  std::string key;    // of the sample
  std::string label;  // what is right; for segmentation empty
  std::string prediction;
  std::optional<double> confidence;  // 0 to 1
  double score = 0;        // classification: 1 right, 0 wrong; segmentation: mean IoU over the classes present, 0 to 1
  std::string image_hash;  // the blob of the input stream, for looking at it
  std::map<std::string, double> statistics;  // figures of the input and output (domain/prediction.h), by name
  std::map<std::string, AttributeValue> attributes;
};

inline constexpr size_t kAttributesMax = 200;
inline constexpr size_t kSlicesMax = 200;
inline constexpr std::int64_t kResultPageMax = 1000;

/// Writes one row per result. Attributes that are numbers wherever they are present become numeric columns.
Result<void> write_parquet(const std::filesystem::path& path, const std::vector<SampleResult>& results);

/// A filter over results that was understood: SQL with its values. Names: key, label, prediction, confidence, score,
/// correct (score = 1), any statistic, any attribute.
struct Condition {
  std::string sql;  // "TRUE" for an empty filter
  catalog::Values values;
};

/// One evaluation's results, loaded for questions. One thread at a time.
class Results {
 public:
  static Result<Results> open(const std::filesystem::path& parquet);

  /// invalid_argument names the word that is no column and the nearest one that is.
  Result<Condition> understand(std::string_view filter) const;

  Result<std::int64_t> count(const Condition& condition);
  /// The mean score over the samples of a slice: as a share (Wilson) when scores are 0 or 1, else as a mean (t).
  Result<Interval> score(const Condition& condition);
  /// In the order of keys, after `after`.
  Result<std::vector<SampleResult>> samples(const Condition& condition, std::string_view after, std::int64_t most);
  /// Every distinct value of an attribute, with how many samples have it, at most `most`, most frequent first.
  Result<std::vector<std::pair<std::string, std::int64_t>>> values_of(std::string_view attribute, std::int64_t most);
  /// Values of a statistic over all samples; NULLs left out.
  Result<std::vector<double>> statistic(std::string_view name);
  /// (key, score) of a slice, ordered by key.
  Result<std::vector<std::pair<std::string, double>>> scores(const Condition& condition);

  const std::vector<std::string>& columns() const { return columns_; }

 private:
  Results(std::unique_ptr<catalog::Connection> duck, std::vector<std::string> columns, std::vector<bool> numeric)
      : duck_(std::move(duck)), columns_(std::move(columns)), numeric_(std::move(numeric)) {}

  std::unique_ptr<catalog::Connection> duck_;
  std::vector<std::string> columns_;
  std::vector<bool> numeric_;
};

/// One slice of two evaluations on the same samples.
struct SliceComparison {
  std::string slice;
  Interval left, right, difference;  // right − left, paired
  Verdict verdict = Verdict::unclear;
  std::int64_t fixed = 0, broken = 0;  // scores that went from below 1 to 1, and back
};

/// Only samples that both have, by key, count; the slice is asked of the right one, whose attributes are the newer.
Result<SliceComparison> compare(Results& left, Results& right, std::string slice, std::string_view filter,
                                double tolerance);

}  // namespace slipway::evaluation
