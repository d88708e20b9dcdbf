#include "tracking/metric_codec.h"

#include <zstd.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace slipway::tracking {
namespace {

constexpr char kBatchVersion = 1, kSegmentVersion = 1, kSeriesVersion = 1, kSummariesVersion = 1;
constexpr size_t kVarintBytesMax = 10;
constexpr int kCompressionLevel = 1;
constexpr size_t kCompressBytesMin = 256;

static_assert(std::endian::native == std::endian::little, "values are stored little-endian by memcpy");

using U64 = std::uint64_t;

U64 zigzag(U64 v) { return (v << 1) ^ (0 - (v >> 63)); }
U64 unzigzag(U64 v) { return (v >> 1) ^ (0 - (v & 1)); }

char* put_varint(char* out, U64 v) {
  while (v >= 0x80) {
    *out++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *out++ = static_cast<char>(v);
  return out;
}

void append_varint(std::string& out, U64 v) {
  char bytes[kVarintBytesMax];
  out.append(bytes, static_cast<size_t>(put_varint(bytes, v) - bytes));
}

Error damaged(const char* what) {
  return {ErrorCode::data_loss, std::string("stored metric points are damaged: ") + what};
}

/// Reads forward; `ok` turns false at the first thing that cannot be, and everything after reads as zero.
struct Cursor {
  const char* at;
  const char* end;
  bool ok = true;

  explicit Cursor(std::string_view bytes) : at(bytes.data()), end(bytes.data() + bytes.size()) {}
  size_t left() const { return static_cast<size_t>(end - at); }

  U64 varint() {
    U64 v = 0;
    for (int shift = 0; shift < 64 && at < end; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at++);
      v |= static_cast<U64>(byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
    ok = false;
    return 0;
  }
  void skip_varints(U64 count) {
    for (; count > 0 && at < end; ++at) count -= static_cast<unsigned char>(*at) < 0x80;
    ok = ok && count == 0;
  }
  unsigned char byte() {
    if (at == end) return ok = false, 0;
    return static_cast<unsigned char>(*at++);
  }
  std::string_view bytes(U64 count) {
    if (count > left()) return ok = false, std::string_view();
    const std::string_view taken(at, count);
    at += count;
    return taken;
  }
};

template <auto Member>
char* put_differences(char* out, std::span<const Point> points) {
  U64 before = 0;
  for (const Point& point : points) {
    const U64 v = static_cast<U64>(point.*Member);
    out = put_varint(out, zigzag(v - before));
    before = v;
  }
  return out;
}

/// Differences of differences, or nothing but the first value and step when they are all alike.
template <auto Member>
void append_second_differences(std::string& out, std::span<const Point> points) {
  const auto value = [&](size_t i) { return static_cast<U64>(points[i].*Member); };
  const U64 first_difference = points.size() > 1 ? value(1) - value(0) : 0;
  bool regular = true;
  for (size_t i = 2; i < points.size() && regular; ++i) regular = value(i) - value(i - 1) == first_difference;
  out += static_cast<char>(regular);
  append_varint(out, zigzag(value(0)));
  append_varint(out, zigzag(first_difference));
  if (regular) return;
  U64 before = first_difference;
  for (size_t i = 2; i < points.size(); ++i) {
    const U64 difference = value(i) - value(i - 1);
    append_varint(out, zigzag(difference - before));
    before = difference;
  }
}

template <auto Member>
void read_second_differences(Cursor& in, std::span<Point> points) {
  const bool regular = in.byte() != 0;
  U64 value = unzigzag(in.varint());
  U64 difference = unzigzag(in.varint());
  for (size_t i = 0; i < points.size() && in.ok; ++i) {
    if (i >= 2 && !regular) difference += unzigzag(in.varint());
    if (i >= 1) value += difference;
    points[i].*Member = static_cast<std::int64_t>(value);
  }
}

void append_values(std::string& out, std::span<const Point> points) {
  const size_t start = out.size(), count = points.size();
  out.resize(start + 8 * count);
  auto* planes = reinterpret_cast<unsigned char*>(out.data()) + start;
  U64 before = 0;
  for (size_t i = 0; i < count; ++i) {
    const U64 bits = std::bit_cast<U64>(points[i].value);
    const U64 mixed = bits ^ before;
    before = bits;
    for (size_t plane = 0; plane < 8; ++plane)
      planes[plane * count + i] = static_cast<unsigned char>(mixed >> (8 * plane));
  }
}

void read_values(Cursor& in, std::span<Point> points) {
  const size_t count = points.size();
  const auto* planes = reinterpret_cast<const unsigned char*>(in.bytes(8 * count).data());
  if (!in.ok) return;
  U64 before = 0;
  for (size_t i = 0; i < count; ++i) {
    U64 mixed = 0;
    for (size_t plane = 0; plane < 8; ++plane) mixed |= static_cast<U64>(planes[plane * count + i]) << (8 * plane);
    before ^= mixed;
    points[i].value = std::bit_cast<double>(before);
  }
}

struct SeriesEntry {
  MetricNumber metric;
  std::string_view bytes;
};

/// The directory of a segment.
Result<std::vector<SeriesEntry>> read_directory(std::string_view bytes) {
  Cursor in(bytes);
  if (in.byte() != static_cast<unsigned char>(kSegmentVersion)) return damaged("an unknown version of a segment");
  const U64 count = in.varint();
  if (!in.ok || count > in.left()) return damaged("a segment's directory is cut short");
  std::vector<std::pair<U64, U64>> sizes;
  sizes.reserve(count);
  U64 metric = 0;
  for (U64 i = 0; i < count; ++i) {
    metric += in.varint();
    sizes.emplace_back(metric, in.varint());
  }
  std::vector<SeriesEntry> series;
  series.reserve(count);
  for (const auto& [number, size] : sizes) {
    series.push_back({static_cast<MetricNumber>(number), in.bytes(size)});
    if (!in.ok || number > UINT32_MAX) return damaged("a segment's series is cut short");
  }
  if (in.left() != 0) return damaged("a segment has bytes to spare");
  return series;
}

Result<void> parse_series_body(std::string_view body, U64 count, MetricNumber metric, std::vector<Point>& out) {
  const size_t start = out.size();
  out.resize(start + count, Point{metric, 0, 0, 0});
  const auto points = std::span(out).subspan(start);
  Cursor in(body);
  read_second_differences<&Point::step>(in, points);
  read_second_differences<&Point::at_ms>(in, points);
  read_values(in, points);
  if (in.ok && in.left() == 0) return {};
  out.resize(start);
  return damaged("a series is cut short");
}

}  // namespace

std::string render_batch(std::span<const Point> points) {
  CHECK(points.size() <= kBatchPointsMax, "a batch has more points than its named limit");
  std::string out;
  out.resize(1 + kVarintBytesMax + points.size() * (3 * kVarintBytesMax + sizeof(double)));
  char* at = out.data();
  *at++ = kBatchVersion;
  at = put_varint(at, points.size());
  at = put_differences<&Point::metric>(at, points);
  at = put_differences<&Point::step>(at, points);
  at = put_differences<&Point::at_ms>(at, points);
  for (const Point& point : points) {
    std::memcpy(at, &point.value, sizeof point.value);
    at += sizeof point.value;
  }
  out.resize(static_cast<size_t>(at - out.data()));
  return out;
}

Result<void> parse_batch(std::string_view bytes, std::vector<Point>& out) {
  Cursor in(bytes);
  if (in.byte() != static_cast<unsigned char>(kBatchVersion)) return damaged("an unknown version of a batch");
  const U64 count = in.varint();
  if (!in.ok || count > kBatchPointsMax || count > in.left()) return damaged("a batch is cut short");
  const size_t start = out.size();
  out.resize(start + count);
  const auto points = std::span(out).subspan(start);
  U64 before = 0;
  for (Point& point : points) point.metric = static_cast<MetricNumber>(before += unzigzag(in.varint()));
  before = 0;
  for (Point& point : points) point.step = static_cast<std::int64_t>(before += unzigzag(in.varint()));
  before = 0;
  for (Point& point : points) point.at_ms = static_cast<std::int64_t>(before += unzigzag(in.varint()));
  const std::string_view values = in.bytes(count * sizeof(double));
  if (!in.ok || in.left() != 0) {
    out.resize(start);
    return damaged("a batch is cut short");
  }
  for (size_t i = 0; i < count; ++i) std::memcpy(&points[i].value, values.data() + i * sizeof(double), sizeof(double));
  return {};
}

std::string render_series(std::span<const Point> points, bool compact) {
  CHECK(!points.empty() && points.size() <= kSeriesPointsMax, "a series is empty or over its named limit");
  std::string body;
  append_second_differences<&Point::step>(body, points);
  append_second_differences<&Point::at_ms>(body, points);
  append_values(body, points);

  std::string out(1, kSeriesVersion);
  if (compact && body.size() >= kCompressBytesMin) {
    std::string packed(ZSTD_compressBound(body.size()), '\0');
    const size_t size = ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), kCompressionLevel);
    if (!ZSTD_isError(size) && size + size / 16 < body.size()) {
      out += '\1';
      append_varint(out, points.size());
      append_varint(out, body.size());
      return out.append(packed, 0, size);
    }
  }
  out += '\0';
  append_varint(out, points.size());
  return out + body;
}

Result<void> parse_series(std::string_view bytes, MetricNumber metric, std::vector<Point>& out) {
  Cursor in(bytes);
  if (in.byte() != static_cast<unsigned char>(kSeriesVersion)) return damaged("an unknown version of a series");
  const unsigned char packed = in.byte();
  const U64 count = in.varint();
  if (!in.ok || packed > 1 || count == 0 || count > kSeriesPointsMax)
    return damaged("the head of a series makes no sense");
  if (!packed) {
    if (count > in.left()) return damaged("a series is cut short");
    return parse_series_body(in.bytes(in.left()), count, metric, out);
  }
  const U64 size = in.varint();
  // A point takes at least its value and at most three long integers.
  if (!in.ok || size > count * (sizeof(double) + 2 * kVarintBytesMax) + 64)
    return damaged("the head of a series makes no sense");
  const std::string_view rest = in.bytes(in.left());
  if (ZSTD_getFrameContentSize(rest.data(), rest.size()) != size)
    return damaged("a compressed series has another length than it says");
  std::string body(size, '\0');
  const size_t unpacked = ZSTD_decompress(body.data(), body.size(), rest.data(), rest.size());
  if (ZSTD_isError(unpacked) || unpacked != size) return damaged("a compressed series does not unpack");
  return parse_series_body(body, count, metric, out);
}

std::string render_segment(std::span<const Point> points) {
  CHECK(points.size() <= kSegmentPointsMax, "a segment has more points than its named limit");
  std::vector<std::pair<MetricNumber, std::string>> series;
  for (size_t from = 0; from < points.size();) {
    size_t to = from;
    while (to < points.size() && points[to].metric == points[from].metric) ++to;
    series.emplace_back(points[from].metric, render_series(points.subspan(from, to - from), true));
    from = to;
  }
  std::string out(1, kSegmentVersion);
  append_varint(out, series.size());
  MetricNumber before = 0;
  size_t bytes = 0;
  for (const auto& [metric, body] : series) {
    append_varint(out, metric - before);
    append_varint(out, body.size());
    before = metric;
    bytes += body.size();
  }
  out.reserve(out.size() + bytes);
  for (const auto& [metric, body] : series) out += body;
  return out;
}

Result<void> parse_segment(std::string_view bytes, std::vector<Point>& out) {
  for (const SeriesEntry& entry : TRY(read_directory(bytes))) TRY(parse_series(entry.bytes, entry.metric, out));
  return {};
}

Result<void> parse_segment_series(std::string_view bytes, MetricNumber metric, std::vector<Point>& out) {
  for (const SeriesEntry& entry : TRY(read_directory(bytes))) {
    if (entry.metric == metric) TRY(parse_series(entry.bytes, metric, out));
  }
  return {};
}

namespace {

constexpr double SeriesSummary::*kSummaryNumbers[] = {&SeriesSummary::low, &SeriesSummary::high, &SeriesSummary::total};
constexpr size_t kSummaryNumbersBytes = 4 * sizeof(double);  // those and the latest value

}  // namespace

std::string render_summaries(std::span<const SeriesSummary> summaries) {
  std::vector<Point> latest;
  latest.reserve(summaries.size());
  for (const SeriesSummary& summary : summaries) latest.push_back(summary.latest);
  std::string out;
  out.resize(1 + kVarintBytesMax + summaries.size() * (4 * kVarintBytesMax + kSummaryNumbersBytes));
  char* at = out.data();
  *at++ = kSummariesVersion;
  at = put_varint(at, summaries.size());
  at = put_differences<&Point::metric>(at, latest);
  at = put_differences<&Point::step>(at, latest);
  at = put_differences<&Point::at_ms>(at, latest);
  for (const SeriesSummary& summary : summaries) at = put_varint(at, static_cast<U64>(summary.points));
  const auto put = [&](double value) {
    std::memcpy(at, &value, sizeof value);
    at += sizeof value;
  };
  for (const SeriesSummary& summary : summaries) {
    put(summary.latest.value);
    for (const auto member : kSummaryNumbers) put(summary.*member);
  }
  out.resize(static_cast<size_t>(at - out.data()));
  return out;
}

Result<void> parse_summaries(std::string_view bytes, std::vector<SeriesSummary>& out) {
  Cursor in(bytes);
  if (in.byte() != static_cast<unsigned char>(kSummariesVersion)) return damaged("an unknown version of summaries");
  const U64 count = in.varint();
  if (!in.ok || count > in.left() / kSummaryNumbersBytes) return damaged("summaries are cut short");
  const size_t start = out.size();
  out.resize(start + count);
  const auto summaries = std::span(out).subspan(start);
  U64 before = 0;
  for (auto& s : summaries) s.latest.metric = static_cast<MetricNumber>(before += unzigzag(in.varint()));
  before = 0;
  for (auto& s : summaries) s.latest.step = static_cast<std::int64_t>(before += unzigzag(in.varint()));
  before = 0;
  for (auto& s : summaries) s.latest.at_ms = static_cast<std::int64_t>(before += unzigzag(in.varint()));
  for (auto& s : summaries) s.points = static_cast<std::int64_t>(in.varint());
  const std::string_view numbers = in.bytes(count * kSummaryNumbersBytes);
  if (!in.ok || in.left() != 0) {
    out.resize(start);
    return damaged("summaries are cut short");
  }
  const char* at = numbers.data();
  const auto take = [&](double& value) {
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
  };
  for (auto& s : summaries) {
    take(s.latest.value);
    for (const auto member : kSummaryNumbers) take(s.*member);
  }
  return {};
}

namespace {

struct Wanted {
  U64 index = 0;  // among all summaries
  Point point;
};

/// Reads a column of differences; the wanted ones are kept.
template <auto Member>
void read_wanted(Cursor& in, U64 count, std::vector<Wanted>& wanted) {
  U64 value = 0, i = 0;
  for (Wanted& one : wanted) {
    for (; i <= one.index && in.ok; ++i) value += unzigzag(in.varint());
    one.point.*Member = static_cast<std::int64_t>(value);
  }
  in.skip_varints(count - i);
}

}  // namespace

Result<void> parse_summaries_latest(std::string_view bytes, std::span<const MetricNumber> metrics,
                                    std::vector<Point>& out) {
  Cursor in(bytes);
  if (in.byte() != static_cast<unsigned char>(kSummariesVersion)) return damaged("an unknown version of summaries");
  const U64 count = in.varint();
  if (!in.ok || count > in.left() / kSummaryNumbersBytes) return damaged("summaries are cut short");
  std::vector<Wanted> wanted;
  U64 metric = 0;
  for (U64 i = 0; i < count; ++i) {
    const auto number = static_cast<MetricNumber>(metric += unzigzag(in.varint()));
    if (std::find(metrics.begin(), metrics.end(), number) != metrics.end()) wanted.push_back({i, {number, 0, 0, 0}});
  }
  read_wanted<&Point::step>(in, count, wanted);
  read_wanted<&Point::at_ms>(in, count, wanted);
  in.skip_varints(count);
  const std::string_view numbers = in.bytes(count * kSummaryNumbersBytes);
  if (!in.ok || in.left() != 0) return damaged("summaries are cut short");
  for (Wanted& one : wanted) {
    std::memcpy(&one.point.value, numbers.data() + one.index * kSummaryNumbersBytes, sizeof one.point.value);
    out.push_back(one.point);
  }
  return {};
}

}  // namespace slipway::tracking
