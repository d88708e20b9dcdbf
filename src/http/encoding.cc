#include "http/encoding.h"

#include <zlib.h>
#include <zstd.h>

#include <memory>

#include "base/check.h"
#include "base/text.h"

namespace slipway::http {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
constexpr int kGzipWindow = 15 + 16;        // zlib: write a gzip header
constexpr int kGzipOrZlibWindow = 15 + 32;  // zlib: recognise either

Error too_large(std::uint64_t bytes_max) {
  return {ErrorCode::too_large, "the decompressed body is larger than the limit of " + render_bytes(bytes_max)};
}

Result<std::string> inflate_body(std::string_view body, std::uint64_t bytes_max) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, kGzipOrZlibWindow) == Z_OK, "zlib could not start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  char piece[kPieceBytes];
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    const int state = inflate(&stream, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END)
      return Error{ErrorCode::invalid_argument, "the body is not valid gzip or deflate data, or it is cut off"};
    out.append(piece, sizeof piece - stream.avail_out);
    if (out.size() > bytes_max) return too_large(bytes_max);
    if (state == Z_STREAM_END) return out;
  }
}

Result<std::string> unzstd_body(std::string_view body, std::uint64_t bytes_max) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string out;
  char piece[kPieceBytes];
  size_t state = 1;
  while (in.pos < in.size || state != 0) {
    ZSTD_outBuffer into{piece, sizeof piece, 0};
    state = ZSTD_decompressStream(stream.get(), &into, &in);
    const bool stuck = into.pos == 0 && in.pos == in.size && state != 0;
    if (ZSTD_isError(state) || stuck)
      return Error{ErrorCode::invalid_argument, "the body is not valid zstd data, or it is cut off"};
    out.append(piece, into.pos);
    if (out.size() > bytes_max) return too_large(bytes_max);
  }
  return out;
}

}  // namespace

Result<std::string> decode_body(std::string_view encoding, std::string body, std::uint64_t bytes_max) {
  const std::string wanted = lower(trim(encoding));
  if (wanted.empty() || wanted == "identity") return body;
  if (wanted == "gzip" || wanted == "x-gzip" || wanted == "deflate") return inflate_body(body, bytes_max);
  if (wanted == "zstd") return unzstd_body(body, bytes_max);
  return Error{ErrorCode::unsupported,
               "the Content-Encoding '" + clean_utf8(wanted, 40) + "' is not known; send gzip, deflate, zstd or none"};
}

Encoding choose_encoding(std::string_view accept) {
  Encoding best = Encoding::identity;
  for (const std::string& part : split(accept, ',')) {
    const auto pieces = split(part, ';');
    const std::string encoding = lower(trim(pieces[0]));
    const std::string_view quality = pieces.size() > 1 ? trim(pieces[1]) : "";
    if (quality == "q=0" || quality == "q=0.0" || quality == "q=0.00" || quality == "q=0.000") continue;
    if (encoding == "zstd") return Encoding::zstd;
    if (encoding == "gzip") best = Encoding::gzip;
  }
  return best;
}

std::string_view name(Encoding encoding) {
  switch (encoding) {
    case Encoding::identity: return "identity";
    case Encoding::gzip: return "gzip";
    case Encoding::zstd: return "zstd";
  }
  return "identity";
}

std::string encode_body(Encoding encoding, std::string_view body) {
  if (encoding == Encoding::identity) return std::string(body);
  std::string out;
  if (encoding == Encoding::zstd) {
    out.resize(ZSTD_compressBound(body.size()));
    const size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 1);
    CHECK(!ZSTD_isError(size), "zstd could not compress into a buffer of its own bound");
    out.resize(size);
    return out;
  }
  z_stream stream{};
  CHECK(deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib could not start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, deflateEnd);
  out.resize(deflateBound(&stream, static_cast<uLong>(body.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib could not compress into a buffer of its own bound");
  out.resize(stream.total_out);
  return out;
}

}  // namespace slipway::http
