#include "imports/journal.h"

#include <cstring>

#include "base/crc.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr size_t kPointBytes = 28;
constexpr std::uint64_t kFactsBytesMax = 1 << 20;

template <typename T>
T read_raw(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

Error broken(const std::string& what) {
  return {ErrorCode::invalid_argument, "the journal has " + what + "; it was not written by a Slipway client"};
}

}  // namespace

Result<std::vector<JournalEntry>> JournalReader::read(std::string_view bytes, size_t& used) {
  std::vector<JournalEntry> entries;
  used = 0;
  if (!has_begun_) {
    if (bytes.size() < kJournalMagic.size()) return entries;
    if (!bytes.starts_with(kJournalMagic)) return broken("another beginning");
    has_begun_ = true;
    used = kJournalMagic.size();
  }
  while (bytes.size() - used >= kHeadBytes) {
    const std::string_view rest = bytes.substr(used);
    const auto length = read_raw<std::uint32_t>(rest.data()), crc = read_raw<std::uint32_t>(rest.data() + 4);
    if (length > kJournalFrameBytesMax) return broken("a frame of " + render_bytes(length));
    if (rest.size() - kHeadBytes < length) break;
    const std::string_view payload = rest.substr(kHeadBytes, length);
    if (crc32(payload) != crc) break;
    if (auto entry = TRY(entry_of(payload))) entries.push_back(std::move(*entry));
    used += kHeadBytes + length;
  }
  return entries;
}

Result<std::optional<JournalEntry>> JournalReader::entry_of(std::string_view payload) {
  if (payload.empty()) return broken("an empty frame");
  const char kind = payload[0];
  payload.remove_prefix(1);
  if (kind == 'P') {
    if (payload.size() % kPointBytes != 0) return broken("a point that is cut off");
    JournalPoints found;
    found.points.reserve(payload.size() / kPointBytes);
    for (; !payload.empty(); payload.remove_prefix(kPointBytes)) {
      const auto number = read_raw<std::uint32_t>(payload.data());
      if (number >= names_.size()) return broken("a point of a metric without a name");
      found.points.push_back({names_[number], read_raw<double>(payload.data() + 20),
                              read_raw<std::int64_t>(payload.data() + 12), read_raw<std::int64_t>(payload.data() + 4)});
    }
    return std::optional<JournalEntry>(std::move(found));
  }
  if (kind == 'K') {
    if (payload.size() < 5) return broken("a metric without a name");
    if (read_raw<std::uint32_t>(payload.data()) != names_.size() || names_.size() >= kJournalMetricsMax)
      return broken("metrics that are not counted from 0");
    names_.push_back(clean_utf8(payload.substr(4)));
    return std::optional<JournalEntry>();
  }
  if (kind == 'E') {
    if (payload.size() < 8) return broken("an end that is cut off");
    return std::optional<JournalEntry>(
        JournalEnd{read_raw<std::int64_t>(payload.data()), clean_utf8(payload.substr(8))});
  }
  if (kind != 'A' && kind != 'T' && kind != 'F') return broken("a frame of an unknown kind");
  if (payload.size() < 4) return broken("a text that is cut off");
  const auto key_bytes = read_raw<std::uint32_t>(payload.data());
  payload.remove_prefix(4);
  if (key_bytes > payload.size()) return broken("a text that is cut off");
  return std::optional<JournalEntry>(
      JournalText{kind, clean_utf8(payload.substr(0, key_bytes)), clean_utf8(payload.substr(key_bytes))});
}

Result<JournalFacts> read_journal_facts(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "run.json";
  const auto parsed = Json::parse(TRY(read_file(path, kFactsBytesMax)));
  if (!parsed.ok()) return context(parsed.error(), "in " + path.string());
  const Json& json = *parsed;
  JournalFacts facts;
  facts.run.id = json["run_id"].string();
  if (!looks_like_id(facts.run.id) || json["format"].integer() != 1)
    return Error{
        ErrorCode::invalid_argument,
        path.string() + " is of another format than 1, or names no run; is this slipway older than the program?"};
  facts.run.name = json["name"].string();
  facts.run.status = "RUNNING";
  facts.run.started_ms = json["started_ms"].integer().value_or(0);
  facts.experiment = json["experiment"].string();
  facts.project = json["project"].string();
  facts.is_new = json["is_new"].boolean().value_or(true);
  return facts;
}

}  // namespace slipway::imports
