#include "inference/evaluate.h"

#include <gtest/gtest.h>

#include <string>

#include "inference/image.h"

namespace slipway::inference {
namespace {

using namespace std::string_literals;

/// 3 x 2 pixels of 2 bits, 0 1 2 and 3 0 1, with a palette of black, red, green and blue.
const std::string kPalette =
    "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x03\x00\x00\x00\x02\x02\x03\x00\x00\x00\xe0\x1a\x8e\x89\x00\x00\x00\x0cPLTE\x00\x00\x00\xff\x00\x00\x00\xff\x00\x00\x00\xff"
    "\x9b\xc0\x13\xdc\x00\x00\x00\x0cIDAT\x78\xda\x63\x90\x60\x38\x02\x00\x01\x10\x00\xdd\x2f\x18\xdc\x8e\x00\x00\x00\x00IEND\xae\x42\x60\x82"s;
/// 9 x 1 pixels of 1 bit: 1 0 1 1 0 0 0 0 1.
const std::string kOneBit =
    "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x09\x00\x00\x00\x01\x01\x00\x00\x00\x00\x24\xb9\xb9\xd0\x00\x00\x00\x0bIDAT\x78\xda\x63\xd8\xd0\x00\x00\x01\xe3\x01"
    "\x31\x20\xf3\x79\x1e\x00\x00\x00\x00IEND\xae\x42\x60\x82"s;

TEST(MeanIou, of_equal_masks_is_one) { EXPECT_DOUBLE_EQ(mean_iou({0, 1, 2, 1}, {0, 1, 2, 1}), 1); }

TEST(MeanIou, is_the_mean_over_the_classes_present) {
  // class 0: both 1, either 2; class 1: both 2, either 3
  EXPECT_DOUBLE_EQ(mean_iou({0, 1, 1, 1}, {0, 0, 1, 1}), (1.0 / 2 + 2.0 / 3) / 2);
}

TEST(MeanIou, leaves_out_ignored_pixels) { EXPECT_DOUBLE_EQ(mean_iou({0, 1}, {0, 255}), 1); }

TEST(MeanIou, of_nothing_is_one) { EXPECT_DOUBLE_EQ(mean_iou({}, {}), 1); }

TEST(DecodeMask, gives_the_values_as_stored_and_not_the_colours) {
  const auto mask = decode_mask(kPalette);
  ASSERT_TRUE(mask.ok()) << mask.error().message;
  EXPECT_EQ(mask->width, 3);
  EXPECT_EQ(mask->height, 2);
  EXPECT_EQ(mask->pixels, (std::vector<std::uint8_t>{0, 1, 2, 3, 0, 1}));
}

TEST(DecodeMask, reads_fewer_than_eight_bits_a_pixel) {
  const auto mask = decode_mask(kOneBit);
  ASSERT_TRUE(mask.ok()) << mask.error().message;
  EXPECT_EQ(mask->pixels, (std::vector<std::uint8_t>{1, 0, 1, 1, 0, 0, 0, 0, 1}));
}

TEST(DecodeMask, refuses_what_is_no_png_and_what_is_cut_off) {
  EXPECT_NE(decode_mask("\xff\xd8\xff\xe0").error().message.find("a mask is a PNG"), std::string::npos);
  EXPECT_FALSE(decode_mask(kPalette.substr(0, 60)).ok());
}

TEST(EvaluationTask, that_is_unknown_is_named) {
  EXPECT_TRUE(parse_evaluation_task("segmentation").ok());
  const auto unknown = parse_evaluation_task("clasification");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("clasification"), std::string::npos);
}

}  // namespace
}  // namespace slipway::inference
