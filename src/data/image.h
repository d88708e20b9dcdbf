// Pictures: their form, their pixels, and numbers computed from them. PNG and JPEG, told apart by their first bytes.
//
// What comes from strangers is decoded here, so only the command line, the runner and workers may call this; the server
// never does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::data {

struct ImageForm {
  std::int64_t width = 0, height = 0;
  int channels = 0;  // 1 grey or palette, 2 grey with alpha, 3 colour, 4 with alpha
  int bits = 8;      // of a channel
  bool palette = false;
  std::string media_type;
};

/// 8-bit luma (ITU-R BT.601), rows from the top.
struct Luma {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

/// The values as they are stored: palette indexes or grey levels of 1 to 16 bits, rows from the top.
struct Values {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint16_t> pixels;
};

inline constexpr std::int64_t kImageSideMax = 65'535;
inline constexpr std::int64_t kImagePixelsMax = 256ll << 20;

/// From the header alone. invalid_argument says what the bytes are instead.
Result<ImageForm> image_form(std::string_view bytes);
/// Decodes everything, so that a picture cut short is found out.
Result<Luma> decode_luma(std::string_view bytes);
/// PNG with one channel; colour is invalid_argument, because labels and depths have no colour.
Result<Values> decode_values(std::string_view bytes);

// --- numbers of a picture ------------------------------------------------------------------------------------------

/// Mean luma, 0 (black) to 1 (white).
double brightness(const Luma& image);
/// Standard deviation of luma, in the same unit.
double contrast(const Luma& image);
/// Mean width in pixels of what is drawn: twice its area over its perimeter. What is drawn is what is nearer to the far
/// end of the range than to the border's median. 0 when nothing is.
double stroke_thickness(const Luma& image);
/// Share of pixels that are not zero, 0 to 1.
double mask_area(const Values& mask);

}  // namespace slipway::data
