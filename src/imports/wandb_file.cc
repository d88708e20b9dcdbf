#include "imports/wandb_file.h"

#include "base/crc.h"
#include "base/text.h"
#include "domain/protobuf.h"

namespace slipway::imports {
namespace {

constexpr std::string_view kHead = ":W&B\xe1\xbe";  // and a byte for the version
constexpr size_t kHeadBytes = 7;
constexpr size_t kFrameBytes = 7;  // checksum (4), length (2), type (1)
constexpr std::uint8_t kVersionMax = 1;
constexpr size_t kTextBytesMax = 1 << 20;

enum Piece : std::uint8_t { zero = 0, full = 1, first = 2, middle = 3, last = 4 };

Error broken(const char* what) { return {ErrorCode::invalid_argument, std::string("the W&B file has ") + what}; }

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string text_of(std::string_view bytes) { return clean_utf8(bytes, kTextBytesMax); }

/// HistoryItem, SummaryItem, ConfigItem and StatsItem are alike: a key, or its parts, and a value.
Result<std::pair<std::string, std::string>> read_item(std::string_view bytes) {
  std::string key, nested, value;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_bytes(1)) key = text_of(field.bytes());
    if (field.is_bytes(2)) nested += (nested.empty() ? "" : ".") + text_of(field.bytes());
    if (field.is_bytes(16)) value = std::string(field.bytes());
  }
  if (!field.ok()) return broken("a value that is cut off");
  return std::pair(key.empty() ? nested : key, std::move(value));
}

/// google.protobuf.Timestamp
Result<std::int64_t> read_millis(std::string_view bytes) {
  std::int64_t seconds = 0, nanos = 0;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_varint(1)) seconds = static_cast<std::int64_t>(field.scalar());
    if (field.is_varint(2)) nanos = static_cast<std::int64_t>(field.scalar());
  }
  const bool is_time = seconds > 0 && seconds < 1'000'000'000'000 && nanos >= 0 && nanos < 1'000'000'000;
  if (!field.ok()) return broken("a time that is cut off");
  return is_time ? seconds * 1000 + nanos / 1'000'000 : 0;
}

/// All items in field `number` of a message.
Result<void> read_items(std::string_view bytes, std::uint32_t number, WandbItems& items) {
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_bytes(number)) items.push_back(TRY(read_item(field.bytes())));
  }
  if (!field.ok()) return broken("a list of values that is cut off");
  return {};
}

Result<void> read_config(std::string_view bytes, WandbRecord& record) {
  TRY(read_items(bytes, 1, record.config));
  WandbItems removed;
  TRY(read_items(bytes, 2, removed));
  for (auto& [key, value] : removed) record.config_removed.push_back(std::move(key));
  return {};
}

Result<void> read_history(std::string_view bytes, WandbRecord& record) {
  TRY(read_items(bytes, 1, record.history));
  ProtobufReader field(bytes);
  while (field.next()) {
    if (!field.is_bytes(2)) continue;
    ProtobufReader step(field.bytes());
    record.step = 0;  // as protobuf leaves it out
    while (step.next()) {
      if (step.is_varint(1)) record.step = static_cast<std::int64_t>(step.scalar());
    }
    if (!step.ok()) return broken("a step that is cut off");
  }
  return {};
}

Result<void> read_stats(std::string_view bytes, WandbRecord& record) {
  TRY(read_items(bytes, 3, record.stats));
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_bytes(2)) record.stats_ms = TRY(read_millis(field.bytes()));
  }
  return {};
}

/// The text in one field of a message.
Result<std::string> read_text(std::string_view bytes, std::uint32_t number) {
  std::string text;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_bytes(number)) text = text_of(field.bytes());
  }
  if (!field.ok()) return broken("a text that is cut off");
  return text;
}

Result<int> read_exit(std::string_view bytes) {
  int code = 0;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_varint(1)) code = static_cast<int>(field.scalar());
  }
  if (!field.ok()) return broken("an exit code that is cut off");
  return code;
}

std::string* text_member(WandbRun& run, std::uint32_t number) {
  switch (number) {
    case 1: return &run.id;
    case 2: return &run.entity;
    case 3: return &run.project;
    case 6: return &run.group;
    case 7: return &run.job_type;
    case 8: return &run.name;
    case 9: return &run.notes;
    case 12: return &run.sweep;
    case 13: return &run.host;
    default: return nullptr;
  }
}

Result<void> read_run(std::string_view bytes, WandbRecord& record) {
  WandbRun run;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (!field.is_bytes(field.number())) continue;
    if (std::string* text = text_member(run, field.number())) *text = text_of(field.bytes());
    if (field.number() == 4) TRY(read_config(field.bytes(), record));
    if (field.number() == 5) TRY(read_items(field.bytes(), 1, record.summary));
    if (field.number() == 10) run.tags.push_back(text_of(field.bytes()));
    if (field.number() == 17) run.started_ms = TRY(read_millis(field.bytes()));
    if (field.number() == 21) {
      run.git_remote = TRY(read_text(field.bytes(), 1));
      run.git_commit = TRY(read_text(field.bytes(), 2));
    }
  }
  if (!field.ok()) return broken("a run that is cut off");
  record.run = std::move(run);
  return {};
}

Result<void> read_part(std::uint32_t number, std::string_view bytes, WandbRecord& record) {
  switch (number) {
    case 2: return read_history(bytes, record);
    case 3: return read_items(bytes, 1, record.summary);
    case 4:
    case 13: record.output = TRY(read_text(bytes, 3)); return {};
    case 5: return read_config(bytes, record);
    case 7: return read_stats(bytes, record);
    case 8: record.artifact = TRY(read_text(bytes, 5)); return {};
    case 9:
    case 10:
    case 24: record.is_other = true; return {};
    case 17: return read_run(bytes, record);
    case 18: record.exit_code = TRY(read_exit(bytes)); return {};
    default: return {};
  }
}

}  // namespace

Result<void> WandbBlocks::read(std::string_view block,
                               const std::function<Result<void>(std::string_view record)>& visit) {
  if (is_first_block_) {
    if (block.size() < kHeadBytes || !block.starts_with(kHead) ||
        static_cast<std::uint8_t>(block[kHead.size()]) > kVersionMax)
      return broken("no head that W&B's client would write, or one of a newer version");
    block.remove_prefix(kHeadBytes);
    is_first_block_ = false;
  }
  while (block.size() >= kFrameBytes) {
    const auto checksum = static_cast<std::uint32_t>(little_endian(block.substr(0, 4)));
    const size_t length = little_endian(block.substr(4, 2));
    const auto type = static_cast<std::uint8_t>(block[6]);
    if (type == Piece::zero && length == 0 && checksum == 0) return {};  // room that was set aside and never written
    if (kFrameBytes + length > block.size()) return {};                  // cut off: more may come later
    if (crc32(block.substr(6, 1 + length)) != checksum) return broken("a record that does not match its checksum");
    TRY(take(type, block.substr(kFrameBytes, length), visit));
    block.remove_prefix(kFrameBytes + length);
  }
  return {};
}

Result<void> WandbBlocks::take(std::uint8_t type, std::string_view data,
                               const std::function<Result<void>(std::string_view record)>& visit) {
  const bool begins = type == Piece::full || type == Piece::first;
  if (type < Piece::full || type > Piece::last || begins == is_open_) return broken("pieces of records out of order");
  if (type == Piece::full) return visit(data);
  if (begins) record_.clear();
  if (record_.size() + data.size() > kWandbRecordBytesMax) return broken("a record of more than 256 MiB");
  record_ += data;
  is_open_ = type != Piece::last;
  return is_open_ ? Result<void>() : visit(record_);
}

Result<WandbRecord> read_wandb_record(std::string_view bytes) {
  WandbRecord record;
  ProtobufReader field(bytes);
  while (field.next()) {
    if (field.is_bytes(field.number())) TRY(read_part(field.number(), field.bytes(), record));
  }
  if (!field.ok()) return broken("a record that is no protobuf message");
  return record;
}

}  // namespace slipway::imports
