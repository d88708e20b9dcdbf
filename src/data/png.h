// Reading PNG with libpng, which exists as a static library everywhere: the command line decodes pictures too, and is
// one static program.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::data {

enum class PngColor { grey, grey_alpha, rgb, rgb_alpha, palette };

struct PngHeader {
  std::int64_t width = 0, height = 0;
  int bits = 8;  // of a channel, or of a palette's index
  PngColor color = PngColor::grey;
};

enum class PngPixels {
  grey8,  // of a grey PNG of at most 8 bits: one byte a pixel, scaled to 0…255
  rgb8,   // of any PNG: three bytes a pixel, alpha dropped
  raw,    // as stored, rows packed to whole bytes; 16-bit values in this machine's order
};

/// invalid_argument in a sentence that ends "…a broken PNG: …".
Result<PngHeader> png_header(std::string_view bytes);

/// All pixels, row after row. The caller has checked that the header's size is bearable.
Result<std::vector<std::uint8_t>> png_pixels(std::string_view bytes, PngPixels as);

}  // namespace slipway::data
