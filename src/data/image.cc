#include "data/image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <turbojpeg.h>

#include "base/text.h"
#include "data/png.h"

namespace slipway::data {
namespace {

constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegStart = "\xff\xd8\xff";

struct JpegClose {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Jpeg = std::unique_ptr<void, JpegClose>;

Error bad(std::string sentence) { return {ErrorCode::invalid_argument, std::move(sentence)}; }

Result<void> check_form(const ImageForm& form) {
  if (form.width < 1 || form.height < 1 || form.width > kImageSideMax || form.height > kImageSideMax ||
      form.width * form.height > kImagePixelsMax) {
    return bad(fmt::format("a picture of {} x {} pixels; expected sides of 1 to {} and at most {} pixels", form.width,
                           form.height, kImageSideMax, kImagePixelsMax));
  }
  return {};
}

int channels_of(PngColor color) {
  switch (color) {
    case PngColor::rgb: return 3;
    case PngColor::rgb_alpha: return 4;
    case PngColor::grey_alpha: return 2;
    case PngColor::grey:
    case PngColor::palette: return 1;
  }
  return 1;
}

Result<ImageForm> png_form(std::string_view bytes) {
  const PngHeader header = TRY(png_header(bytes));
  const ImageForm form{
      header.width, header.height, channels_of(header.color), header.bits, header.color == PngColor::palette,
      "image/png"};
  TRY(check_form(form));
  return form;
}

Result<Luma> png_luma(std::string_view bytes) {
  const ImageForm form = TRY(png_form(bytes));
  Luma luma{form.width, form.height, {}};
  if (form.channels == 1 && !form.palette && form.bits <= 8) {
    luma.pixels = TRY(png_pixels(bytes, PngPixels::grey8));
    return luma;
  }
  const auto rgb = TRY(png_pixels(bytes, PngPixels::rgb8));
  luma.pixels.resize(rgb.size() / 3);
  for (size_t i = 0; i < luma.pixels.size(); ++i) {
    luma.pixels[i] =
        static_cast<std::uint8_t>((299 * rgb[3 * i] + 587 * rgb[3 * i + 1] + 114 * rgb[3 * i + 2] + 500) / 1000);
  }
  return luma;
}

Result<Jpeg> open_jpeg(std::string_view bytes, ImageForm& form) {
  Jpeg jpeg(tjInitDecompress());
  if (!jpeg) return Error{ErrorCode::internal, "no memory for a JPEG decoder"};
  int width = 0, height = 0, sampling = 0, space = 0;
  if (tjDecompressHeader3(jpeg.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), &width,
                          &height, &sampling, &space) != 0) {
    return bad(fmt::format("a broken JPEG: {}", tjGetErrorStr2(jpeg.get())));
  }
  form = {width, height, space == TJCS_GRAY ? 1 : space == TJCS_CMYK || space == TJCS_YCCK ? 4 : 3,
          8,     false,  "image/jpeg"};
  TRY(check_form(form));
  return jpeg;
}

Result<Luma> jpeg_luma(std::string_view bytes) {
  ImageForm form;
  const Jpeg jpeg = TRY(open_jpeg(bytes, form));
  Luma luma{form.width, form.height, std::vector<std::uint8_t>(static_cast<size_t>(form.width * form.height))};
  // A JPEG that ends too early only gives a warning; for us it is broken all the same.
  if (tjDecompress2(jpeg.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), luma.pixels.data(),
                    static_cast<int>(form.width), 0, static_cast<int>(form.height), TJPF_GRAY, 0) != 0) {
    return bad(fmt::format("a broken JPEG: {}", tjGetErrorStr2(jpeg.get())));
  }
  return luma;
}

Error no_picture(std::string_view bytes) {
  if (bytes.empty()) return bad("an empty file, no picture");
  return bad(
      fmt::format("neither PNG nor JPEG; it begins with the bytes {}",
                  to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), std::min<size_t>(bytes.size(), 8)})));
}

}  // namespace

Result<ImageForm> image_form(std::string_view bytes) {
  ImageForm form;
  if (bytes.starts_with(kPngStart)) {
    form = TRY(png_form(bytes));
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
  if (!bytes.starts_with(kPngStart))
    return bytes.starts_with(kJpegStart) ? bad("a JPEG, which does not keep values exactly; expected PNG")
                                         : no_picture(bytes);
  const ImageForm form = TRY(png_form(bytes));
  if (form.channels != 1)
    return bad(fmt::format("a PNG with {} channels; expected one (grey levels or a palette)", form.channels));
  const auto raw = TRY(png_pixels(bytes, PngPixels::raw));
  Values values{form.width, form.height, std::vector<std::uint16_t>(static_cast<size_t>(form.width * form.height))};
  const size_t row_bytes = (static_cast<size_t>(form.width) * static_cast<size_t>(form.bits) + 7) / 8;
  for (std::int64_t y = 0; y < form.height; ++y) {
    const std::uint8_t* row = raw.data() + static_cast<size_t>(y) * row_bytes;
    std::uint16_t* out = values.pixels.data() + y * form.width;
    for (std::int64_t x = 0; x < form.width; ++x) {
      if (form.bits == 16) {
        std::memcpy(&out[x], row + 2 * x, 2);
      } else {
        const std::int64_t bit = x * form.bits;
        out[x] = static_cast<std::uint16_t>((row[bit / 8] >> (8 - form.bits - bit % 8)) & ((1 << form.bits) - 1));
      }
    }
  }
  return values;
}

// --- numbers -------------------------------------------------------------------------------------------------------

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
  const auto at = [&](std::int64_t x, std::int64_t y) {
    return image.pixels[static_cast<size_t>(y * image.width + x)];
  };
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
  const auto set =
      std::count_if(mask.pixels.begin(), mask.pixels.end(), [](std::uint16_t value) { return value != 0; });
  return static_cast<double>(set) / static_cast<double>(mask.pixels.size());
}

}  // namespace slipway::data
