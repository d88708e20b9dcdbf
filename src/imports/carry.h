// Carries what a source has into a Slipway server, so that breaking off and beginning again loses and doubles nothing.
//
// Every write may be repeated: runs and logged models keep their ids, versions their numbers, files their paths, and of
// equal points one counts. A run's tag slipway.import.state is written last and says what of the run is here: whether
// it was over, and a hash of everything but points and bytes. A run whose tag still fits is not looked at again.
//
// Of a run that was not finished carrying, a metric is complete here when its latest point is: of each metric the
// latest point is sent last. A file is complete when it is here with the same size; those of a run that was still
// active when they were carried are sent again, because a checkpoint may be overwritten with another of the same size.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "imports/destination.h"
#include "imports/report.h"
#include "imports/source.h"

namespace slipway::imports {

inline constexpr int kWorkersMax = 32;
inline constexpr size_t kRunsWaitingMax = 256;

struct CarryOptions {
  Destination::Place place;
  std::vector<std::string> experiments;  // names; empty: all
  int workers = 4;
  bool files = true;
  bool models = true;
  bool deleted = false;
  bool again = false;  // look at every run, whatever its tag says
  /// How many runs are done, from any thread.
  std::function<void(std::uint64_t)> on_progress;
  /// Set to end early; what is under way is finished first.
  const std::atomic<bool>* stop = nullptr;
};

/// Problems with single things are in the report. An error means that the import as a whole could not go on: repeat it.
Result<Report> carry(Source& source, const CarryOptions& options);

/// What the tag slipway.import.state says of a run in this state with these files.
std::string state_of(const SourceRun& run, const std::vector<SourceFile>& files);

/// A version's source in our words: runs:/RUN/PATH or models:/m-…, where it names a folder of a run or of a logged
/// model, whatever kind of storage it lies in; else as it is.
std::string rewritten_source(const SourceVersion& version);

}  // namespace slipway::imports
