#include "api/backups.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash_file.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"

namespace slipway::api {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(5);

Error unknown(const std::string& id) {
  return {ErrorCode::not_found, "there is no backup " + clean_utf8(id, 40) +
                                    " under way; it ended, or was left alone for " +
                                    std::to_string(kBackupIdleMax / std::chrono::minutes(1)) +
                                    " minutes, or the server was started again: begin another"};
}

void remove_quietly(const Backup& backup) {
  std::error_code ignored;
  std::filesystem::remove(backup.database, ignored);
}

void end_idle(const std::vector<Backup>& idle) {
  for (const Backup& backup : idle) {
    log_warning("api", "a backup was left alone by its client and is ended", {{"backup", backup.id}});
    remove_quietly(backup);
  }
}

}  // namespace

Backups::Backups(catalog::Database& database, store::Store& store, std::filesystem::path folder,
                 std::uint64_t disk_free_bytes_min, const Clock& clock, std::function<void()> settle)
    : database_(database),
      store_(store),
      folder_(std::move(folder)),
      disk_free_bytes_min_(disk_free_bytes_min),
      clock_(clock),
      settle_(std::move(settle)) {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);  // of a server that was killed
  thread_ = Thread("backups", [this] { loop(); });
}

Backups::~Backups() {
  state_.lock()->closed = true;
  changed_.notify_all();
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<void> Backups::check_room() {
  const std::uint64_t wanted = TRY(database_.bytes()) + disk_free_bytes_min_;
  const std::uint64_t free_bytes = TRY(free_disk_bytes(folder_.parent_path()));
  if (free_bytes >= wanted) return {};
  return Error{
      ErrorCode::busy,
      fmt::format("copying the database takes {} on the disk that holds {}, which has {} free; make room first",
                  render_bytes(wanted), folder_.parent_path().string(), render_bytes(free_bytes))};
}

Result<Backup> Backups::begin() {
  TRY(check_room());
  TRY(make_directories(folder_));
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
  Backup backup;
  backup.id = new_id_text(clock_);
  backup.begun_at = clock_.now();
  backup.database = folder_ / (backup.id + ".db");
  std::vector<Backup> idle;
  {
    auto state = state_.lock();
    idle = take_idle(*state);
    if (state->open.size() >= kBackupsOpenMax) {
      return Error{
          ErrorCode::busy,
          fmt::format(
              "{} backups are under way already; try again when one is over (one that was left alone ends after {} minutes)",
              kBackupsOpenMax, kBackupIdleMax / std::chrono::minutes(1))};
    }
    state->open.emplace(backup.id, Open{backup, store_.pause_sweeps(), clock_.steady()});
  }
  end_idle(idle);
  changed_.notify_all();
  return backup;
}

Result<Backup> Backups::find(const std::string& id) {
  auto state = state_.lock();
  const auto found = state->open.find(id);
  if (found == state->open.end()) return unknown(id);
  found->second.asked = clock_.steady();
  return found->second.backup;
}

Result<void> Backups::end(const std::string& id) {
  std::optional<Backup> ended;
  {
    auto state = state_.lock();
    const auto found = state->open.find(id);
    if (found == state->open.end()) return unknown(id);
    ended = found->second.backup;
    state->open.erase(found);
  }
  remove_quietly(*ended);
  return {};
}

void Backups::loop() {
  while (const auto backup = next()) copy(*backup);
}

/// Waits for one whose database is to be copied; ends those that were left alone meanwhile. nullopt: the server stops.
std::optional<Backup> Backups::next() {
  while (true) {
    std::vector<Backup> idle;
    {
      auto state = state_.lock();
      const auto to_copy = [&]() -> const Backup* {
        for (const auto& [id, open] : state->open) {
          if (open.backup.state == Backup::State::copying) return &open.backup;
        }
        return nullptr;
      };
      if (state->open.empty()) {
        state.wait(changed_, [&] { return state->closed || !state->open.empty(); });
      } else {
        state.wait_until(changed_, std::chrono::steady_clock::now() + kLookInterval,
                         [&] { return state->closed || to_copy(); });
      }
      if (state->closed) return std::nullopt;
      if (const Backup* backup = to_copy()) return *backup;
      idle = take_idle(*state);
    }
    end_idle(idle);
  }
}

std::vector<Backup> Backups::take_idle(State& state) const {
  std::vector<Backup> idle;
  std::erase_if(state.open, [&](const auto& entry) {
    const bool is_idle = clock_.steady() - entry.second.asked > kBackupIdleMax;
    if (is_idle) idle.push_back(entry.second.backup);
    return is_idle;
  });
  return idle;
}

void Backups::copy(Backup backup) {
  const auto make = [&]() -> Result<void> {
    settle_();
    TRY(database_.backup(backup.database));
    const FileHash found = TRY(hash_file(backup.database));
    backup.database_hash = found.hash;
    backup.database_bytes = found.bytes;
    return {};
  };
  const auto made = make();
  backup.state = made.ok() ? Backup::State::ready : Backup::State::failed;
  if (!made.ok()) {
    backup.problem = made.error().message;
    log_error("api", "the database could not be copied for a backup",
              {{"backup", backup.id}, {"error", backup.problem}});
  }
  {
    auto state = state_.lock();
    const auto found = state->open.find(backup.id);
    if (found != state->open.end()) {
      found->second.backup = backup;
      found->second.asked = clock_.steady();
      if (made.ok()) return;
    }
  }
  remove_quietly(backup);
}

}  // namespace slipway::api
