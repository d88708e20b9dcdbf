#include "domain/media.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

using Part = MediaName::Part;

std::vector<MediaFile> files(std::vector<std::string> paths) {
  std::vector<MediaFile> made;
  for (std::string& path : paths) made.push_back({path, hash_of(path), 1, Time{1'000'000}});
  return made;
}

/// "image samples 7" for an item, with "+mask digit", "preview" or "about" for what belongs to one; "" for no media.
std::string told(std::string_view path) {
  const auto found = media_name(path);
  if (!found) return "";
  const std::string step = found->step ? " " + std::to_string(*found->step) : "";
  switch (found->part) {
    case Part::item: return std::string(name(found->kind)) + " " + found->key + step;
    case Part::preview: return "preview " + found->key + step;
    case Part::about: return "about " + found->key + step;
    case Part::mask: return "mask " + found->mask + " " + found->key + step;
  }
  return "";
}

TEST(Media, our_helpers_name_key_and_step_and_what_lies_over_a_picture) {
  EXPECT_EQ(told("media/samples/000000007.png"), "image samples 7");
  EXPECT_EQ(told("media/val/deep/000000007.jpg"), "image val/deep 7");
  EXPECT_EQ(told("media/samples/000000007.digit.png"), "mask digit samples 7");
  EXPECT_EQ(told("media/samples/000000007.v1.digit.png"), "mask v1.digit samples 7");
  EXPECT_EQ(told("media/samples/000000007.json"), "about samples 7");
  EXPECT_EQ(told("media/worst/000000012.table.json"), "table worst 12");
  EXPECT_EQ(told("media/curve/-00000003.plot.json"), "plot curve -3");
  EXPECT_EQ(told("media/speech/1.wav"), "audio speech 1");
  EXPECT_EQ(told("media/speech/000000001.odd.wav"), "audio media/speech/000000001.odd");
}

TEST(Media, mlflow_names_key_step_and_time_in_the_file) {
  const auto found = media_name("images/val~dogs+step+3+timestamp+1700000000123+g7c1.png");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, "val/dogs");
  EXPECT_EQ(found->step, 3);
  EXPECT_EQ(found->at_ms, 1700000000123);
  EXPECT_EQ(told("images/dogs+step+3+timestamp+17+g7c1+compressed.webp"), "preview dogs 3");
  EXPECT_EQ(told("images/val#dogs%step%4%timestamp%17%g7c1.png"), "image val/dogs 4");
  EXPECT_EQ(told("images/val#dogs%step%4%timestamp%17%g7c1%compressed.webp"), "preview val/dogs 4");
  EXPECT_EQ(told("images/one dog.png"), "image images/one dog");
}

TEST(Media, other_files_are_media_by_their_ending_and_may_name_a_step) {
  EXPECT_EQ(told("confusion.png"), "image confusion");
  EXPECT_EQ(told("Report.HTML"), "html Report");
  EXPECT_EQ(told("plots/confusion_step_12.png"), "image plots/confusion 12");
  EXPECT_EQ(told("epoch-3/samples.png"), "image samples 3");
  EXPECT_EQ(told("val/epoch=3-step=120.json"), "json val 120");
  EXPECT_EQ(told("step_7.csv"), "table step 7");
  EXPECT_EQ(told("predictions.iter20.parquet"), "table predictions 20");
  EXPECT_EQ(told("footstep_7.png"), "image footstep_7");
  EXPECT_EQ(told("step_7b.png"), "image step_7b");
  EXPECT_EQ(told("curve.vega.json"), "plot curve");
}

TEST(Media, what_is_no_media_is_none) {
  for (const char* path : {"model.onnx", "weights/step_3.pt", "noending", ".png", "table_images/t/1.png", "media", ""})
    EXPECT_EQ(told(path), "") << path;
}

TEST(Media, numbers_that_do_not_fit_are_names) {
  EXPECT_EQ(told("media/k/99999999999999999999.png"), "image media/k/99999999999999999999");
  EXPECT_EQ(told("a_step_99999999999999999999.png"), "image a_step_99999999999999999999");
}

TEST(Media, a_picture_has_its_small_copy_its_masks_and_what_is_told_of_it) {
  const auto items =
      media_of(files({"images/d+step+2+timestamp+5000+x+compressed.webp", "images/d+step+2+timestamp+5000+x.png",
                      "media/s/1.a.png", "media/s/1.json", "media/s/1.png", "media/s/2.json"}));
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].key, "d");
  EXPECT_EQ(items[0].at, Time::from_millis(5000));
  EXPECT_EQ(items[0].preview->path, "images/d+step+2+timestamp+5000+x+compressed.webp");
  EXPECT_EQ(items[1].key, "s");
  EXPECT_EQ(items[1].at, Time{1'000'000});
  ASSERT_EQ(items[1].masks.size(), 1u);
  EXPECT_EQ(items[1].masks[0].name, "a");
  EXPECT_EQ(items[1].about->path, "media/s/1.json");
}

TEST(Media, files_of_a_saved_model_are_none) {
  const auto items = media_of(files({"model/MLmodel", "model/conda.yaml", "model/data/x.txt", "models.txt"}));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].key, "models");
}

TEST(Media, items_of_a_key_stand_in_the_order_of_their_steps) {
  const auto items = media_of(files({"media/s/10.png", "media/s/2.png", "media/s/-1.png"}));
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].step, -1);
  EXPECT_EQ(items[1].step, 2);
  EXPECT_EQ(items[2].step, 10);
}

TEST(Media, keys_count_runs_items_and_steps) {
  const auto one = media_of(files({"media/s/1.png", "media/s/2.png", "confusion.png"}));
  const auto other = media_of(files({"media/s/2.png", "media/s/9.png", "media/s/9.wav"}));
  const auto keys = media_keys({one, other});
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].key, "confusion");
  EXPECT_TRUE(keys[0].steps.empty());
  EXPECT_EQ(keys[1].key, "s");
  EXPECT_EQ(keys[1].kind, MediaKind::image);
  EXPECT_EQ(keys[1].runs, 2);
  EXPECT_EQ(keys[1].items, 4);
  EXPECT_EQ(keys[1].steps, (std::vector<std::int64_t>{1, 2, 9}));
  EXPECT_EQ(keys[2].kind, MediaKind::audio);
}

TEST(Media, kinds_have_names) {
  for (const char* kind : {"image", "audio", "video", "table", "plot", "text", "html", "json"})
    EXPECT_EQ(name(parse_media_kind(kind).value()), kind);
  EXPECT_FALSE(parse_media_kind("smell"));
}

}  // namespace
}  // namespace slipway
