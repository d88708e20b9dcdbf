// Files of W&B runs: framed as its client frames them, cut off, damaged, and records of every kind.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/crc.h"
#include "base/file.h"
#include "domain/protobuf.h"
#include "imports/wandb_file.h"
#include "imports/wandb_story.h"

namespace slipway::imports {
namespace {

/// Writes records as the client does.
class WandbWriter {
 public:
  WandbWriter() : bytes_(":W&B\xe1\xbe") { bytes_ += '\0'; }

  WandbWriter& add(std::string_view record) {
    bool is_first = true;
    do {
      const size_t room = kWandbBlockBytes - bytes_.size() % kWandbBlockBytes;
      if (room < 7) {
        bytes_.append(room, '\0');
        continue;
      }
      const std::string_view piece = record.substr(0, room - 7);
      record.remove_prefix(piece.size());
      frame(is_first ? (record.empty() ? 1 : 2) : (record.empty() ? 4 : 3), piece);
      is_first = false;
    } while (is_first || !record.empty());
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void frame(int type, std::string_view data) {
    const std::string body = std::string(1, static_cast<char>(type)) + std::string(data);
    const std::uint32_t crc = crc32(body);
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(crc >> (8 * i));
    for (int i = 0; i < 2; ++i) bytes_ += static_cast<char>(data.size() >> (8 * i));
    bytes_ += body;
  }

  std::string bytes_;
};

std::string item(std::string_view key, std::string_view json) {
  return ProtobufWriter().bytes(1, key).bytes(16, json).take();
}

std::string history(std::int64_t step, std::initializer_list<std::pair<const char*, const char*>> values) {
  ProtobufWriter message;
  for (const auto& [key, json] : values) message.bytes(1, item(key, json));
  message.bytes(2, ProtobufWriter().integer(1, static_cast<std::uint64_t>(step)).text());
  return ProtobufWriter().bytes(2, message.text()).take();
}

std::string run(std::string_view id) {
  const std::string config =
      ProtobufWriter().bytes(1, item("lr", "0.1")).bytes(1, item("model", R"({"depth": 3})")).take();
  const std::string start = ProtobufWriter().integer(1, 1'700'000'000).integer(2, 500'000'000).take();
  ProtobufWriter message;
  message.bytes(1, id).bytes(3, "digits").bytes(4, config).bytes(8, "brave-sun-1").bytes(10, "good").bytes(17, start);
  return ProtobufWriter().bytes(17, message.text()).take();
}

Result<std::vector<std::string>> records_of(std::string_view bytes) {
  std::vector<std::string> records;
  WandbBlocks blocks;
  while (!bytes.empty()) {
    const std::string_view block = bytes.substr(0, kWandbBlockBytes);
    TRY(blocks.read(block, [&](std::string_view record) -> Result<void> {
      records.emplace_back(record);
      return {};
    }));
    bytes.remove_prefix(block.size());
  }
  return records;
}

TEST(WandbFile, records_come_back_whatever_their_size) {
  WandbWriter file;
  std::vector<std::string> wanted;
  for (const size_t size : {0, 1, 100, 32'747, 32'754, 5, 200'000, 32'768, 3}) {
    wanted.emplace_back(size, static_cast<char>('a' + wanted.size()));
    file.add(wanted.back());
  }
  const auto found = records_of(file.bytes());
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(*found, wanted);
}

TEST(WandbFile, a_file_that_ends_anywhere_gives_what_was_whole) {
  WandbWriter file;
  file.add("first").add(std::string(40'000, 'x')).add("third");
  size_t before = 0;
  for (size_t length = 7; length <= file.bytes().size(); length += length < 60 ? 1 : 977) {
    const auto found = records_of(std::string_view(file.bytes()).substr(0, length));
    ASSERT_TRUE(found.ok()) << length << ": " << found.error().message;
    EXPECT_GE(found->size(), before);
    before = found->size();
  }
  EXPECT_EQ(records_of(file.bytes())->size(), 3u);
}

TEST(WandbFile, damage_and_other_files_are_told) {
  WandbWriter file;
  file.add("first").add("second");
  std::string broken = file.bytes();
  broken[broken.size() - 2] ^= 1;
  EXPECT_FALSE(records_of(broken).ok());
  EXPECT_FALSE(records_of("PAR1 is another file").ok());
  EXPECT_FALSE(records_of(":W&").ok());
  std::string newer = file.bytes();
  newer[6] = 9;
  EXPECT_FALSE(records_of(newer).ok());
}

TEST(WandbFile, a_record_is_read_by_what_it_is_of) {
  const WandbRecord found = read_wandb_record(run("abc")).value();
  ASSERT_TRUE(found.run.has_value());
  EXPECT_EQ(found.run->id, "abc");
  EXPECT_EQ(found.run->started_ms, 1'700'000'000'500);
  EXPECT_EQ(found.run->tags, std::vector<std::string>{"good"});
  EXPECT_EQ(found.config, (WandbItems{{"lr", "0.1"}, {"model", R"({"depth": 3})"}}));
  EXPECT_EQ(read_wandb_record(history(7, {{"loss", "0.5"}}))->step, 7);
  const std::string nested = ProtobufWriter().bytes(2, "a").bytes(2, "b").bytes(16, "1").take();
  const auto summary = ProtobufWriter().bytes(3, ProtobufWriter().bytes(1, nested).text()).take();
  EXPECT_EQ(read_wandb_record(summary)->summary, (WandbItems{{"a.b", "1"}}));
  const auto ended = ProtobufWriter().bytes(18, ProtobufWriter().integer(1, 3).text()).take();
  EXPECT_EQ(read_wandb_record(ended)->exit_code, 3);
  EXPECT_FALSE(read_wandb_record("\x12\x7f").ok());
}

TEST(WandbFile, a_story_has_everything_but_the_points_and_the_points_come_in_order) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "run-abc.wandb";
  WandbWriter file;
  file.add(run("abc"));
  file.add(history(0, {{"loss", "0.5"},
                       {"deep", R"({"acc": 1, "more": {"x": NaN}})"},
                       {"_timestamp", "1700000001.25"},
                       {"picture", R"({"_type": "image-file", "path": "media/a.png"})"},
                       {"text", R"("hello")"}}));
  file.add(history(5, {{"loss", "\"Infinity\""}, {"ok", "true"}, {"_step", "5"}, {"h", R"({"_type": "histogram"})"}}));
  // As the client writes a picture: value by value.
  const auto part = [](const char* name, const char* json) {
    return ProtobufWriter().bytes(2, "photo").bytes(2, name).bytes(16, json).take();
  };
  ProtobufWriter photo;
  photo.bytes(1, part("width", "8"))
      .bytes(1, part("_type", "\"image-file\""))
      .bytes(1, part("path", "\"media/b.png\""));
  file.add(ProtobufWriter().bytes(2, photo.text()).text());
  std::ofstream(path, std::ios::binary) << file.bytes();
  const auto story = read_wandb_story(path);
  ASSERT_TRUE(story.ok()) << story.error().message;
  EXPECT_EQ(story->run.name, "brave-sun-1");
  EXPECT_EQ(story->config.at("model.depth").integer(), 3);
  EXPECT_EQ((std::vector<std::int64_t>{story->points, story->texts, story->media, story->plots}),
            (std::vector<std::int64_t>{5, 1, 2, 1}));
  EXPECT_EQ(story->first_ms, 1'700'000'001'250);
  EXPECT_FALSE(story->exit_code.has_value());
  std::string points;
  WandbPoints visit;
  visit.point = [&](const Point& point) -> Result<void> {
    points += point.key + "@" + std::to_string(point.step) + (std::isnan(point.value) ? "=nan " : " ");
    return {};
  };
  ASSERT_TRUE(read_wandb_points(path, visit).ok());
  EXPECT_EQ(points, "loss@0 deep.acc@0 deep.more.x@0=nan loss@5 ok@5 ");
}

TEST(WandbFile, the_rest_behind_damage_is_named_and_what_came_before_is_kept) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "run-abc.wandb";
  WandbWriter file;
  file.add(run("abc")).add(history(0, {{"loss", "0.5"}}));
  std::string bytes = file.bytes();
  bytes += std::string(20, 'x');
  bytes[file.bytes().size() + 4] = 1;  // a length that fits
  bytes[file.bytes().size() + 5] = 0;
  std::ofstream(path, std::ios::binary) << bytes;
  const auto story = read_wandb_story(path);
  ASSERT_TRUE(story.ok()) << story.error().message;
  EXPECT_EQ(story->points, 1);
  EXPECT_NE(story->damage.find("run-abc.wandb"), std::string::npos);
}

}  // namespace
}  // namespace slipway::imports
