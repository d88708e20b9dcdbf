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
  if (width * height > kImagePixelsMax) return invalid(std::string("the ") + format + " has " + std::to_string(width) + " x " + std::to_string(height) + " pixels; the limit is " + std::to_string(kImagePixelsMax));
  return {};
}

Result<Image> decode_png(std::string_view bytes) {
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(0), spng_ctx_free);
  if (!context) return Error{ErrorCode::busy, "no memory to decode a PNG"};
  const auto failed = [](int code) { return invalid(std::string("the PNG cannot be decoded: ") + spng_strerror(code)); };
  spng_set_chunk_limits(context.get(), kChunkBytesMax, kChunkBytesMax);
  if (const int code = spng_set_png_buffer(context.get(), bytes.data(), bytes.size()); code != 0) return failed(code);
  spng_ihdr header{};
  if (const int code = spng_get_ihdr(context.get(), &header); code != 0) return failed(code);
  TRY(check_size(header.width, header.height, "PNG"));
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), 3, {}};
  size_t size = 0;
  if (const int code = spng_decoded_image_size(context.get(), SPNG_FMT_RGB8, &size); code != 0) return failed(code);
  image.pixels.resize(size);
  if (const int code = spng_decode_image(context.get(), image.pixels.data(), size, SPNG_FMT_RGB8, 0); code != 0) return failed(code);
  return image;
}

Result<Image> decode_jpeg(std::string_view bytes) {
  struct Destroy {
    void operator()(void* handle) const { tjDestroy(handle); }
  };
  const std::unique_ptr<void, Destroy> handle(tjInitDecompress());
  if (!handle) return Error{ErrorCode::busy, "no memory to decode a JPEG"};
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto failed = [&] { return invalid(std::string("the JPEG cannot be decoded: ") + tjGetErrorStr2(handle.get())); };
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(handle.get(), data, bytes.size(), &width, &height, &subsampling, &colours) != 0) return failed();
  TRY(check_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), "JPEG"));
  Image image{width, height, 3, {}};
  image.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  if (tjDecompress2(handle.get(), data, bytes.size(), image.pixels.data(), width, 0, height, TJPF_RGB, TJFLAG_ACCURATEDCT) != 0) return failed();
  return image;
}

Image to_grayscale(const Image& rgb) {
  Image gray{rgb.width, rgb.height, 1, {}};
  gray.pixels.resize(rgb.pixels.size() / 3);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    const std::uint8_t* pixel = &rgb.pixels[3 * i];
    // Fixed point with 16 bits, rounded, so that equal channels stay what they were.
    gray.pixels[i] = static_cast<std::uint8_t>((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
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
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int last = std::min(from, static_cast<int>(center + support + 0.5));
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
  out.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(image.height) * static_cast<size_t>(image.channels));
  const auto all = taps_of(image.width, width);
  size_t at = 0;
  for (int y = 0; y < image.height; ++y) {
    for (const Taps& taps : all) {
      for (int c = 0; c < image.channels; ++c) {
        double sum = 0;
        for (size_t k = 0; k < taps.weights.size(); ++k) sum += taps.weights[k] * image.at(taps.first + static_cast<int>(k), y, c);
        out.pixels[at++] = round_pixel(sum);
      }
    }
  }
  return out;
}

Image resize_columns(const Image& image, int height) {
  Image out{image.width, height, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(image.width) * static_cast<size_t>(height) * static_cast<size_t>(image.channels));
  const auto all = taps_of(image.height, height);
  size_t at = 0;
  for (const Taps& taps : all) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        double sum = 0;
        for (size_t k = 0; k < taps.weights.size(); ++k) sum += taps.weights[k] * image.at(x, taps.first + static_cast<int>(k), c);
        out.pixels[at++] = round_pixel(sum);
      }
    }
  }
  return out;
}

}  // namespace

Result<Image> decode_image(std::string_view bytes, int channels) {
  Image image;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
    image = TRY(decode_png(bytes));
  } else if (bytes.starts_with("\xff\xd8\xff")) {
    image = TRY(decode_jpeg(bytes));
  } else {
    return invalid("the body is neither a PNG nor a JPEG: it starts with neither's signature");
  }
  return channels == 1 ? to_grayscale(image) : image;
}

Image resize(const Image& image, int width, int height) {
  Image out = image.width == width ? image : resize_rows(image, width);
  return out.height == height ? out : resize_columns(out, height);
}

}  // namespace slipway::inference
