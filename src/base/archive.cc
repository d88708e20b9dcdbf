#include "base/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/crc.h"

namespace slipway {
namespace {

// --- tar -----------------------------------------------------------------------------------------------------------

constexpr size_t kBlockBytes = 512;
constexpr size_t kNameBytesMax = 100;
constexpr std::uint64_t kUstarBytesMax = 077777777777;  // 11 octal digits: 8 GiB
constexpr char kPaxRecord = 'x', kPlainFile = '0';

void put(std::string& block, size_t at, std::string_view text) { block.replace(at, text.size(), text); }

/// "NUMBER key=value\n", where the number counts itself, too.
std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;  // a space, '=' and the line's end
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string tar_block(std::string_view name, std::uint64_t size, std::int64_t seconds, char type) {
  std::string block(kBlockBytes, '\0');
  put(block, 0, name.substr(0, kNameBytesMax));
  put(block, 100, "0000644");
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, 124, fmt::format("{:011o}", std::min(size, kUstarBytesMax)));
  put(block, 136, fmt::format("{:011o}", std::clamp<std::int64_t>(seconds, 0, kUstarBytesMax)));
  put(block, 148, "        ");  // the checksum counts itself as spaces
  block[156] = type;
  put(block, 257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

std::string padding(std::uint64_t size) { return std::string((kBlockBytes - size % kBlockBytes) % kBlockBytes, '\0'); }

class Tar : public Archive {
 public:
  std::string head(const ArchiveFile& file) override {
    size_ = file.size;
    const std::int64_t seconds = file.modified.micros / 1'000'000;
    const bool is_plain = std::ranges::all_of(file.path, [](char c) { return c >= 0x20 && c < 0x7f; });
    std::string records;
    if (!is_plain || file.path.size() > kNameBytesMax) records += pax_record("path", file.path);
    if (file.size > kUstarBytesMax) records += pax_record("size", std::to_string(file.size));
    std::string out;
    if (!records.empty())
      out = tar_block("pax_header", records.size(), seconds, kPaxRecord) + records + padding(records.size());
    return out + tar_block(file.path, file.size, seconds, kPlainFile);
  }
  void pass(std::string_view) override {}
  std::string tail() override { return padding(size_); }
  std::string end() override { return std::string(2 * kBlockBytes, '\0'); }

 private:
  std::uint64_t size_ = 0;
};

// --- zip -----------------------------------------------------------------------------------------------------------

constexpr std::uint32_t kLocalHead = 0x04034b50, kDescriptor = 0x08074b50, kCentralHead = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr std::uint16_t kVersion = 45, kMadeOnUnix = 3 << 8 | kVersion;
constexpr std::uint16_t kFlags = 1 << 3 | 1 << 11;  // checksum and sizes follow the bytes; names are UTF-8
constexpr std::uint16_t kZip64Field = 1;
constexpr std::uint32_t kElsewhere = 0xFFFFFFFF;  // the value is in the ZIP64 field
constexpr std::uint16_t kCountElsewhere = 0xFFFF;
constexpr std::uint32_t kRegularFile = 0100644u << 16;

template <typename T>
void add(std::string& out, T value) {
  for (size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 255);
}
void add16(std::string& out, std::uint64_t value) { add(out, static_cast<std::uint16_t>(value)); }
void add32(std::string& out, std::uint64_t value) { add(out, static_cast<std::uint32_t>(value)); }
void add64(std::string& out, std::uint64_t value) { add(out, value); }

bool is_large(std::uint64_t value) { return value >= kElsewhere; }
std::uint64_t or_elsewhere(std::uint64_t value) { return is_large(value) ? kElsewhere : value; }

/// Date and time as DOS had them, in UTC: from 1980 on, two seconds exactly.
std::uint32_t dos_time(Time time) {
  const std::time_t seconds = time.micros / 1'000'000;
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr || parts.tm_year < 80 || parts.tm_year > 207) return 1u << 21 | 1u << 16;
  const auto at = [](int value, int bit) { return static_cast<std::uint32_t>(value) << bit; };
  return at(parts.tm_year - 80, 25) | at(parts.tm_mon + 1, 21) | at(parts.tm_mday, 16) | at(parts.tm_hour, 11) |
         at(parts.tm_min, 5) | at(parts.tm_sec / 2, 0);
}

struct ZipEntry {
  ArchiveFile file;
  std::uint64_t offset = 0;
  std::uint32_t crc = 0;
};

std::string local_head(const ZipEntry& entry) {
  const bool large = is_large(entry.file.size);
  std::string out;
  add32(out, kLocalHead);
  add16(out, kVersion);
  add16(out, kFlags);
  add16(out, 0);  // stored
  add32(out, dos_time(entry.file.modified));
  add32(out, 0);  // the checksum comes behind the bytes
  for (int i = 0; i < 2; ++i) add32(out, large ? kElsewhere : 0);
  add16(out, entry.file.path.size());
  add16(out, large ? 20 : 0);
  out += entry.file.path;
  if (!large) return out;
  add16(out, kZip64Field);
  add16(out, 16);
  for (int i = 0; i < 2; ++i) add64(out, entry.file.size);
  return out;
}

std::string descriptor(const ZipEntry& entry) {
  std::string out;
  add32(out, kDescriptor);
  add32(out, entry.crc);
  for (int i = 0; i < 2; ++i) {
    if (is_large(entry.file.size))
      add64(out, entry.file.size);
    else
      add32(out, entry.file.size);
  }
  return out;
}

std::string central_head(const ZipEntry& entry) {
  std::string field;
  if (is_large(entry.file.size)) {
    for (int i = 0; i < 2; ++i) add64(field, entry.file.size);
  }
  if (is_large(entry.offset)) add64(field, entry.offset);
  std::string out;
  add32(out, kCentralHead);
  add16(out, kMadeOnUnix);
  add16(out, kVersion);
  add16(out, kFlags);
  add16(out, 0);
  add32(out, dos_time(entry.file.modified));
  add32(out, entry.crc);
  for (int i = 0; i < 2; ++i) add32(out, or_elsewhere(entry.file.size));
  add16(out, entry.file.path.size());
  add16(out, field.empty() ? 0 : field.size() + 4);
  for (int i = 0; i < 3; ++i) add16(out, 0);  // no comment, the first disk, no text
  add32(out, kRegularFile);
  add32(out, or_elsewhere(entry.offset));
  out += entry.file.path;
  if (field.empty()) return out;
  add16(out, kZip64Field);
  add16(out, field.size());
  return out + field;
}

std::string zip_end(std::uint64_t entries, std::uint64_t offset, std::uint64_t size) {
  std::string out;
  const bool large = entries >= kCountElsewhere || is_large(offset) || is_large(size);
  if (large) {
    add32(out, kEnd64);
    add64(out, 44);  // bytes of the rest of this record
    add16(out, kMadeOnUnix);
    add16(out, kVersion);
    for (int i = 0; i < 2; ++i) add32(out, 0);
    for (int i = 0; i < 2; ++i) add64(out, entries);
    add64(out, size);
    add64(out, offset);
    add32(out, kEnd64Locator);
    add32(out, 0);
    add64(out, offset + size);
    add32(out, 1);
  }
  add32(out, kEnd);
  for (int i = 0; i < 2; ++i) add16(out, 0);
  for (int i = 0; i < 2; ++i) add16(out, std::min<std::uint64_t>(entries, kCountElsewhere));
  add32(out, or_elsewhere(size));
  add32(out, or_elsewhere(offset));
  add16(out, 0);
  return out;
}

class Zip : public Archive {
 public:
  std::string head(const ArchiveFile& file) override {
    entries_.push_back({file, offset_, 0});
    return count(local_head(entries_.back()));
  }
  void pass(std::string_view bytes) override {
    entries_.back().crc = crc32(bytes, entries_.back().crc);
    offset_ += bytes.size();
  }
  std::string tail() override { return count(descriptor(entries_.back())); }
  std::string end() override {
    std::string directory;
    for (const ZipEntry& entry : entries_) directory += central_head(entry);
    return directory + zip_end(entries_.size(), offset_, directory.size());
  }

 private:
  std::string count(std::string bytes) {
    offset_ += bytes.size();
    return bytes;
  }

  std::vector<ZipEntry> entries_;
  std::uint64_t offset_ = 0;
};

}  // namespace

std::optional<ArchiveFormat> parse_archive_format(std::string_view text) {
  if (text == "tar") return ArchiveFormat::tar;
  if (text == "zip") return ArchiveFormat::zip;
  return std::nullopt;
}

std::unique_ptr<Archive> make_archive(ArchiveFormat format) {
  if (format == ArchiveFormat::tar) return std::make_unique<Tar>();
  return std::make_unique<Zip>();
}

}  // namespace slipway
