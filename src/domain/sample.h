// Samples: the records of a dataset. A commit's samples are one blob of text, a line of JSON for each sample, sorted by
// key:
//
//   {"slipway_samples":1,"streams":["image"],"attributes":["brightness"]}
//   {"key":"a/17","streams":{"image":{"path":"images/a/17.png","hash":"…","size":311,"media_type":"image/png","width":28,
//   "height":28}},"attributes":{"brightness":0.13},"label":"3"}                                        (one line)
//
// One table has one text: render() is canonical, so equal lines are equal samples and a difference needs no parsing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/filter.h"

namespace slipway {

/// One stream's file of one sample. The path is the one in the commit's tree.
struct StreamFile {
  std::string path;
  Hash hash;
  std::uint64_t size = 0;
  std::string media_type;
  std::int64_t width = 0, height = 0;  // of an image in pixels; else 0

  bool operator==(const StreamFile&) const = default;
};

struct Sample {
  std::string key;
  std::vector<std::pair<std::string, StreamFile>> streams;
  Json::Object attributes;  // text, numbers, booleans or null
  Json label;               // null: none

  const StreamFile* stream(std::string_view name) const;
  bool operator==(const Sample&) const = default;
};

/// As in the API and as a line of the table; parse_sample() is the inverse.
Json to_json(const Sample& sample);
Result<Sample> parse_sample(const Json& json);

inline constexpr size_t kSamplesMax = 50'000'000;
inline constexpr size_t kSampleBytesMax = 1 << 20;  // one line
inline constexpr size_t kSampleKeyBytesMax = 1024;

/// All samples of a commit, held as the text they are stored as; a sample is parsed when it is asked for. Immutable.
class SampleTable {
 public:
  SampleTable() : SampleTable(make({}).value()) {}

  /// Sorts by key. Two samples of one key, a key that is no relative path and samples past the limits are
  /// invalid_argument.
  static Result<SampleTable> make(std::vector<Sample> samples);
  /// Checks the form of every line, and the whole sample with `thorough` (for text from a client).
  static Result<SampleTable> parse(std::string text, bool thorough);
  const std::string& text() const { return text_; }

  size_t size() const { return lines_.size(); }
  std::string_view line(size_t index) const;
  std::string key(size_t index) const;
  Result<Sample> at(size_t index) const;
  Result<std::optional<Sample>> find(std::string_view key) const;
  /// The first sample whose key is not less.
  size_t lower_bound(std::string_view key) const;

  /// Names that some sample has, sorted.
  const std::vector<std::string>& streams() const { return streams_; }
  const std::vector<std::string>& attributes() const { return attributes_; }

 private:
  struct Line {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
  };
  SampleTable(int) {}

  std::string text_;
  std::vector<Line> lines_;
  std::vector<std::string> streams_, attributes_;
};

/// Whether the sample passes. Names: key, label, the attributes, and STREAM.width, STREAM.height, STREAM.size. A number
/// compares with a text that is one. What a sample lacks passes only IS NULL.
bool matches(const Filter& filter, const Sample& sample);
/// invalid_argument for a name that no sample of the table has, with the nearest that it has.
Result<void> check_filter(const Filter& filter, const SampleTable& table);

/// SQL's LIKE: % for anything, _ for one byte.
bool like_matches(std::string_view pattern, std::string_view text, bool ignore_case);

/// What has to be done to `from` to get `to`, by key.
struct SampleDiff {
  std::vector<size_t> added;                       // positions in `to`
  std::vector<size_t> removed;                     // positions in `from`
  std::vector<std::pair<size_t, size_t>> changed;  // (from, to)
};
SampleDiff diff(const SampleTable& from, const SampleTable& to);

/// Both sides' changes since `base`. Samples that both changed, differently, are failed_precondition and named.
Result<SampleTable> merge(const SampleTable& base, const SampleTable& left, const SampleTable& right);

}  // namespace slipway
