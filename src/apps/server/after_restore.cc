#include "after_restore.h"

#include <unistd.h>

#include <cerrno>

#include "base/log.h"

namespace slipway::server {

Result<void> end_attempts_of_original(const DataFolder& folder, runs::Runs& runs) {
  const auto mark = folder.path() / DataFolder::kRestored;
  if (!std::filesystem::exists(mark)) return {};
  size_t ended = 0;
  for (const runs::Runs::Open& open : TRY(runs.open())) {
    if (!open.attempt) continue;
    TRY(runs.end(open.attempt->id, {AttemptEnd::lost, 0, 0, "the server was restored from a backup while it ran"}));
    ++ended;
  }
  log_info("server", "this data folder was restored from a backup; what executed then is given up",
           {{"attempts", std::to_string(ended)}});
  if (::unlink(mark.c_str()) != 0) return system_error("remove", mark, errno);
  return sync_directory(folder.path());
}

}  // namespace slipway::server
