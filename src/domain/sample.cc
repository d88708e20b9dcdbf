#include "domain/sample.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"

namespace slipway {
namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr std::string_view kVersionKey = "slipway_samples";
constexpr std::string_view kLineStart = "{\"key\":\"";

Error bad(std::string_view where, std::string_view what) {
  return {ErrorCode::invalid_argument, fmt::format("{}: {}", where, what)};
}

Json to_json(const StreamFile& file) {
  Json json{Json::Object{}};
  json.set("path", file.path).set("hash", render(file.hash)).set("size", file.size).set("media_type", file.media_type);
  const auto pixels = [](std::int64_t n) { return n > 0 ? Json(n) : Json(); };
  return json.set("width", pixels(file.width)).set("height", pixels(file.height));
}

Result<StreamFile> parse_stream_file(const Json& json, std::string_view where) {
  StreamFile file;
  file.path = json["path"].string();
  TRY(check_relative_path(file.path));
  const auto hash = parse_hash(json["hash"].string());
  if (!hash.ok())
    return bad(where, "'hash' is '" + clean_utf8(json["hash"].string(), 80) + "'; expected 64 hex digits");
  file.hash = *hash;
  const auto size = json["size"].integer();
  if (!size || *size < 0) return bad(where, "'size' is missing or no byte count");
  file.size = static_cast<std::uint64_t>(*size);
  file.media_type = json["media_type"].string();
  file.width = json["width"].integer().value_or(0);
  file.height = json["height"].integer().value_or(0);
  if (file.width < 0 || file.height < 0)
    return bad(where, "'width' and 'height' are negative; expected pixels, or null");
  return file;
}

bool is_plain(const Json& value) { return !value.is_array() && !value.is_object(); }

/// The key at the start of a line, without parsing the rest when it needs no unescaping.
std::string key_of_line(std::string_view line) {
  const size_t end = line.find_first_of("\"\\", kLineStart.size());
  if (end != std::string_view::npos && line[end] == '"')
    return std::string(line.substr(kLineStart.size(), end - kLineStart.size()));
  const auto json = Json::parse(line);
  return json.ok() ? (*json)["key"].string() : "";
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& item : list.array()) texts.push_back(item.string());
  return texts;
}

Json list_of(const std::set<std::string>& texts) {
  Json::Array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

}  // namespace

const StreamFile* Sample::stream(std::string_view name) const {
  for (const auto& [known, file] : streams) {
    if (known == name) return &file;
  }
  return nullptr;
}

Json to_json(const Sample& sample) {
  Json streams{Json::Object{}};
  for (const auto& [name, file] : sample.streams) streams.set(name, to_json(file));
  Json json{Json::Object{}};
  json.set("key", sample.key).set("streams", std::move(streams)).set("attributes", sample.attributes);
  return json.set("label", sample.label);
}

Result<Sample> parse_sample(const Json& json) {
  Sample sample;
  sample.key = json["key"].string();
  if (sample.key.size() > kSampleKeyBytesMax || !check_relative_path(sample.key).ok()) {
    return bad("a sample", fmt::format("'key' is '{}'; expected a relative path of at most {} bytes",
                                       clean_utf8(sample.key, 100), kSampleKeyBytesMax));
  }
  const std::string where = "the sample '" + sample.key + "'";
  for (const auto& [name, file] : json["streams"].object()) {
    auto parsed = parse_stream_file(file, where + ", stream " + name);
    if (!parsed.ok()) return context(parsed.error(), "in " + where);
    sample.streams.emplace_back(name, std::move(*parsed));
  }
  for (const auto& [name, value] : json["attributes"].object()) {
    if (!is_plain(value))
      return bad(where, fmt::format("the attribute '{}' is a {}; expected text, a number or a boolean", name,
                                    value.type_name()));
    sample.attributes.emplace_back(name, value);
  }
  sample.label = json["label"];
  if (!is_plain(sample.label))
    return bad(where, fmt::format("'label' is a {}; expected text or a number", sample.label.type_name()));
  return sample;
}

// --- the table -----------------------------------------------------------------------------------------------------

Result<SampleTable> SampleTable::make(std::vector<Sample> samples) {
  if (samples.size() > kSamplesMax)
    return Error{ErrorCode::too_large,
                 fmt::format("{} samples; a commit may have at most {}", samples.size(), kSamplesMax)};
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.key < b.key; });
  std::set<std::string> streams, attributes;
  for (const Sample& sample : samples) {
    for (const auto& [name, file] : sample.streams) streams.insert(name);
    for (const auto& [name, value] : sample.attributes) attributes.insert(name);
  }
  Json header{Json::Object{}};
  header.set(std::string(kVersionKey), kFormatVersion)
      .set("streams", list_of(streams))
      .set("attributes", list_of(attributes));
  std::string text = header.render() + "\n";
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i > 0 && samples[i].key == samples[i - 1].key)
      return bad("the samples", "two have the key '" + samples[i].key + "'");
    text += slipway::to_json(samples[i]).render();
    text += '\n';
  }
  return parse(std::move(text), true);
}

Result<SampleTable> SampleTable::parse(std::string text, bool thorough) {
  SampleTable table(0);
  table.text_ = std::move(text);
  const std::string_view all = table.text_;
  const size_t header_end = all.find('\n');
  const auto header = Json::parse(all.substr(0, header_end));
  if (header_end == std::string_view::npos || !header.ok() || (*header)[kVersionKey].integer() != kFormatVersion) {
    return bad("the table of samples",
               fmt::format("its first line is '{}'; expected {{\"{}\":{},…}}",
                           clean_utf8(all.substr(0, std::min<size_t>(header_end, 60))), kVersionKey, kFormatVersion));
  }
  table.streams_ = texts_of((*header)["streams"]);
  table.attributes_ = texts_of((*header)["attributes"]);
  std::string before;
  for (size_t start = header_end + 1; start < all.size();) {
    const size_t end = all.find('\n', start);
    const std::string where = fmt::format("line {} of the table of samples", table.lines_.size() + 2);
    if (end == std::string_view::npos) return bad(where, "it has no end");
    const std::string_view line = all.substr(start, end - start);
    if (line.size() > kSampleBytesMax || !line.starts_with(kLineStart))
      return bad(where, fmt::format("expected {}…\" and at most {} bytes", kLineStart, kSampleBytesMax));
    std::string key = key_of_line(line);
    if (!table.lines_.empty() && key <= before)
      return bad(where, "the key '" + key + "' does not come after '" + before + "'");
    table.lines_.push_back({start, static_cast<std::uint32_t>(line.size())});
    if (thorough) {
      const auto sample = table.at(table.lines_.size() - 1);
      if (!sample.ok()) return bad(where, sample.error().message);
      if (slipway::to_json(*sample).render() != line)
        return bad(where, "it is not written as this program writes samples");
    }
    before = std::move(key);
    start = end + 1;
  }
  return table;
}

std::string_view SampleTable::line(size_t index) const {
  CHECK(index < lines_.size(), "a sample past the end of the table");
  return std::string_view(text_).substr(lines_[index].offset, lines_[index].length);
}

std::string SampleTable::key(size_t index) const { return key_of_line(line(index)); }

Result<Sample> SampleTable::at(size_t index) const { return parse_sample(TRY(Json::parse(line(index)))); }

size_t SampleTable::lower_bound(std::string_view key) const {
  size_t low = 0, high = size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (this->key(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<std::optional<Sample>> SampleTable::find(std::string_view key) const {
  const size_t index = lower_bound(key);
  if (index == size() || this->key(index) != key) return std::optional<Sample>();
  return std::optional(TRY(at(index)));
}

// --- two tables ----------------------------------------------------------------------------------------------------

SampleDiff diff(const SampleTable& from, const SampleTable& to) {
  SampleDiff result;
  size_t left = 0, right = 0;
  while (left < from.size() || right < to.size()) {
    if (left < from.size() && right < to.size() && from.line(left) == to.line(right)) {
      ++left;
      ++right;
      continue;
    }
    const int order = left == from.size() ? 1 : right == to.size() ? -1 : from.key(left).compare(to.key(right));
    if (order < 0) {
      result.removed.push_back(left++);
    } else if (order > 0) {
      result.added.push_back(right++);
    } else {
      result.changed.emplace_back(left++, right++);
    }
  }
  return result;
}

Result<SampleTable> merge(const SampleTable& base, const SampleTable& left, const SampleTable& right) {
  constexpr size_t kNamed = 5;
  std::vector<Sample> merged;
  std::vector<std::string> conflicts;
  size_t b = 0, l = 0, r = 0;
  while (b < base.size() || l < left.size() || r < right.size()) {
    std::string key;
    for (const auto& [table, at] : {std::pair(&base, b), std::pair(&left, l), std::pair(&right, r)}) {
      if (at < table->size() && (key.empty() || table->key(at) < key)) key = table->key(at);
    }
    // The line of this key, or nothing where the table lacks it; each table moves on past it.
    const auto take = [&](const SampleTable& table, size_t& at) {
      return at < table.size() && table.key(at) == key ? table.line(at++) : std::string_view();
    };
    const std::string_view in_base = take(base, b), in_left = take(left, l), in_right = take(right, r);
    const bool agree = in_left == in_right || in_right == in_base;
    const std::string_view chosen = agree ? in_left : in_right;
    if (!agree && in_left != in_base) {
      conflicts.push_back(key);
    } else if (!chosen.empty()) {
      merged.push_back(TRY(parse_sample(TRY(Json::parse(chosen)))));
    }
  }
  if (!conflicts.empty()) {
    const std::vector<std::string> first(
        conflicts.begin(), conflicts.begin() + static_cast<std::ptrdiff_t>(std::min(kNamed, conflicts.size())));
    return Error{
        ErrorCode::failed_precondition,
        fmt::format("both sides changed {} samples differently, among them {}; decide on one side and try again",
                    conflicts.size(), join(first, ", "))};
  }
  return SampleTable::make(std::move(merged));
}

}  // namespace slipway
