// One blob on disk, open for reading.
#pragma once

#include "base/file.h"
#include "store/store.h"

namespace slipway::store {

class DiskReader : public Reader {
 public:
  DiskReader(std::filesystem::path path, UniqueFd fd, std::uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::string> read(std::uint64_t offset, std::uint64_t length) const override;
  std::optional<std::filesystem::path> local_file() const override { return path_; }

 private:
  const std::filesystem::path path_;
  const UniqueFd fd_;
  const std::uint64_t size_;
};

}  // namespace slipway::store
