#include "store/disk_upload.h"

#include <fcntl.h>

#include "base/check.h"

namespace slipway::store {
namespace {

/// After so many bytes the kernel is told to begin writing, so that the final sync has little left, and the disk's free
/// space is looked at again.
constexpr std::uint64_t kFlushBytes = 8 << 20;

/// Hashed and then written, while they are still in the core's own cache.
constexpr size_t kWriteBytes = 256 << 10;

}  // namespace

DiskUpload::DiskUpload(DiskStore& store, DiskStore::Incoming file) : store_(store), file_(std::move(file)) {
  store_.uploads_open_.add(1);
}

DiskUpload::~DiskUpload() { store_.uploads_open_.add(-1); }

Result<void> DiskUpload::write(std::string_view bytes) {
  CHECK(!finished_, "an upload is written to after its end");
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kWriteBytes))) {
    const std::string_view piece = bytes.substr(0, kWriteBytes);
    hasher_.update(piece);
    TRY(write_all(file_.fd(), piece, file_.path()));
    size_ += piece.size();
  }
  if (size_ - flushed_ < kFlushBytes) return {};
  ::sync_file_range(file_.fd(), static_cast<off_t>(flushed_), static_cast<off_t>(size_ - flushed_),
                    SYNC_FILE_RANGE_WRITE);
  flushed_ = size_;
  return store_.check_disk();
}

Result<BlobInfo> DiskUpload::finish() {
  CHECK(!finished_, "an upload is ended twice");
  finished_ = true;
  const BlobInfo info{hasher_.finish(), size_};
  if (TRY(store_.renew(info.hash, info.size))) {
    store_.blobs_known_.add();
    return info;
  }
  TRY(sync_file(file_.fd(), file_.path()));
  TRY(store_.give_name(file_, info.hash, info.size));
  TRY(store_.sync_names({&info.hash, 1}));
  return info;
}

}  // namespace slipway::store
