// Backups under way: a copy of the database that a client fetches, and the promise that until it is done no sweep takes
// a blob. Bytes before names holds here, too, only the other way round: the database is copied first, sweeps have
// stopped before that, so every blob that the copy names is in the store when the client asks for it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "store/store.h"

namespace slipway::api {

inline constexpr size_t kBackupsOpenMax = 2;
/// One that nobody asked about for so long is ended: its client went away.
inline constexpr Duration kBackupIdleMax = std::chrono::minutes(5);

struct Backup {
  enum class State { copying, ready, failed };

  std::string id;
  State state = State::copying;
  Time begun_at;
  std::string problem;               // why it failed
  std::filesystem::path database;    // an SQLite file, when ready
  std::uint64_t database_bytes = 0;  // when ready
  Hash database_hash;                // when ready
};

/// Thread-safe. Thread: `backups` copies the database and ends what was left alone.
class Backups {
 public:
  /// Copies lie in `folder`, which is emptied first; `database` and `store` outlive this. A copy must leave
  /// `disk_free_bytes_min` on the disk. `settle` brings into the database what was acknowledged before it is.
  Backups(catalog::Database& database, store::Store& store, std::filesystem::path folder,
          std::uint64_t disk_free_bytes_min, const Clock& clock, std::function<void()> settle);
  ~Backups();

  /// Returns at once; find() tells when the database is copied. busy when kBackupsOpenMax are open, or the disk has no
  /// room.
  Result<Backup> begin();
  /// Also keeps it open for another kBackupIdleMax.
  Result<Backup> find(const std::string& id);
  Result<void> end(const std::string& id);

 private:
  struct Open {
    Backup backup;
    std::unique_ptr<store::SweepPause> pause;
    Time asked;  // steady
  };
  struct State {
    bool closed = false;
    std::map<std::string, Open> open;
  };

  void loop();
  std::optional<Backup> next();
  std::vector<Backup> take_idle(State& state) const;
  void copy(Backup backup);
  Result<void> check_room();

  catalog::Database& database_;
  store::Store& store_;
  const std::filesystem::path folder_;
  const std::uint64_t disk_free_bytes_min_;
  const Clock& clock_;
  const std::function<void()> settle_;
  std::condition_variable changed_;
  Guarded<State> state_;
  Thread thread_;
};

}  // namespace slipway::api
