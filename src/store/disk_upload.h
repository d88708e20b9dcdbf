// One streaming upload into the store on disk.
#pragma once

#include "store/disk_store.h"

namespace slipway::store {

class DiskUpload : public Upload {
 public:
  DiskUpload(DiskStore& store, DiskStore::Incoming file);
  ~DiskUpload() override;
  Result<void> write(std::string_view bytes) override;
  Result<BlobInfo> finish() override;

 private:
  DiskStore& store_;
  DiskStore::Incoming file_;
  Hasher hasher_;
  std::uint64_t size_ = 0;
  std::uint64_t flushed_ = 0;  // on its way to the disk
  bool finished_ = false;
};

}  // namespace slipway::store
