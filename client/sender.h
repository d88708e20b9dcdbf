// Sends a journal to the server, from wherever the server has it. Private to the library.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "connection.h"
#include "journal.h"

namespace slipway::tracking {

/// A new run, as it is made at the server. Of a run that was given by its id only `id` is used.
struct RunFacts {
  std::string id, experiment, name, folder;
  std::int64_t started_ms = 0;
  bool is_ours = true;  // we make it and say how it ended
};

class Sender {
 public:
  enum class Outcome {
    sent,     // everything up to `end`
    waits,    // the server does not answer now; again later
    refused,  // the server will not have it; later calls answer the same
  };

  Sender(const std::string& url, Connection::Headers headers, RunFacts facts)
      : connection_(url, std::move(headers)), facts_(std::move(facts)) {}

  /// Sends frames of the journal up to the offset `end`.
  Outcome send(int journal, std::uint64_t end);

  std::uint64_t points_sent() const { return points_sent_; }
  std::uint64_t points_refused() const { return points_refused_; }
  std::uint64_t offset() const { return offset_; }
  const std::string& trouble() const { return trouble_; }

 private:
  bool send_frame(const std::string& payload);
  bool send_points(const std::string& payload);
  bool make_run();
  /// False when it has to be sent again, or never can be (is_refused_).
  bool take(const Answer& answer, bool may_skip);
  std::string run_body(std::string_view state, std::int64_t ended_ms) const;

  Connection connection_;
  const RunFacts facts_;
  std::map<std::uint32_t, std::string> names_;  // as JSON
  std::uint64_t offset_ = kMagic.size();
  std::uint64_t points_sent_ = 0, points_refused_ = 0;
  std::size_t points_done_ = 0;  // of the frame at offset_
  bool is_made_ = false, is_refused_ = false;
  std::string trouble_;
};

}  // namespace slipway::tracking
