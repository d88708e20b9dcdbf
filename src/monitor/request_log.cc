#include "monitor/request_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

namespace slipway::monitor {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr size_t kFrameBytes = 12;
constexpr std::string_view kExtension = ".requests";

constexpr size_t kChecksumBytes = 8;

std::uint64_t checksum(std::string_view length_and_record) {
  const Hash hash = hash_of(length_and_record);
  std::uint64_t cut = 0;
  std::memcpy(&cut, hash.bytes.data(), sizeof cut);
  return cut;
}

template <typename T>
T number_at(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// The record's bytes when `framed` starts with a whole record.
std::optional<std::string_view> whole_record(std::string_view framed) {
  if (framed.size() < kFrameBytes) return std::nullopt;
  const auto length = number_at<std::uint32_t>(framed, kChecksumBytes);
  if (length > kRecordBytesMax || length > framed.size() - kFrameBytes) return std::nullopt;
  if (checksum(framed.substr(kChecksumBytes, sizeof length + length)) != number_at<std::uint64_t>(framed, 0))
    return std::nullopt;
  return framed.substr(kFrameBytes, length);
}

std::optional<std::uint64_t> segment_number(const std::filesystem::path& path) {
  if (path.extension() != kExtension) return std::nullopt;
  return parse_u64(path.stem().string());
}

}  // namespace

void RecordBatch::add(const PredictionServed& prediction, std::optional<CaseReason> reason) {
  const size_t frame = bytes_.size();
  bytes_.append(kFrameBytes, '\0');
  append_record(bytes_, prediction, reason);
  const auto length = static_cast<std::uint32_t>(bytes_.size() - frame - kFrameBytes);
  std::memcpy(bytes_.data() + frame + kChecksumBytes, &length, sizeof length);
  const std::uint64_t sum = checksum(std::string_view(bytes_).substr(frame + kChecksumBytes));
  std::memcpy(bytes_.data() + frame, &sum, sizeof sum);
  ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
}

void RecordBatch::clear() {
  bytes_.clear();
  ends_.clear();
}

Result<std::uint64_t> scan_segment(std::string_view bytes,
                                   const std::function<void(std::uint32_t, std::uint32_t, std::string_view)>& visit) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kSegmentMagic)) {
    return Error{ErrorCode::data_loss,
                 fmt::format("a segment of requests starts with '{}' and its number; these {} bytes do not",
                             kSegmentMagic, bytes.size())};
  }
  size_t offset = kHeaderBytes;
  while (const auto record = whole_record(bytes.substr(offset))) {
    const size_t length = kFrameBytes + record->size();
    visit(static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length), *record);
    offset += length;
  }
  return std::uint64_t{offset};
}

Result<RequestRecord> RequestLog::Segment::read(const Place& place) const {
  std::string framed(place.length, '\0');
  size_t have = 0;
  while (have < framed.size()) {
    const ssize_t n =
        ::pread(file.get(), framed.data() + have, framed.size() - have, static_cast<off_t>(place.offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  const auto record = whole_record(std::string_view(framed).substr(0, have));
  if (!record)
    return Error{ErrorCode::data_loss, fmt::format("{} holds no whole record at {}", path.string(), place.offset)};
  return parse_record(*record);
}

Result<RequestLog> RequestLog::open(std::filesystem::path folder) {
  TRY(make_directories(folder));
  RequestLog log(std::move(folder));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(log.folder_, error)) {
    const auto number = segment_number(entry.path());
    if (!number) continue;
    auto segment = std::make_shared<Segment>();
    segment->number = *number;
    segment->path = entry.path();
    segment->file = TRY(open_file(entry.path(), O_RDONLY | O_CLOEXEC));
    segment->bytes = entry.file_size(error);
    log.bytes_ += segment->bytes;
    log.next_ = std::max(log.next_, *number + 1);
    log.segments_.emplace(*number, std::move(segment));
  }
  if (error) return system_error("read the folder", log.folder_, error.value());
  return log;
}

void RequestLog::replay(const std::function<void(const Place&, RequestRecord)>& visit) {
  std::vector<std::uint64_t> read;
  for (const auto& [number, segment] : segments_) {
    if (segment == current_) continue;
    const auto replayed = replay_segment(*segment, visit);
    if (replayed.ok())
      read.push_back(number);
    else
      log_warning("monitor", "a segment of kept requests could not be read",
                  {{"segment", segment->path.string()}, {"error", replayed.error().message}});
  }
  for (std::uint64_t number : read) {
    if (segments_.at(number)->owed == 0) remove(number);
  }
}

Result<void> RequestLog::replay_segment(Segment& segment,
                                        const std::function<void(const Place&, RequestRecord)>& visit) {
  const std::string bytes = TRY(read_file(segment.path));
  // One that was just begun when the process ended; nothing was acknowledged in it.
  if (bytes.size() < kHeaderBytes) return {};
  TRY(scan_segment(bytes, [&](std::uint32_t offset, std::uint32_t length, std::string_view record_bytes) {
    auto record = parse_record(record_bytes);
    if (!record.ok())
      return log_warning("monitor", "a kept request could not be read",
                         {{"segment", segment.path.string()}, {"error", record.error().message}});
    ++segment.owed;
    visit({segment.number, offset, length}, std::move(*record));
  }));
  return {};
}

Result<void> RequestLog::begin_segment() {
  auto segment = std::make_shared<Segment>();
  segment->number = next_;
  segment->path = folder_ / (std::to_string(next_) + std::string(kExtension));
  segment->file = TRY(open_file(segment->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC));
  ++next_;
  std::string header(kSegmentMagic);
  header.append(reinterpret_cast<const char*>(&segment->number), sizeof segment->number);
  static_assert(kSegmentMagic.size() + sizeof segment->number == kHeaderBytes);
  if (auto written = write_all(segment->file.get(), header, segment->path); !written.ok()) {
    std::error_code ignored;
    std::filesystem::remove(segment->path, ignored);
    return written;
  }
  segment->bytes = kHeaderBytes;
  bytes_ += kHeaderBytes;
  current_ = segment;
  segments_.emplace(segment->number, std::move(segment));
  return {};
}

Result<std::vector<Place>> RequestLog::append(const RecordBatch& batch) {
  if (current_ && current_->bytes >= kSegmentBytes) roll();
  if (!current_) TRY(begin_segment());
  if (auto written = write_all(current_->file.get(), batch.bytes(), current_->path); !written.ok()) {
    // What was written of it must not stand before later records; a segment that cannot be cut takes none.
    if (::ftruncate(current_->file.get(), static_cast<off_t>(current_->bytes)) != 0) roll();
    return written.error();
  }
  std::vector<Place> places;
  places.reserve(batch.ends_.size());
  std::uint32_t from = 0;
  for (std::uint32_t end : batch.ends_) {
    places.push_back({current_->number, static_cast<std::uint32_t>(current_->bytes + from), end - from});
    from = end;
  }
  current_->bytes += batch.bytes().size();
  current_->owed += static_cast<std::int64_t>(places.size());
  bytes_ += batch.bytes().size();
  return places;
}

void RequestLog::release(const Place& place) {
  const auto at = segments_.find(place.segment);
  if (at == segments_.end() || --at->second->owed > 0 || at->second == current_) return;
  remove(place.segment);
}

bool RequestLog::drop_oldest() {
  if (segments_.empty() || segments_.begin()->second == current_) return false;
  remove(segments_.begin()->first);
  return true;
}

void RequestLog::roll() {
  const auto last = std::exchange(current_, nullptr);
  if (last && last->owed == 0) remove(last->number);
}

std::shared_ptr<const RequestLog::Segment> RequestLog::find(std::uint64_t segment) const {
  const auto at = segments_.find(segment);
  return at == segments_.end() ? nullptr : at->second;
}

void RequestLog::remove(std::uint64_t number) {
  const auto at = segments_.find(number);
  bytes_ -= at->second->bytes;
  std::error_code error;
  std::filesystem::remove(at->second->path, error);
  if (error)
    log_warning("monitor", "a segment of kept requests could not be removed",
                {{"segment", at->second->path.string()}, {"error", error.message()}});
  segments_.erase(at);
}

}  // namespace slipway::monitor
