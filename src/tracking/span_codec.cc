#include "tracking/span_codec.h"

#include <zstd.h>

#include "base/check.h"
#include "domain/otlp.h"

namespace slipway::tracking {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHeadBytes = 5;
constexpr int kCompressionLevel = 3;

Error damaged(const char* what) { return {ErrorCode::data_loss, std::string("stored spans are damaged: ") + what}; }

}  // namespace

PackedSpans pack_spans(const std::vector<Span>& spans) {
  const std::string raw = render_spans(spans);
  PackedSpans packed;
  packed.bytes = raw.size();
  packed.body.resize(kHeadBytes + ZSTD_compressBound(raw.size()));
  packed.body[0] = kVersion;
  for (size_t i = 0; i < 4; ++i) packed.body[1 + i] = static_cast<char>(raw.size() >> (8 * i));
  const size_t size = ZSTD_compress(packed.body.data() + kHeadBytes, packed.body.size() - kHeadBytes, raw.data(),
                                    raw.size(), kCompressionLevel);
  CHECK(!ZSTD_isError(size), "zstd could not compress into the room it asked for");
  packed.body.resize(kHeadBytes + size);
  return packed;
}

size_t unpacked_bytes(std::string_view body) {
  if (body.size() < kHeadBytes) return 0;
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) size |= static_cast<size_t>(static_cast<unsigned char>(body[1 + i])) << (8 * i);
  return size;
}

Result<std::vector<Span>> unpack_spans(std::string_view body) {
  if (body.size() < kHeadBytes) return damaged("the row is too short");
  if (body[0] != kVersion) return damaged("the format is none that this version knows");
  const size_t size = unpacked_bytes(body);
  if (size > kSpanBatchBytesMax) return damaged("the size is beyond every limit");
  std::string raw(size, '\0');
  const size_t read = ZSTD_decompress(raw.data(), raw.size(), body.data() + kHeadBytes, body.size() - kHeadBytes);
  if (ZSTD_isError(read) || read != size) return damaged("they do not decompress");
  auto spans = parse_spans(raw);
  if (!spans.ok()) return damaged(spans.error().message.c_str());
  return spans;
}

}  // namespace slipway::tracking
