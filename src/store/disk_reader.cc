#include "store/disk_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace slipway::store {

Result<std::string> DiskReader::read(std::uint64_t offset, std::uint64_t length) const {
  if (offset >= size_) return std::string();
  std::string bytes(std::min(length, size_ - offset), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read the blob", path_, errno);
    if (n == 0) return Error{ErrorCode::data_loss, "the blob " + path_.string() + " became shorter while it was read"};
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace slipway::store
