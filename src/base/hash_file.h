// A file's hash and size, of any size, a piece at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/hash.h"
#include "base/result.h"

namespace slipway {

struct FileHash {
  Hash hash;
  std::uint64_t bytes = 0;  // that were read, whatever the folder says of the file's size
};

enum class Links { follow, refuse };

/// `seen` is told the bytes of each piece, for progress. Fails as opening and reading do; a link is an error with
/// Links::refuse. A file that is written to meanwhile gives the hash of what was read.
Result<FileHash> hash_file(const std::filesystem::path& path, Links links = Links::follow,
                           const std::function<void(std::uint64_t)>& seen = nullptr);

}  // namespace slipway
