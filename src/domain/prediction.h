// One answered inference request, as the rooms that listen to production see it: what went in, what came out, in
// numbers cheap enough to compute for every request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

/// Figures of one request's first input and first output. NaN where they do not apply (an output that is no
/// classification has no confidence). A request of several rows has the mean over its rows; `predicted_class` is then
/// that of the first row.
struct TensorStatistics {
  double input_mean = 0, input_deviation = 0, input_min = 0, input_max = 0;  // after pre-processing
  double output_mean = 0, output_deviation = 0;
  double confidence = 0;  // largest probability; softmax is applied unless the output is a distribution already
  double margin = 0;      // largest minus second largest probability
  std::int64_t predicted_class = -1;  // index on the class axis; -1: none
};

struct PredictionServed {
  AnswerId answer;
  ProjectId project;
  DeploymentId deployment;
  std::string deployment_name;
  RevisionId revision;
  std::string model;
  std::int64_t version = 0;
  Time at;                // wall clock, when the request came in
  Duration latency{0};    // in the server, without the network
  std::int64_t rows = 1;  // of the first dimension
  bool ok = true;
  std::string error;            // the sentence, when not ok
  TensorStatistics statistics;  // meaningful only when ok
  std::string label;            // the predicted class by name, when the version declares names

  /// The request's body as it came, so that it can be asked again; shared with nobody who writes. Null when it was over
  /// kPredictionBodyBytesMax.
  std::shared_ptr<const std::string> request;
  std::string media_type;  // "image/png", "application/json", "application/octet-stream" (binary tensors)
  std::uint64_t request_json_bytes =
      0;  // binary tensors: the length of the JSON in front (Inference-Header-Content-Length)
};

inline constexpr std::uint64_t kPredictionBodyBytesMax = 8ull << 20;

/// Told of every request just before its answer is given, so that what a sink keeps is kept when the client has the
/// answer. Never fails: a sink that is full drops and counts. Called from the thread that reads the workers' answers:
/// cheap. Thread-safe.
class PredictionSink {
 public:
  virtual ~PredictionSink() = default;
  virtual void served(PredictionServed&& prediction) = 0;
};

/// An answer's id names its deployment's revision: "<revision>-<17 characters of time and chance>". Never repeats
/// within a process; time-ordered.
AnswerId new_answer_id(const RevisionId& revision, const Clock& clock);
/// The revision in it; invalid_argument when the text is no answer id.
Result<RevisionId> revision_of(const AnswerId& answer);

}  // namespace slipway
