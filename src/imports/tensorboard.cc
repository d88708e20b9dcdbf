#include "imports/tensorboard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "imports/event_file.h"
#include "imports/folder_files.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "tfevents";
constexpr size_t kPieceBytes = 8 << 20;

}  // namespace

SeriesRun& TensorBoardFolder::run_of(const fs::path& file) {
  const fs::path place = file.parent_path();
  const auto known = runs_.find(place);
  if (known != runs_.end()) return known->second;
  std::string name = place.generic_string();
  if (name.empty()) name = fs::weakly_canonical(folder_).filename().string();
  const std::string id = id_of_origin("tensorboard\n" + place.generic_string() + "\n" + file.filename().string());
  return runs_.try_emplace(place, id, name, (folder_ / place).string()).first->second;
}

Result<void> TensorBoardFolder::read(Destination& destination, const std::string& experiment) {
  const bool is_first = files_.empty();
  for (const SourceFile& found : TRY(files_below(folder_))) {
    const fs::path path = found.path;
    if (path.filename().string().find(kMark) == std::string::npos) continue;
    File& file = files_[path];
    SeriesRun& run = run_of(path);
    if (file.is_broken || found.size <= file.read) continue;
    TRY(read_file(path, file, run, destination, experiment));
  }
  if (is_first && files_.empty())
    return Error{ErrorCode::not_found, folder_.string() + " has no event files (names with 'tfevents')"};
  for (auto& [place, run] : runs_) TRY(run.flush(destination, experiment));
  return {};
}

Result<void> TensorBoardFolder::read_file(const fs::path& path, File& file, SeriesRun& run, Destination& destination,
                                          const std::string& experiment) {
  const UniqueFd in = TRY(open_file(folder_ / path, O_RDONLY | O_CLOEXEC));
  std::string unread;
  std::uint64_t at = file.read;
  while (true) {
    const size_t before = unread.size();
    unread.resize(before + kPieceBytes);
    const ssize_t n = ::pread(in.get(), unread.data() + before, kPieceBytes, static_cast<off_t>(at));
    if (n < 0) return system_error("read", folder_ / path, errno);
    unread.resize(before + static_cast<size_t>(n));
    at += static_cast<std::uint64_t>(n);
    std::string_view rest = unread;
    while (true) {
      const auto record = next_event_record(rest);
      const auto event = record.ok() && *record ? read_event((*record)->data) : Result<Event>(Event{});
      if (!record.ok() || !event.ok()) {
        file.is_broken = true;
        report_.add_problem(fmt::format("the rest of {} behind byte {}: {}", path.string(), file.read,
                                        record.ok() ? event.error().message : record.error().message));
        return {};
      }
      if (!*record) break;
      others_ += static_cast<std::int64_t>(event->others);
      for (const Point& point : event->scalars) TRY(run.add(destination, experiment, point));
      rest.remove_prefix((*record)->used);
      file.read += (*record)->used;
    }
    unread.erase(0, unread.size() - rest.size());
    if (n == 0) return {};
  }
}

Result<void> TensorBoardFolder::finish(Destination& destination, const std::string& experiment) {
  for (auto& [place, run] : runs_) TRY(run.finish(destination, experiment));
  return {};
}

Report TensorBoardFolder::report() const {
  Report report = report_;
  for (const auto& [place, run] : runs_) {
    ++report.runs.seen;
    ++report.runs.carried;
    report.points += run.points();
  }
  if (others_ > 0)
    report.left_behind.push_back(fmt::format("{} summaries that are no scalars (texts, images, histograms)", others_));
  return report;
}

}  // namespace slipway::imports
