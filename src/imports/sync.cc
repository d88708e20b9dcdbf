#include "imports/sync.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "imports/folder_files.h"
#include "imports/journal.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceBytes = 4 << 20;
constexpr size_t kUnreadBytesMax = kPieceBytes + kJournalFrameBytesMax + 64;
constexpr const char* kJournal = "journal";

/// One folder on its way.
class Folder {
 public:
  Folder(const fs::path& folder, JournalFacts facts, Destination destination)
      : folder_(folder), facts_(std::move(facts)), destination_(std::move(destination)) {}

  Result<Synced> send() {
    synced_.run_id = facts_.run.id;
    const UniqueFd journal = TRY(open_file(folder_ / kJournal, O_RDONLY | O_CLOEXEC));
    synced_.is_open = ::flock(journal.get(), LOCK_EX | LOCK_NB) != 0;
    if (facts_.is_new) experiment_ = TRY(destination_.experiment(facts_.experiment, {}));
    if (facts_.is_new) TRY(destination_.put_run(facts_.run, experiment_, {}));
    TRY(send_journal(journal.get()));
    if (!synced_.is_open && !has_end_) TRY(end({last_at_ms_, "FAILED"}));
    synced_.is_whole = has_end_ && !synced_.is_open;
    return synced_;
  }

 private:
  Result<void> send_journal(int journal) {
    JournalReader reader;
    std::string unread;
    while (true) {
      const size_t before = unread.size();
      unread.resize(before + kPieceBytes);
      const ssize_t n = ::read(journal, unread.data() + before, kPieceBytes);
      if (n < 0) return system_error("read", folder_ / kJournal, errno);
      unread.resize(before + static_cast<size_t>(n));
      size_t used = 0;
      const auto entries = reader.read(unread, used);
      if (!entries.ok()) return context(entries.error(), "in " + folder_.string());
      for (const JournalEntry& entry : *entries) TRY(std::visit([&](const auto& what) { return send(what); }, entry));
      unread.erase(0, used);
      if (n == 0 || unread.size() > kUnreadBytesMax) return {};
    }
  }

  Result<void> send(const JournalPoints& found) {
    for (size_t from = 0; from < found.points.size(); from += kPointsPerRequest) {
      const size_t count = std::min(kPointsPerRequest, found.points.size() - from);
      TRY(destination_.log_points(facts_.run.id, std::span(found.points).subspan(from, count)));
      synced_.points += static_cast<std::int64_t>(count);
      last_at_ms_ = std::max(last_at_ms_, found.points[from + count - 1].at_ms);
    }
    return {};
  }

  Result<void> send(const JournalText& text) {
    if (text.kind == 'A') return destination_.log_parameter(facts_.run.id, text.key, text.value);
    if (text.kind == 'T') return destination_.set_tag(facts_.run.id, text.key, text.value);
    TRY(check_relative_path(text.key));
    TRY(check_relative_path(text.value));
    TRY(destination_.put_file({OwnerKind::run, facts_.run.id, ""}, text.key, folder_ / "files" / text.value));
    ++synced_.files;
    return {};
  }

  Result<void> send(const JournalEnd& said) { return end(said); }

  Result<void> end(const JournalEnd& said) {
    has_end_ = true;
    if (!facts_.is_new) return {};
    SourceRun over = facts_.run;
    over.status = said.status;
    over.ended_ms = std::max(said.at_ms, over.started_ms);
    TRY(destination_.put_run(over, experiment_, {}));
    return {};
  }

  const fs::path folder_;
  const JournalFacts facts_;
  Destination destination_;
  std::string experiment_;
  Synced synced_;
  std::int64_t last_at_ms_ = 0;
  bool has_end_ = false;
};

}  // namespace

std::vector<fs::path> find_run_folders(const fs::path& folder) {
  std::error_code problem;
  if (fs::exists(folder / kJournal, problem)) return {folder};
  return folders_with(folder, kJournal);
}

Result<Synced> sync_folder(const fs::path& folder, Destination::Place place, bool keep) {
  JournalFacts facts = TRY(read_journal_facts(folder));
  if (!facts.project.empty()) place.project = facts.project;
  auto destination = TRY(Destination::open(place));
  const Synced synced = TRY(Folder(folder, std::move(facts), std::move(destination)).send());
  if (synced.is_whole && !keep) {
    std::error_code problem;
    fs::remove_all(folder, problem);
    if (problem) return Error{ErrorCode::internal, "removing " + folder.string() + ": " + problem.message()};
  }
  return synced;
}

}  // namespace slipway::imports
