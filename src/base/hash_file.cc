#include "base/hash_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file.h"

namespace slipway {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

}  // namespace

Result<FileHash> hash_file(const std::filesystem::path& path, Links links,
                           const std::function<void(std::uint64_t)>& seen) {
  const UniqueFd file = TRY(open_file(path, O_RDONLY | (links == Links::refuse ? O_NOFOLLOW : 0)));
  FileHash found;
  Hasher hasher;
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) break;
    hasher.update({piece.data(), static_cast<size_t>(n)});
    found.bytes += static_cast<std::uint64_t>(n);
    if (seen) seen(static_cast<std::uint64_t>(n));
  }
  found.hash = hasher.finish();
  return found;
}

}  // namespace slipway
