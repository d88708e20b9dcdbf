// Archives as streams: what stands around files in a tar or a zip, so that a folder of any size can be sent while
// memory stays flat. Nothing is compressed: what fills disks (weights, pictures) does not get smaller.
//
//   out += archive->head(file);  out += its bytes, each piece told to archive->pass();  out += archive->tail();
//   … for every file, and at last  out += archive->end();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace slipway {

struct ArchiveFile {
  std::string path;  // relative, UTF-8, as check_relative_path() takes it
  std::uint64_t size = 0;
  Time modified;
};

enum class ArchiveFormat { tar, zip };
std::optional<ArchiveFormat> parse_archive_format(std::string_view text);

/// One thread at a time. Between head() and tail() exactly `size` bytes have to pass.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual std::string head(const ArchiveFile& file) = 0;
  virtual void pass(std::string_view bytes) = 0;
  virtual std::string tail() = 0;
  virtual std::string end() = 0;
};

/// tar: ustar, with pax records for what that cannot say (long or foreign names, 8 GiB and more); remembers nothing.
/// zip: stored, with ZIP64 where needed; remembers some hundred bytes a file for the directory at its end.
std::unique_ptr<Archive> make_archive(ArchiveFormat format);

}  // namespace slipway
