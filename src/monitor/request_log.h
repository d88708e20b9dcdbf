// Requests on disk, in files that are only ever appended to: what append() returned for is found by the next process,
// however this one ends (it is the kernel's from then on); after sync() it survives power loss, too.
//
// A log is a folder of segments, <number>.requests. A segment is a header of 16 bytes (kSegmentMagic with the version
// of the form, and the number), then records: a frame of 64 bits of checksum (the start of BLAKE3 over what follows)
// and 32 bits of length, and the bytes. A process never writes to a segment of a former one, so only the end of a
// segment can be torn: reading stops at the first record that is not whole. Segments go whole, by release() or
// drop_oldest(); who uses the log decides when.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "monitor/request_record.h"

namespace slipway::monitor {

inline constexpr std::string_view kSegmentMagic = "slipreq1";  // the last character is the version
inline constexpr std::uint64_t kSegmentBytes = 8 << 20;        // a segment that reached this takes no more
inline constexpr std::uint64_t kRecordBytesMax = kPredictionBodyBytesMax + (1 << 20);

/// Records on their way into a log: framed once, written with one write.
class RecordBatch {
 public:
  void add(const PredictionServed& prediction, std::optional<CaseReason> reason);
  void clear();
  bool is_empty() const { return ends_.empty(); }
  std::string_view bytes() const { return bytes_; }

 private:
  friend class RequestLog;
  std::string bytes_;
  std::vector<std::uint32_t> ends_;  // of each record in bytes_
};

/// Where a record lies.
struct Place {
  std::uint64_t segment = 0;
  std::uint32_t offset = 0, length = 0;  // with the frame
};

/// Calls visit(offset, length with the frame, the record's bytes) for each whole record of a segment's bytes; answers
/// how many bytes those and the header make. data_loss when these are no segment of a version we know.
Result<std::uint64_t> scan_segment(std::string_view bytes,
                                   const std::function<void(std::uint32_t, std::uint32_t, std::string_view)>& visit);

/// One thread at a time, but for a Segment, which any thread may read and sync.
class RequestLog {
 public:
  struct Segment {
    std::uint64_t number = 0;
    std::filesystem::path path;
    UniqueFd file;
    std::uint64_t bytes = 0;
    std::int64_t owed = 0;  // records that were not released

    /// data_loss when the record is not whole.
    Result<RequestRecord> read(const Place& place) const;
  };

  /// Makes the folder when it is missing. Takes what lies there into account; replay() reads it.
  static Result<RequestLog> open(std::filesystem::path folder);

  /// Calls visit for each whole record of former processes, oldest first, and counts it as owed. Segments that cannot
  /// be read are told to the log and left where they are.
  void replay(const std::function<void(const Place&, RequestRecord)>& visit);

  /// Where each record lies now. An error leaves nothing of the batch behind.
  Result<std::vector<Place>> append(const RecordBatch& batch);
  /// This record is no longer needed. A segment goes when none of its records is, and it takes no more.
  void release(const Place& place);
  /// Removes the oldest segment, but never the one that is written to; false when there is no other.
  bool drop_oldest();
  /// Starts a new segment at the next append(), so that the present one can go.
  void roll();

  std::shared_ptr<const Segment> find(std::uint64_t segment) const;
  std::shared_ptr<const Segment> newest() const { return current_; }
  std::uint64_t oldest_number() const { return segments_.empty() ? next_ : segments_.begin()->first; }
  std::uint64_t bytes() const { return bytes_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit RequestLog(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> replay_segment(Segment& segment, const std::function<void(const Place&, RequestRecord)>& visit);
  Result<void> begin_segment();
  void remove(std::uint64_t number);

  std::filesystem::path folder_;
  std::map<std::uint64_t, std::shared_ptr<Segment>> segments_;
  std::shared_ptr<Segment> current_;
  std::uint64_t next_ = 1, bytes_ = 0;
};

}  // namespace slipway::monitor
