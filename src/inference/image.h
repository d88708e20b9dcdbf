// Pictures from strangers. Only workers call this: a decoder that a file brings down takes one replica with it, never
// the server.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::inference {

/// 8 bits a channel, rows from the top, channels interleaved.
struct Image {
  int width = 0, height = 0, channels = 0;  // 1 grayscale, 3 RGB
  std::vector<std::uint8_t> pixels;

  std::uint8_t at(int x, int y, int channel) const {
    return pixels[(static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
                      static_cast<size_t>(channels) +
                  static_cast<size_t>(channel)];
  }
};

inline constexpr std::uint64_t kImagePixelsMax = 64ull << 20;

/// Decodes PNG or JPEG (told apart by their first bytes) into RGB or, when `channels` is 1, luma by ITU-R BT.601. Alpha
/// is dropped. invalid_argument names what was wrong.
Result<Image> decode_image(std::string_view bytes, int channels);

/// The values of a mask as they are stored: palette indexes or grey levels of 1 to 8 bits. invalid_argument for
/// anything but a PNG with one channel, because nothing else keeps them exactly.
Result<Image> decode_mask(std::string_view bytes);

/// Separable triangle filter whose support grows when it shrinks: what Pillow calls BILINEAR.
Image resize(const Image& image, int width, int height);

}  // namespace slipway::inference
