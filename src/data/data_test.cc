#include "data/data.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "data/manifest.h"
#include "data/pattern.h"
#include "data/picture_maker.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

class PrepareTest : public testing::Test {
 protected:
  void write(const std::string& path, std::string_view bytes) {
    fs::create_directories((folder.path() / path).parent_path());
    std::ofstream(folder.path() / path, std::ios::binary) << bytes;
  }
  std::string png(int side, int level) {
    return make_png(side, side,
                    std::vector<std::uint8_t>(static_cast<size_t>(side * side), static_cast<std::uint8_t>(level)));
  }
  Result<Prepared> run(PrepareOptions options = {}) { return prepare(declaration, folder.path(), options); }
  std::string problem() {
    const auto refused = run();
    return refused.ok() ? "it was taken" : refused.error().message;
  }

  TemporaryDirectory folder{"data-test"};
  DatasetDeclaration declaration{
      .key = "{site}/{frame}",
      .streams = {{"rgb", {.files = "raw/{site}/{frame}.png", .decode = "image"}},
                  {"mask", {.files = "masks/{site}/{frame}.png", .decode = "labels", .optional = true}},
                  {"label", {.files = "labels/{site}/{frame}.txt", .decode = "label"}}},
      .checks = {{"same_size", Json::parse(R"(["rgb","mask"])").value()},
                 {"labels_in", Json::parse(R"({"mask":[0,1],"label":["cat","dog"]})").value()}},
      .attributes = {{"brightness", {.type = "float", .compute = "brightness(rgb)"}},
                     {"site", {.from_key = "site"}},
                     {"lux", {.type = "integer", .manifest = "meta.csv", .column = "lux"}}}};

  void write_good() {
    for (const char* key : {"a/1", "a/2", "b/1"}) {
      write("raw/" + std::string(key) + ".png", png(8, 51));
      write("labels/" + std::string(key) + ".txt", "cat\n");
    }
    write("masks/a/1.png", png(8, 1));
    write("meta.csv", "site,frame,lux\na,1,7\r\na,2,\n\"b\",1,9\n");
    write(".hidden", "x");
    write("notes.md", "x");
  }
};

TEST_F(PrepareTest, streams_are_joined_by_key_and_measured) {
  write_good();
  const Prepared prepared = run().value();
  ASSERT_EQ(prepared.samples.size(), 3u);
  const Sample first = prepared.samples.at(0).value();
  EXPECT_EQ(first.key, "a/1");
  EXPECT_EQ(first.label, Json("cat"));
  ASSERT_NE(first.stream("mask"), nullptr);
  EXPECT_EQ(first.stream("rgb")->width, 8);
  EXPECT_EQ(first.stream("rgb")->path, "raw/a/1.png");
  EXPECT_EQ(first.stream("rgb")->hash, hash_of(png(8, 51)));
  EXPECT_EQ(Json(first.attributes).render(), R"({"brightness":0.2,"site":"a","lux":7})");
  EXPECT_EQ(Json(prepared.samples.at(1)->attributes)["lux"], Json());
  EXPECT_EQ(prepared.samples.at(2)->stream("mask"), nullptr);
  EXPECT_EQ(prepared.tree.entries.size(), 7u);
  EXPECT_EQ(prepared.unused_examples, std::vector<std::string>{"notes.md"});
}

TEST_F(PrepareTest, the_result_does_not_depend_on_the_number_of_threads) {
  for (int i = 0; i < 100; ++i) {
    write("raw/a/" + std::to_string(i) + ".png", png(8, i));
    write("labels/a/" + std::to_string(i) + ".txt", "dog");
  }
  write("meta.csv", "key,lux\n");
  EXPECT_EQ(run({.threads = 1})->samples.text(), run({.threads = 4})->samples.text());
}

TEST_F(PrepareTest, a_broken_picture_is_named_and_nothing_is_taken) {
  write_good();
  write("raw/a/2.png", png(8, 1).substr(0, 50));
  EXPECT_NE(problem().find("nothing was taken, because 1 thing is wrong in 3 samples: raw/a/2.png: a broken PNG"),
            std::string::npos)
      << problem();
}

TEST_F(PrepareTest, everything_that_is_wrong_is_counted) {
  write_good();
  write("raw/a/1.png", "no picture");
  write("labels/a/2.txt", "horse");
  write("masks/b/1.png", png(9, 0));
  const std::string sentence = problem();
  EXPECT_NE(sentence.find("3 things are wrong"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("labels/a/2.txt: the label is 'horse'; labels_in allows cat, dog"), std::string::npos)
      << sentence;
  EXPECT_NE(sentence.find("masks/b/1.png: 9 x 9 pixels, but raw/b/1.png has 8 x 8"), std::string::npos) << sentence;
}

TEST_F(PrepareTest, a_mask_with_a_forbidden_value_says_where) {
  write_good();
  auto pixels = std::vector<std::uint8_t>(64, 1);
  pixels[10] = 5;
  write("masks/a/1.png", make_png(8, 8, pixels));
  EXPECT_NE(problem().find("the value 5 at column 2, row 1"), std::string::npos) << problem();
}

TEST_F(PrepareTest, a_missing_stream_names_the_file_that_was_expected) {
  write_good();
  fs::remove(folder.path() / "labels/b/1.txt");
  EXPECT_NE(problem().find("the sample 'b/1' has no file for its stream label; expected labels/b/1.txt"),
            std::string::npos)
      << problem();
}

TEST_F(PrepareTest, a_folder_without_matching_files_is_refused) {
  write("other.txt", "x");
  EXPECT_NE(problem().find("matches 'raw/{site}/{frame}.png'"), std::string::npos) << problem();
}

TEST_F(PrepareTest, the_label_may_come_from_the_path) {
  declaration = {.streams = {{"image", {.files = "{label}/{id}.png", .decode = "image"}},
                             {"label", {.files = "{label}/{id}.png", .decode = "label"}}}};
  write("7/x.png", png(8, 0));
  write("3/x.png", png(8, 0));
  const Prepared prepared = run().value();
  EXPECT_EQ(prepared.samples.at(0)->label, Json("3"));
  EXPECT_EQ(prepared.samples.at(0)->key, "3/x");
  EXPECT_EQ(prepared.samples.at(0)->streams.size(), 1u);
}

TEST_F(PrepareTest, a_declaration_that_cannot_be_obeyed_says_why) {
  write_good();
  const DatasetDeclaration good = declaration;
  const auto refused_with = [&](std::string_view words) {
    return problem().find(words) != std::string::npos ? "" : problem();
  };
  declaration.checks = {{"same_sizes", nullptr}};
  EXPECT_EQ(refused_with("did you mean same_size?"), "");
  declaration = good;
  declaration.streams[0].second.files = "raw/{frame}.png";
  EXPECT_EQ(refused_with("has no {site}"), "");
  declaration = good;
  declaration.attributes[0].second.compute = "brightnes(rgb)";
  EXPECT_EQ(refused_with("did you mean brightness?"), "");
  declaration.attributes[0].second.compute = "brightness(rbg)";
  EXPECT_EQ(refused_with("speaks of the stream 'rbg'"), "");
  declaration.attributes[0].second.compute = "brightness(label)";
  EXPECT_EQ(refused_with("does not apply"), "");
  declaration = good;
  declaration.attributes[2].second.manifest = "absent.csv";
  EXPECT_EQ(refused_with("absent.csv"), "");
}

TEST_F(PrepareTest, it_can_be_stopped) {
  write_good();
  EXPECT_EQ(run({.progress = [](std::uint64_t, std::uint64_t) { return false; }}).error().code, ErrorCode::cancelled);
}

TEST_F(PrepareTest, common_folders_need_no_declaration) {
  const auto streams = [](const std::vector<std::string>& paths) {
    std::string out;
    const auto inferred = infer_declaration(paths);
    if (!inferred.ok()) return std::string("refused");
    for (const auto& [name, stream] : inferred->streams) out += name + "=" + stream.files + " ";
    return out;
  };
  EXPECT_EQ(streams({"images/a.png", "labels/a.txt"}), "image=images/{id}.png label=labels/{id}.txt ");
  EXPECT_EQ(streams({"images/a.png", "masks/a.png"}), "image=images/{id}.png mask=masks/{id}.png ");
  EXPECT_EQ(streams({"cat/a.jpg", "dog/b.jpg"}), "image={label}/{id}.jpg label={label}/{id}.jpg ");
  EXPECT_EQ(streams({"a.png", "readme.txt"}), "image={id}.png ");
  EXPECT_EQ(streams({"a.png", "b/c.png"}), "refused");
  EXPECT_EQ(streams({"a.png", "b.jpg"}), "refused");
  EXPECT_EQ(streams({"a.txt"}), "refused");
}

TEST(Pattern, fields_take_what_fits) {
  const Pattern pattern = Pattern::parse("raw/{site}/{frame}_{eye}.png").value();
  EXPECT_EQ(pattern.match("raw/a/1_2_left.png"), (Fields{{"site", "a"}, {"frame", "1"}, {"eye", "2_left"}}));
  EXPECT_EQ(pattern.match("raw/a/b/1_l.png"), std::nullopt);
  EXPECT_EQ(pattern.match("raw//1_l.png"), std::nullopt);
  EXPECT_EQ(pattern.fill({{"site", "a"}, {"frame", "1"}, {"eye", "l"}}).value(), "raw/a/1_l.png");
  EXPECT_FALSE(pattern.fill({{"site", "a"}}).ok());
  EXPECT_EQ(Pattern::parse("{a}/{a}.png")->match("x/x.png"), (Fields{{"a", "x"}}));
  EXPECT_EQ(Pattern::parse("{a}/{a}.png")->match("x/y.png"), std::nullopt);
  EXPECT_TRUE(Pattern::parse("x/*.png")->match("x/.png"));
  for (const char* bad : {"{a", "a}", "{}", "{a}{b}", "{a}*"}) EXPECT_FALSE(Pattern::parse(bad).ok()) << bad;
}

TEST(Manifest, csv_and_jsonl_say_the_same) {
  const Pattern key = Pattern::parse("{site}/{frame}").value();
  const Manifest csv = parse_manifest("site,frame,note\na,1,\"x, \"\"y\"\"\nz\"\n\nb,2,\n", "m.csv", key).value();
  EXPECT_EQ(csv.at("a/1").at("note"), Json("x, \"y\"\nz"));
  EXPECT_EQ(csv.at("b/2").at("note"), Json(""));
  EXPECT_EQ(parse_manifest("{\"key\":\"a/1\",\"n\":3}\n\n", "m.jsonl", key)->at("a/1").at("n"), Json(3));
}

TEST(Manifest, what_is_wrong_is_named_with_its_line) {
  const Pattern key = Pattern::parse("{site}").value();
  const auto sentence = [&](std::string_view text, std::string_view file) {
    return parse_manifest(text, file, key).error().message;
  };
  EXPECT_EQ(sentence("site,n\na,1\nb\n", "m.csv").substr(0, 8), "m.csv:3:");
  EXPECT_EQ(sentence("site\na\na\n", "m.csv"), "m.csv:3: a second row for the sample 'a'");
  EXPECT_EQ(sentence("place\na\n", "m.csv").substr(0, 8), "m.csv:2:");
  EXPECT_EQ(sentence("site\n\"a\n", "m.csv"), "m.csv:2: the quote that begins here is never closed");
  EXPECT_EQ(sentence("[1]", "m.jsonl").substr(0, 10), "m.jsonl:1:");
  EXPECT_FALSE(parse_manifest("x", "m.parquet", key).ok());
}

}  // namespace
}  // namespace slipway::data
