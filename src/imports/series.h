// Runs that are nothing but points: event files of TensorBoard, tables. Their ids are made from what they are, so that
// the same thing imported again is the same run, and only points that are new make a difference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imports/destination.h"

namespace slipway::imports {

/// 32 hex digits, the same for the same text.
std::string id_of_origin(std::string_view text);
/// The key with what MLflow's protocol does not take replaced by '_'. Never empty.
std::string clean_key(std::string_view key);

/// One run on its way: made with the first point, sent in batches.
class SeriesRun {
 public:
  SeriesRun(std::string id, std::string name, std::string origin)
      : id_(std::move(id)), name_(std::move(name)), origin_(std::move(origin)) {}

  Result<void> add(Destination& destination, const std::string& experiment, Point point);
  /// Sends what waits.
  Result<void> flush(Destination& destination, const std::string& experiment);
  /// The run is over, since its last point. Without a point there is no run.
  Result<void> finish(Destination& destination, const std::string& experiment);

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  std::int64_t points() const { return points_; }

 private:
  Result<void> put(Destination& destination, const std::string& experiment, const char* status);

  const std::string id_, name_, origin_;
  std::vector<Point> waiting_;
  std::int64_t points_ = 0, first_ms_ = 0, last_ms_ = 0;
  bool is_made_ = false;
};

}  // namespace slipway::imports
