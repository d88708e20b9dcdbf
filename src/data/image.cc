#include "data/image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <spng.h>
#include <turbojpeg.h>

#include "base/text.h"

namespace slipway::data {
namespace {

constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegStart = "\xff\xd8\xff";
constexpr size_t kPngChunkBytesMax = 64 << 20;

struct PngClose {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};
using Png = std::unique_ptr<spng_ctx, PngClose>;

struct JpegClose {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Jpeg = std::unique_ptr<void, JpegClose>;

Error bad(std::string sentence) { return {ErrorCode::invalid_argument, std::move(sentence)}; }

Result<void> check_form(const ImageForm& form) {
  if (form.width < 1 || form.height < 1 || form.width > kImageSideMax || form.height > kImageSideMax || form.width * form.height > kImagePixelsMax) {
    return bad(fmt::format("a picture of {} x {} pixels; expected sides of 1 to {} and at most {} pixels", form.width, form.height, kImageSideMax, kImagePixelsMax));
  }
  return {};
}

Result<Png> open_png(std::string_view bytes, ImageForm& form) {
  Png png(spng_ctx_new(0));
  if (!png) return Error{ErrorCode::internal, "no memory for a PNG decoder"};
  spng_set_image_limits(png.get(), kImageSideMax, kImageSideMax);
  spng_set_chunk_limits(png.get(), kPngChunkBytesMax, kPngChunkBytesMax);
  spng_set_png_buffer(png.get(), bytes.data(), bytes.size());
  spng_ihdr header{};
  if (const int problem = spng_get_ihdr(png.get(), &header); problem != 0) return bad(fmt::format("a broken PNG: {}", spng_strerror(problem)));
  form.width = header.width;
  form.height = header.height;
  form.bits = header.bit_depth;
  form.palette = header.color_type == SPNG_COLOR_TYPE_INDEXED;
  form.channels = header.color_type == SPNG_COLOR_TYPE_TRUECOLOR         ? 3
                  : header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA ? 4
                  : header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ? 2
                                                                         : 1;
  form.media_type = "image/png";
  TRY(check_form(form));
  return png;
}

/// The pixels in one of spng's formats.
Result<std::vector<std::uint8_t>> pixels_of(spng_ctx* png, int format) {
  size_t size = 0;
  if (const int problem = spng_decoded_image_size(png, format, &size); problem != 0) return bad(fmt::format("a broken PNG: {}", spng_strerror(problem)));
  std::vector<std::uint8_t> pixels(size);
  if (const int problem = spng_decode_image(png, pixels.data(), size, format, 0); problem != 0) {
    return bad(fmt::format("a broken PNG: {}", spng_strerror(problem)));
  }
  return pixels;
}

Result<Luma> png_luma(std::string_view bytes) {
  ImageForm form;
  const Png png = TRY(open_png(bytes, form));
  Luma luma{form.width, form.height, {}};
  if (form.channels == 1 && !form.palette && form.bits <= 8) {
    luma.pixels = TRY(pixels_of(png.get(), SPNG_FMT_G8));
    return luma;
  }
  const auto rgb = TRY(pixels_of(png.get(), SPNG_FMT_RGB8));
  luma.pixels.resize(rgb.size() / 3);
  for (size_t i = 0; i < luma.pixels.size(); ++i) {
    luma.pixels[i] = static_cast<std::uint8_t>((299 * rgb[3 * i] + 587 * rgb[3 * i + 1] + 114 * rgb[3 * i + 2] + 500) / 1000);
  }
  return luma;
}

Result<Jpeg> open_jpeg(std::string_view bytes, ImageForm& form) {
  Jpeg jpeg(tjInitDecompress());
  if (!jpeg) return Error{ErrorCode::internal, "no memory for a JPEG decoder"};
  int width = 0, height = 0, sampling = 0, space = 0;
  if (tjDecompressHeader3(jpeg.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), &width, &height, &sampling, &space) != 0) {
    return bad(fmt::format("a broken JPEG: {}", tjGetErrorStr2(jpeg.get())));
  }
  form = {width, height, space == TJCS_GRAY ? 1 : space == TJCS_CMYK || space == TJCS_YCCK ? 4 : 3, 8, false, "image/jpeg"};
  TRY(check_form(form));
  return jpeg;
}

Result<Luma> jpeg_luma(std::string_view bytes) {
  ImageForm form;
  const Jpeg jpeg = TRY(open_jpeg(bytes, form));
  Luma luma{form.width, form.height, std::vector<std::uint8_t>(static_cast<size_t>(form.width * form.height))};
  // A JPEG that ends too early only gives a warning; for us it is broken all the same.
  if (tjDecompress2(jpeg.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), luma.pixels.data(), static_cast<int>(form.width), 0,
                    static_cast<int>(form.height), TJPF_GRAY, 0) != 0) {
    return bad(fmt::format("a broken JPEG: {}", tjGetErrorStr2(jpeg.get())));
  }
  return luma;
}

Error no_picture(std::string_view bytes) {
  if (bytes.empty()) return bad("an empty file, no picture");
  return bad(fmt::format("neither PNG nor JPEG; it begins with the bytes {}", to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), std::min<size_t>(bytes.size(), 8)})));
}

}  // namespace

Result<ImageForm> image_form(std::string_view bytes) {
  ImageForm form;
  if (bytes.starts_with(kPngStart)) {
    TRY(open_png(bytes, form));
  } else if (bytes.starts_with(kJpegStart)) {
    TRY(open_jpeg(bytes, form));
  } else {
    return no_picture(bytes);
  }
  return form;
}

Result<Luma> decode_luma(std::string_view bytes) {
  if (bytes.starts_with(kPngStart)) return png_luma(bytes);
  if (bytes.starts_with(kJpegStart)) return jpeg_luma(bytes);
  return no_picture(bytes);
}

Result<Values> decode_values(std::string_view bytes) {
  if (!bytes.starts_with(kPngStart)) return bytes.starts_with(kJpegStart) ? bad("a JPEG, which does not keep values exactly; expected PNG") : no_picture(bytes);
  ImageForm form;
  const Png png = TRY(open_png(bytes, form));
  if (form.channels != 1) return bad(fmt::format("a PNG with {} channels; expected one (grey levels or a palette)", form.channels));
  const auto raw = TRY(pixels_of(png.get(), SPNG_FMT_PNG));
  Values values{form.width, form.height, std::vector<std::uint16_t>(static_cast<size_t>(form.width * form.height))};
  const size_t row_bytes = (static_cast<size_t>(form.width) * static_cast<size_t>(form.bits) + 7) / 8;
  for (std::int64_t y = 0; y < form.height; ++y) {
    const std::uint8_t* row = raw.data() + static_cast<size_t>(y) * row_bytes;
    std::uint16_t* out = values.pixels.data() + y * form.width;
    for (std::int64_t x = 0; x < form.width; ++x) {
      if (form.bits == 16) {
        std::memcpy(&out[x], row + 2 * x, 2);  // spng gives them in the host's order
      } else {
        const std::int64_t bit = x * form.bits;
        out[x] = static_cast<std::uint16_t>((row[bit / 8] >> (8 - form.bits - bit % 8)) & ((1 << form.bits) - 1));
      }
    }
  }
  return values;
}

// --- numbers --------------------------------------------------------------------------------------------------------------

double brightness(const Luma& image) {
  double sum = 0;
  for (const std::uint8_t pixel : image.pixels) sum += pixel;
  return sum / 255 / static_cast<double>(image.pixels.size());
}

double contrast(const Luma& image) {
  const double mean = brightness(image) * 255;
  double sum = 0;
  for (const std::uint8_t pixel : image.pixels) sum += (pixel - mean) * (pixel - mean);
  return std::sqrt(sum / static_cast<double>(image.pixels.size())) / 255;
}

double stroke_thickness(const Luma& image) {
  const auto at = [&](std::int64_t x, std::int64_t y) { return image.pixels[static_cast<size_t>(y * image.width + x)]; };
  std::vector<std::uint8_t> border;
  for (std::int64_t x = 0; x < image.width; ++x) border.insert(border.end(), {at(x, 0), at(x, image.height - 1)});
  for (std::int64_t y = 0; y < image.height; ++y) border.insert(border.end(), {at(0, y), at(image.width - 1, y)});
  std::nth_element(border.begin(), border.begin() + static_cast<std::ptrdiff_t>(border.size() / 2), border.end());
  const int ground = border[border.size() / 2];
  const auto [low, high] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  const int ink = ground - *low > *high - ground ? *low : *high;
  if (ink == ground) return 0;
  const auto drawn = [&](std::int64_t x, std::int64_t y) {
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return false;
    return std::abs(at(x, y) - ink) < std::abs(at(x, y) - ground);
  };
  std::int64_t area = 0, perimeter = 0;
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      if (!drawn(x, y)) continue;
      ++area;
      perimeter += !drawn(x - 1, y) + !drawn(x + 1, y) + !drawn(x, y - 1) + !drawn(x, y + 1);
    }
  }
  return perimeter == 0 ? 0 : 2.0 * static_cast<double>(area) / static_cast<double>(perimeter);
}

double mask_area(const Values& mask) {
  const auto set = std::count_if(mask.pixels.begin(), mask.pixels.end(), [](std::uint16_t value) { return value != 0; });
  return static_cast<double>(set) / static_cast<double>(mask.pixels.size());
}

}  // namespace slipway::data
