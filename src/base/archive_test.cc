#include "base/archive.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/crc.h"
#include "base/file.h"
#include "base/process.h"

namespace slipway {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string archive_of(ArchiveFormat format, const Files& files) {
  const auto archive = make_archive(format);
  std::string out;
  for (const auto& [path, content] : files) {
    out += archive->head({path, content.size(), Time{1'700'000'000'000'000}});
    for (size_t at = 0; at < content.size(); at += 1000) {
      const std::string piece = content.substr(at, 1000);
      archive->pass(piece);
      out += piece;
    }
    out += archive->tail();
  }
  return out + archive->end();
}

const Files kFiles = {{"a.txt", "first"},
                      {"empty", ""},
                      {"plots/größe.png", std::string(5000, 'x')},
                      {"deep/" + std::string(180, 'd') + "/" + std::string(120, 'n') + ".bin", std::string(512, '\1')}};

TEST(Archive, the_check_goes_on_where_it_was) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(crc32("56789", crc32("1234")), crc32("123456789"));
}

TEST(Archive, a_tar_has_blocks_of_512_bytes_and_two_empty_ones_at_its_end) {
  const std::string tar = archive_of(ArchiveFormat::tar, kFiles);
  EXPECT_EQ(tar.size() % 512, 0u);
  EXPECT_EQ(tar.substr(tar.size() - 1024), std::string(1024, '\0'));
  EXPECT_EQ(tar.substr(0, 5), "a.txt");
  EXPECT_EQ(tar.substr(512, 5), "first");
}

// What others make of it: Python's library reads every byte and holds it against the checks inside.
TEST(Archive, others_read_what_was_written) {
  const TemporaryDirectory folder;
  for (const auto format : {ArchiveFormat::tar, ArchiveFormat::zip}) {
    const auto file = folder.path() / "archive";
    ASSERT_TRUE(write_file_atomic(file, archive_of(format, kFiles)).ok());
    const std::string program =
        format == ArchiveFormat::tar
            ? "import sys, tarfile\nwith tarfile.open(sys.argv[1]) as a:\n"
              "  print([(m.name, m.size, len(a.extractfile(m).read()), int(m.mtime)) for m in a])"
            : "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as a:\n"
              "  assert a.testzip() is None\n"
              "  print([(m.filename, m.file_size, len(a.read(m)), 1700000000 if m.date_time == (2023, 11, 14, 22, 13, 20) "
              "else m.date_time) for m in a.infolist()])";
    const auto done =
        run_command({.arguments = {"/usr/bin/python3", "-c", program, file.string()}}, std::chrono::seconds(30));
    ASSERT_TRUE(done.ok()) << done.error().message;
    std::string expected = "[";
    for (const auto& [path, content] : kFiles) {
      const std::string size = std::to_string(content.size());
      expected += (expected.size() > 1 ? ", ('" : "('") + path + "', " + size + ", " + size + ", 1700000000)";
    }
    EXPECT_EQ(done->out, expected + "]\n");
  }
}

TEST(Archive, sizes_past_4_and_8_GiB_are_written_where_there_is_room_for_them) {
  const std::uint64_t size = 9ull << 30;
  const std::string tar = make_archive(ArchiveFormat::tar)->head({"big", size, {}});
  EXPECT_NE(tar.find("19 size=9663676416\n"), std::string::npos);
  const std::string zip = make_archive(ArchiveFormat::zip)->head({"big", size, {}});
  EXPECT_EQ(zip.size(), 30u + 3 + 20);
  EXPECT_EQ(zip.substr(18, 8), std::string(8, '\xff'));
}

TEST(Archive, formats_have_names) {
  EXPECT_EQ(parse_archive_format("tar"), ArchiveFormat::tar);
  EXPECT_EQ(parse_archive_format("zip"), ArchiveFormat::zip);
  EXPECT_FALSE(parse_archive_format("rar"));
}

}  // namespace
}  // namespace slipway
