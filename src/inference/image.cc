#include "inference/image.h"

#include <spng.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

namespace slipway::inference {
namespace {

constexpr size_t kChunkBytesMax = 16 << 20;  // of a PNG's text and profile chunks

Error invalid(std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; }

Result<void> check_size(std::uint64_t width, std::uint64_t height, const char* format) {
  if (width == 0 || height == 0) return invalid(std::string("the ") + format + " has no pixels");
  if (width * height > kImagePixelsMax)
    return invalid(std::string("the ") + format + " has " + std::to_string(width) + " x " + std::to_string(height) +
                   " pixels; the limit is " + std::to_string(kImagePixelsMax));
  return {};
}

constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";

/// A PNG whose header was read and checked.
struct Png {
  std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context{spng_ctx_new(0), spng_ctx_free};
  spng_ihdr header{};
};

Error broken_png(int code) { return invalid(std::string("the PNG cannot be decoded: ") + spng_strerror(code)); }

Result<Png> open_png(std::string_view bytes) {
  Png png;
  if (!png.context) return Error{ErrorCode::busy, "no memory to decode a PNG"};
  spng_set_chunk_limits(png.context.get(), kChunkBytesMax, kChunkBytesMax);
  if (const int code = spng_set_png_buffer(png.context.get(), bytes.data(), bytes.size()); code != 0)
    return broken_png(code);
  if (const int code = spng_get_ihdr(png.context.get(), &png.header); code != 0) return broken_png(code);
  TRY(check_size(png.header.width, png.header.height, "PNG"));
  return png;
}

Result<std::vector<std::uint8_t>> decode_pixels(const Png& png, spng_format format) {
  size_t size = 0;
  if (const int code = spng_decoded_image_size(png.context.get(), format, &size); code != 0) return broken_png(code);
  std::vector<std::uint8_t> pixels(size);
  if (const int code = spng_decode_image(png.context.get(), pixels.data(), size, format, 0); code != 0)
    return broken_png(code);
  return pixels;
}

Result<Image> decode_png(std::string_view bytes) {
  const Png png = TRY(open_png(bytes));
  auto pixels = TRY(decode_pixels(png, SPNG_FMT_RGB8));
  return Image{static_cast<int>(png.header.width), static_cast<int>(png.header.height), 3, std::move(pixels)};
}

Result<Image> decode_jpeg(std::string_view bytes) {
  struct Destroy {
    void operator()(void* handle) const { tjDestroy(handle); }
  };
  const std::unique_ptr<void, Destroy> handle(tjInitDecompress());
  if (!handle) return Error{ErrorCode::busy, "no memory to decode a JPEG"};
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto failed = [&] {
    return invalid(std::string("the JPEG cannot be decoded: ") + tjGetErrorStr2(handle.get()));
  };
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(handle.get(), data, bytes.size(), &width, &height, &subsampling, &colours) != 0)
    return failed();
  TRY(check_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), "JPEG"));
  Image image{width, height, 3, {}};
  image.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  if (tjDecompress2(handle.get(), data, bytes.size(), image.pixels.data(), width, 0, height, TJPF_RGB,
                    TJFLAG_ACCURATEDCT) != 0)
    return failed();
  return image;
}

Image to_grayscale(const Image& rgb) {
  Image gray{rgb.width, rgb.height, 1, {}};
  gray.pixels.resize(rgb.pixels.size() / 3);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    const std::uint8_t* pixel = &rgb.pixels[3 * i];
    // Fixed point with 16 bits, rounded, so that equal channels stay what they were.
    gray.pixels[i] =
        static_cast<std::uint8_t>((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
  }
  return gray;
}

/// Which sources make one destination, and how much of each.
struct Taps {
  int first = 0;
  std::vector<double> weights;
};

std::vector<Taps> taps_of(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double support = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<size_t>(to));
  for (int i = 0; i < to; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::floor(center - support + 0.5)));
    const int last = std::min(from, static_cast<int>(std::floor(center + support + 0.5)));
    Taps taps{first, {}};
    double total = 0;
    for (int x = first; x < last; ++x) {
      const double weight = std::max(0.0, 1 - std::abs((x + 0.5 - center) / support));
      taps.weights.push_back(weight);
      total += weight;
    }
    for (double& weight : taps.weights) weight /= total;
    all[static_cast<size_t>(i)] = std::move(taps);
  }
  return all;
}

std::uint8_t round_pixel(double value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

Image resize_rows(const Image& image, int width) {
  Image out{width, image.height, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(image.height) *
                    static_cast<size_t>(image.channels));
  const auto all = taps_of(image.width, width);
  size_t at = 0;
  for (int y = 0; y < image.height; ++y) {
    for (const Taps& taps : all) {
      for (int c = 0; c < image.channels; ++c) {
        double sum = 0;
        for (size_t k = 0; k < taps.weights.size(); ++k)
          sum += taps.weights[k] * image.at(taps.first + static_cast<int>(k), y, c);
        out.pixels[at++] = round_pixel(sum);
      }
    }
  }
  return out;
}

Image resize_columns(const Image& image, int height) {
  Image out{image.width, height, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(image.width) * static_cast<size_t>(height) *
                    static_cast<size_t>(image.channels));
  const auto all = taps_of(image.height, height);
  size_t at = 0;
  for (const Taps& taps : all) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        double sum = 0;
        for (size_t k = 0; k < taps.weights.size(); ++k)
          sum += taps.weights[k] * image.at(x, taps.first + static_cast<int>(k), c);
        out.pixels[at++] = round_pixel(sum);
      }
    }
  }
  return out;
}

}  // namespace

Result<Image> decode_image(std::string_view bytes, int channels) {
  Image image;
  if (bytes.starts_with(kPngStart)) {
    image = TRY(decode_png(bytes));
  } else if (bytes.starts_with("\xff\xd8\xff")) {
    image = TRY(decode_jpeg(bytes));
  } else {
    return invalid("the body is neither a PNG nor a JPEG: it starts with neither's signature");
  }
  return channels == 1 ? to_grayscale(image) : image;
}

Result<Image> decode_mask(std::string_view bytes) {
  if (!bytes.starts_with(kPngStart)) return invalid("a mask is a PNG; these bytes start with something else");
  const Png png = TRY(open_png(bytes));
  const bool one_channel =
      png.header.color_type == SPNG_COLOR_TYPE_INDEXED || png.header.color_type == SPNG_COLOR_TYPE_GRAYSCALE;
  if (!one_channel || png.header.bit_depth > 8)
    return invalid("a mask is a PNG with one channel of at most 8 bits (grey levels or a palette); this one has more");
  const std::vector<std::uint8_t> packed = TRY(decode_pixels(png, SPNG_FMT_PNG));
  Image mask{static_cast<int>(png.header.width), static_cast<int>(png.header.height), 1, {}};
  const size_t width = png.header.width, height = png.header.height, bits = png.header.bit_depth;
  const size_t row_bytes = packed.size() / height;
  mask.pixels.resize(width * height);
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      const size_t bit = x * bits;
      mask.pixels[y * width + x] =
          static_cast<std::uint8_t>((packed[y * row_bytes + bit / 8] >> (8 - bits - bit % 8)) & ((1u << bits) - 1));
    }
  }
  return mask;
}

Image resize(const Image& image, int width, int height) {
  Image out = image.width == width ? image : resize_rows(image, width);
  return out.height == height ? out : resize_columns(out, height);
}

}  // namespace slipway::inference
