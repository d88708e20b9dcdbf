#include "http/file_body.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/log.h"

namespace slipway::http {
namespace {

bool is_clients(int problem) { return problem == EPIPE || problem == ECONNRESET || problem == ETIMEDOUT; }

/// The head has gone out already: the connection's end tells the client, and this line tells the operator.
void log_unsent(const std::string& problem, std::uint64_t sent, std::uint64_t length) {
  log_error("http", "a file could not be sent to its end",
            {{"error", problem}, {"sent_bytes", std::to_string(sent)}, {"bytes", std::to_string(length)}});
}

}  // namespace

Result<std::string> read_file_part(const UniqueFd& file, std::uint64_t offset, std::uint64_t length) {
  std::string bytes(length, '\0');
  for (std::uint64_t done = 0; done < length;) {
    const ssize_t n = ::pread(file.get(), bytes.data() + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{ErrorCode::internal, "the file cannot be read: " + std::generic_category().message(errno)};
    if (n == 0) return Error{ErrorCode::data_loss, "the file ends before the part that was asked for"};
    done += static_cast<std::uint64_t>(n);
  }
  return bytes;
}

FileBody::FileBody(const FilePart& part, How how) : part_(part), how_(how) {}

FileBody::Turn FileBody::send_some(int socket) {
  const std::uint64_t end = std::min(part_.length, sent_ + kFileTurnBytes);
  while (sent_ < end) {
    read_ahead();
    const std::int64_t n = send_piece(socket, end - sent_);
    const int problem = errno;
    if (n > 0) {
      sent_ += static_cast<std::uint64_t>(n);
    } else if (n == 0) {
      log_unsent("the file has become shorter", sent_, part_.length);
      return Turn::failed;
    } else if (problem == EAGAIN) {
      return Turn::full;
    } else if (how_ == How::kernel && (problem == EINVAL || problem == ENOSYS)) {
      how_ = How::copying;  // not every file system can hand its pages on
    } else if (problem != EINTR) {
      if (!is_clients(problem)) log_unsent(std::generic_category().message(problem), sent_, part_.length);
      return Turn::failed;
    }
  }
  return sent_ == part_.length ? Turn::done : Turn::more;
}

std::int64_t FileBody::send_piece(int socket, std::uint64_t bytes_max) {
  if (how_ == How::copying) return copy_piece(socket, bytes_max);
  off_t at = static_cast<off_t>(part_.offset + sent_);
  return ::sendfile(socket, part_.file.get(), &at, bytes_max);
}

std::int64_t FileBody::copy_piece(int socket, std::uint64_t bytes_max) {
  buffer_.resize(kFilePieceBytes);
  const ssize_t n = ::pread(part_.file.get(), buffer_.data(), std::min<std::uint64_t>(bytes_max, buffer_.size()),
                            static_cast<off_t>(part_.offset + sent_));
  return n <= 0 ? n : ::send(socket, buffer_.data(), static_cast<size_t>(n), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// The kernel reads ahead by itself, but on many disks too little to keep them busy while the socket is.
void FileBody::read_ahead() {
  if (asked_ >= part_.length || sent_ + kFileAheadBytes / 2 < asked_) return;
  ::posix_fadvise(part_.file.get(), static_cast<off_t>(part_.offset + asked_),
                  static_cast<off_t>(std::min(kFileAheadBytes, part_.length - asked_)), POSIX_FADV_WILLNEED);
  asked_ += kFileAheadBytes;
}

}  // namespace slipway::http
