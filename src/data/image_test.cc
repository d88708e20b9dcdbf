#include "data/image.h"

#include <gtest/gtest.h>

#include "data/picture_maker.h"

namespace slipway::data {
namespace {

std::vector<std::uint8_t> ramp(int width, int height) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < width * height; ++i) pixels.push_back(static_cast<std::uint8_t>(i * 5));
  return pixels;
}

TEST(Image, png_is_decoded_exactly) {
  const auto pixels = ramp(7, 5);
  const std::string png = make_png(7, 5, pixels);
  const ImageForm form = image_form(png).value();
  EXPECT_EQ(form.width, 7);
  EXPECT_EQ(form.height, 5);
  EXPECT_EQ(form.channels, 1);
  EXPECT_EQ(form.media_type, "image/png");
  EXPECT_EQ(decode_luma(png)->pixels, pixels);
}

TEST(Image, jpeg_is_decoded_nearly) {
  const std::vector<std::uint8_t> grey(64 * 48, 200);
  const std::string jpeg = make_jpeg(64, 48, grey);
  EXPECT_EQ(image_form(jpeg)->media_type, "image/jpeg");
  const Luma luma = decode_luma(jpeg).value();
  ASSERT_EQ(luma.pixels.size(), grey.size());
  EXPECT_NEAR(luma.pixels[1000], 200, 2);
}

TEST(Image, labels_are_palette_indexes_or_grey_levels_of_any_depth) {
  const std::vector<std::uint8_t> pixels = {0, 1, 2, 3, 4, 5};
  for (const bool palette : {false, true}) {
    const Values values = decode_values(make_png(3, 2, pixels, 8, palette)).value();
    EXPECT_EQ(values.pixels, (std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5})) << palette;
  }
  // Two pixels of 4 bits share a byte; each row begins with a new one.
  EXPECT_EQ(decode_values(make_png(3, 2, {0x12, 0x30, 0x45, 0x60}, 4, true))->pixels,
            (std::vector<std::uint16_t>{1, 2, 3, 4, 5, 6}));
  const std::uint16_t deep[] = {1000, 65535};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(deep);
  EXPECT_EQ(decode_values(make_png(2, 1, {bytes, bytes + 4}, 16))->pixels, (std::vector<std::uint16_t>{1000, 65535}));
}

TEST(Image, what_is_broken_is_refused_in_a_sentence) {
  const std::string png = make_png(40, 40, ramp(40, 40)), jpeg = make_jpeg(40, 40, ramp(40, 40));
  std::string flipped = png;
  flipped[png.size() / 2] ^= 0x55;
  for (const std::string& bytes : {std::string(), std::string("hello"), png.substr(0, png.size() / 2),
                                   png.substr(0, 12), flipped, jpeg.substr(0, 100), jpeg.substr(0, jpeg.size() / 2)}) {
    const auto refused = decode_luma(bytes);
    ASSERT_FALSE(refused.ok()) << bytes.size();
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  }
  EXPECT_NE(decode_luma("hello").error().message.find("neither PNG nor JPEG"), std::string::npos);
  EXPECT_FALSE(decode_values(jpeg).ok());
}

TEST(Statistics, brightness_and_contrast_are_shares_of_white) {
  EXPECT_DOUBLE_EQ(brightness({2, 1, {0, 255}}), 0.5);
  EXPECT_DOUBLE_EQ(contrast({2, 1, {0, 255}}), 0.5);
  EXPECT_DOUBLE_EQ(contrast({2, 1, {9, 9}}), 0);
  EXPECT_DOUBLE_EQ(mask_area({2, 2, {0, 1, 2, 0}}), 0.5);
}

/// A vertical stroke of some width, light on dark or the other way round.
Luma stroke(int width, bool inverted) {
  Luma image{28, 28, std::vector<std::uint8_t>(28 * 28, inverted ? 255 : 0)};
  for (int y = 4; y < 24; ++y) {
    for (int x = 10; x < 10 + width; ++x) image.pixels[static_cast<size_t>(y * 28 + x)] = inverted ? 0 : 255;
  }
  return image;
}

TEST(Statistics, stroke_thickness_is_the_width_of_what_is_drawn_in_any_colour) {
  for (const bool inverted : {false, true}) {
    EXPECT_NEAR(stroke_thickness(stroke(1, inverted)), 1, 0.1);
    EXPECT_NEAR(stroke_thickness(stroke(2, inverted)), 2, 0.25);
    EXPECT_GT(stroke_thickness(stroke(4, inverted)), stroke_thickness(stroke(3, inverted)));
  }
  EXPECT_EQ(stroke_thickness(stroke(0, false)), 0);
}

}  // namespace
}  // namespace slipway::data
