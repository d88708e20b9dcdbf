#include "store/parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/text.h"

namespace slipway::store {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

std::string file_name(std::int64_t number) { return "part-" + std::to_string(number); }

Error no_upload(std::string_view upload) {
  return {ErrorCode::not_found, "there is no open upload '" + clean_utf8(upload, 100) +
                                    "': it was completed, aborted, or swept because nothing came for too long"};
}

/// Removes a file that did not become a part.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    if (!kept_) ::unlink(path_.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  const std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace

Result<std::unique_ptr<Parts>> Parts::open(const std::filesystem::path& folder) {
  TRY(make_directories(folder));
  return std::unique_ptr<Parts>(new Parts(folder));
}

Result<std::filesystem::path> Parts::folder_of(std::string_view upload) const {
  if (!looks_like_id(upload)) return no_upload(upload);
  return folder_ / std::string(upload);
}

Result<void> Parts::begin(std::string_view upload) {
  TRY(make_directories(TRY(folder_of(upload))));
  return sync_directory(folder_);
}

Result<BlobInfo> Parts::write(std::string_view upload, std::int64_t number,
                              const std::function<Result<std::string>()>& next) {
  const auto folder = TRY(folder_of(upload));
  if (!std::filesystem::is_directory(folder)) return no_upload(upload);
  Unfinished file(folder / ("incoming-" + random_hex(8)));
  const UniqueFd fd = TRY(open_file(file.path(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  Hasher hasher;
  std::uint64_t size = 0;
  while (true) {
    const std::string piece = TRY(next());
    if (piece.empty()) break;
    TRY(write_all(fd.get(), piece, file.path()));
    hasher.update(piece);
    size += piece.size();
  }
  TRY(sync_file(fd.get(), file.path()));
  if (::rename(file.path().c_str(), (folder / file_name(number)).c_str()) != 0)
    return errno == ENOENT ? no_upload(upload) : system_error("name the part", file.path(), errno);
  file.keep();
  TRY(sync_directory(folder));
  return BlobInfo{hasher.finish(), size};
}

Result<void> Parts::append(Upload& to, const std::filesystem::path& folder, const PartName& part) const {
  const auto path = folder / file_name(part.number);
  const auto fd = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!fd.ok() && fd.error().code == ErrorCode::not_found) {
    return Error{ErrorCode::invalid_argument,
                 "part " + std::to_string(part.number) + " of the upload is not here; send it, then complete again"};
  }
  if (!fd.ok()) return fd.error();
  ::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Hasher hasher;
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t n = ::read(fd->get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) break;
    const std::string_view got(piece.data(), static_cast<size_t>(n));
    hasher.update(got);
    TRY(to.write(got));
  }
  if (hasher.finish() == part.hash) return {};
  return Error{ErrorCode::invalid_argument, "part " + std::to_string(part.number) +
                                                " of the upload has other bytes than its ETag says; send it again"};
}

Result<BlobInfo> Parts::join(std::string_view upload, std::span<const PartName> parts, Store& store) const {
  const auto folder = TRY(folder_of(upload));
  if (!std::filesystem::is_directory(folder)) return no_upload(upload);
  const auto whole = TRY(store.begin_upload());
  for (const PartName& part : parts) TRY(append(*whole, folder, part));
  return whole->finish();
}

Result<void> Parts::remove(std::string_view upload) {
  std::error_code problem;
  std::filesystem::remove_all(TRY(folder_of(upload)), problem);
  if (problem) return system_error("remove the parts in", folder_ / std::string(upload), problem.value());
  return {};
}

Result<std::vector<std::string>> Parts::idle_since(Time before) const {
  std::vector<std::string> idle;
  std::error_code problem;
  for (std::filesystem::directory_iterator at(folder_, problem), end; !problem && at != end; at.increment(problem)) {
    struct stat status {};
    if (::stat(at->path().c_str(), &status) != 0) continue;
    const std::int64_t changed_s = status.st_mtim.tv_sec;
    if (changed_s * 1'000'000 < before.micros) idle.push_back(at->path().filename());
  }
  if (problem) return system_error("list", folder_, problem.value());
  return idle;
}

}  // namespace slipway::store
