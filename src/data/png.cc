#include "data/png.h"

#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstring>
#include <string>

#include "data/image.h"

namespace slipway::data {
namespace {

constexpr png_alloc_size_t kPngChunkBytesMax = 64 << 20;

/// What libpng reads from, and where it says what is wrong. It leaves by longjmp, so nothing with a destructor may live
/// in the functions below that it is called from.
struct Source {
  std::string_view left;
  char problem[128] = "";
};

void read_bytes(png_structp png, png_bytep into, size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (source->left.size() < size) png_error(png, "it is cut off");
  std::memcpy(into, source->left.data(), size);
  source->left.remove_prefix(size);
}

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->problem, sizeof source->problem, "%s", message);
  std::longjmp(*png_set_longjmp_fn(png, std::longjmp, sizeof(std::jmp_buf)), 1);
}

void on_warning(png_structp, png_const_charp) {}

struct Reader {
  explicit Reader(std::string_view bytes) : source{bytes} {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    if (!info) return;
    png_set_user_limits(png, kImageSideMax, kImageSideMax);
    png_set_chunk_malloc_max(png, kPngChunkBytesMax);
    png_set_read_fn(png, &source, read_bytes);
  }
  Reader(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

  Error problem() const {
    if (!info) return {ErrorCode::internal, "no memory for a PNG decoder"};
    return {ErrorCode::invalid_argument, std::string("a broken PNG: ") + source.problem};
  }

  Source source;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

bool read_header(Reader& reader) {
  if (!reader.info) return false;
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_info(reader.png, reader.info);
  return true;
}

/// After the header. The bytes of a row, 0 when that failed.
size_t prepare(Reader& reader, PngPixels as) {
  if (setjmp(png_jmpbuf(reader.png))) return 0;
  if (as == PngPixels::grey8) png_set_expand_gray_1_2_4_to_8(reader.png);
  if (as == PngPixels::rgb8) {
    png_set_expand(reader.png);
    png_set_scale_16(reader.png);
    png_set_gray_to_rgb(reader.png);
    png_set_strip_alpha(reader.png);
  }
  if (as == PngPixels::raw && std::endian::native == std::endian::little &&
      png_get_bit_depth(reader.png, reader.info) == 16)
    png_set_swap(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return png_get_rowbytes(reader.png, reader.info);
}

bool read_rows(Reader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

PngColor color_of(png_byte type) {
  switch (type) {
    case PNG_COLOR_TYPE_GRAY_ALPHA: return PngColor::grey_alpha;
    case PNG_COLOR_TYPE_RGB: return PngColor::rgb;
    case PNG_COLOR_TYPE_RGB_ALPHA: return PngColor::rgb_alpha;
    case PNG_COLOR_TYPE_PALETTE: return PngColor::palette;
    default: return PngColor::grey;
  }
}

}  // namespace

Result<PngHeader> png_header(std::string_view bytes) {
  Reader reader(bytes);
  if (!read_header(reader)) return reader.problem();
  return PngHeader{png_get_image_width(reader.png, reader.info), png_get_image_height(reader.png, reader.info),
                   png_get_bit_depth(reader.png, reader.info), color_of(png_get_color_type(reader.png, reader.info))};
}

Result<std::vector<std::uint8_t>> png_pixels(std::string_view bytes, PngPixels as) {
  Reader reader(bytes);
  if (!read_header(reader)) return reader.problem();
  const size_t row_bytes = prepare(reader, as);
  if (row_bytes == 0) return reader.problem();
  const size_t height = png_get_image_height(reader.png, reader.info);
  std::vector<std::uint8_t> pixels(row_bytes * height);
  std::vector<png_bytep> rows(height);
  for (size_t y = 0; y < height; ++y) rows[y] = pixels.data() + y * row_bytes;
  if (!read_rows(reader, rows.data())) return reader.problem();
  return pixels;
}

}  // namespace slipway::data
