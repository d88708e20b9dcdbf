// A part of a file as the body of an answer: the kernel sends it from its cache of the file, without a copy in this
// program (sendfile(2)).
//
// What is not in that cache has to come from the disk first, and whoever asks the kernel to send it waits for that. No
// event loop may: so a turn runs on the pool, sends what the socket takes at once, and gives the thread back. Waiting
// for the client is the event loop's part, so that a slow reader costs no thread. The socket's buffer holds some
// milliseconds of a fast client's reading, which is longer than the way to the pool and back.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"

namespace slipway::http {

/// `length` bytes from `offset` on.
struct FilePart {
  UniqueFd file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

inline constexpr std::uint64_t kFileTurnBytes = 16 << 20;  // sent by one turn at most; others want the thread, too
inline constexpr std::uint64_t kFileAheadBytes = 8 << 20;  // asked of the disk before it is sent
inline constexpr std::uint64_t kFilePieceBytes = 1 << 20;  // copied at once where the kernel sends no files
inline constexpr std::uint64_t kFileWholeBytesMax = 64
                                                    << 10;  // a part up to this is read, and sent with its head at once

/// Exactly those bytes. data_loss when the file ends before them.
Result<std::string> read_file_part(const UniqueFd& file, std::uint64_t offset, std::uint64_t length);

/// How far the sending of one part has come. One thread at a time.
class FileBody {
 public:
  enum class How { kernel, copying };
  /// `part` outlives it.
  explicit FileBody(const FilePart& part, How how = How::kernel);

  enum class Turn {
    done,    // all of it is sent
    more,    // others get their turn
    full,    // the socket takes no more now
    failed,  // the client is gone, or the file is not what it was (which is logged)
  };
  /// Sends on. May block for the disk, never for the client; the socket does not block.
  Turn send_some(int socket);
  std::uint64_t sent() const { return sent_; }

 private:
  std::int64_t send_piece(int socket, std::uint64_t bytes_max);
  std::int64_t copy_piece(int socket, std::uint64_t bytes_max);
  void read_ahead();

  const FilePart& part_;
  How how_;
  std::uint64_t sent_ = 0;
  std::uint64_t asked_ = 0;  // of the disk
  std::string buffer_;       // of a copy
};

}  // namespace slipway::http
