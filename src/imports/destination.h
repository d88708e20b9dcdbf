// The Slipway server that records are carried into, over its HTTP API.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imports/rest.h"
#include "imports/source.h"

namespace slipway::imports {

/// Tags that an import leaves on what it carried.
inline constexpr const char* kOriginTag = "slipway.import.from";  // where a person finds it there
inline constexpr const char* kStateTag = "slipway.import.state";  // what of it is here: see carry.h

inline constexpr size_t kPointsPerRequest = 1'000;

/// A run as it is here already.
struct KnownRun {
  std::string state_tag;
  std::map<std::string, Point> latest;
};

/// One thread at a time. With `dry` nothing is written, and what would be made has an empty id. Every write may be said
/// again without a second copy of anything.
class Destination {
 public:
  struct Place {
    std::string url, token, project;
    bool dry = false;
  };
  static Result<Destination> open(const Place& place);

  bool dry() const { return place_.dry; }

  /// The id of the experiment of that name, made when there is none. failed_precondition when it is deleted here.
  Result<std::string> experiment(const std::string& name, const Pairs& tags);
  Result<std::optional<KnownRun>> run(const std::string& id);
  /// `state` in our words (finished, …). True when it was not here.
  Result<bool> put_run(const SourceRun& run, const std::string& experiment, const Pairs& further_tags);
  Result<void> put_logged_model(const SourceLoggedModel& model, const std::string& experiment);
  /// At most kPointsPerRequest.
  Result<void> log_points(const std::string& run, std::span<const Point> points);
  /// The datasets it read and, with `models`, the logged models it read and made.
  Result<void> log_links(const SourceRun& run, bool models);
  Result<void> log_parameter(const std::string& run, const std::string& key, const std::string& value);
  Result<void> set_tag(const std::string& run, const std::string& key, const std::string& value);

  /// Sizes by path.
  Result<std::map<std::string, std::uint64_t>> files(const Owner& owner);
  Result<void> put_file(const Owner& owner, const std::string& path, const std::filesystem::path& file);

  /// The model as `GET /api/v1/models/{name}` shows it, or null.
  Result<Json> model(const std::string& name);
  Result<void> make_model(const SourceModel& model);
  /// The version as the API shows it, or null.
  Result<Json> version(const std::string& model, std::int64_t number);
  /// already_exists when it was removed here.
  Result<void> make_version(const std::string& model, const SourceVersion& version, const std::string& source);
  Result<void> change_version(const std::string& model, std::int64_t number, const Json& change);
  Result<void> move_alias(const std::string& model, const std::string& alias, std::int64_t version,
                          const std::string& reason);
  /// Why the alias was moved last; empty when nobody said.
  Result<std::string> last_reason(const std::string& model, const std::string& alias);

 private:
  Destination(Rest rest, Place place) : rest_(std::move(rest)), place_(std::move(place)) {}

  Result<void> send_pair(const char* endpoint, const std::string& run, const std::string& key,
                         const std::string& value);

  Rest rest_;
  Place place_;
};

}  // namespace slipway::imports
