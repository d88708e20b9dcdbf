// The file that W&B's client keeps of a run (run-ID.wandb): blocks of 32 KiB with framed pieces of records, as LevelDB
// frames its log, each record a protobuf message `Record`. Only what is carried is read of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace slipway::imports {

inline constexpr size_t kWandbBlockBytes = 32 << 10;
inline constexpr size_t kWandbRecordBytesMax = 256 << 20;

/// Puts records together. Give it the file's blocks, each whole but the last.
class WandbBlocks {
 public:
  /// Hands on every record that ends in this block. A record that the last block cuts off never comes. invalid_argument
  /// for what is no such file, and for damage; an error of `visit` is handed back. Nothing more may follow an error.
  Result<void> read(std::string_view block, const std::function<Result<void>(std::string_view record)>& visit);

 private:
  Result<void> take(std::uint8_t type, std::string_view data,
                    const std::function<Result<void>(std::string_view record)>& visit);

  std::string record_;
  bool is_first_block_ = true, is_open_ = false;
};

/// A name and a value in JSON. Nested names are joined by '.'.
using WandbItems = std::vector<std::pair<std::string, std::string>>;

struct WandbRun {
  std::string id, entity, project, group, job_type, name, notes, sweep, host, git_remote, git_commit;
  std::vector<std::string> tags;
  std::int64_t started_ms = 0;
};

/// One record, whatever it is of; what it is not of is empty.
struct WandbRecord {
  std::optional<WandbRun> run;
  WandbItems config, summary, history, stats;
  std::vector<std::string> config_removed;
  std::optional<std::int64_t> step;  // of the history
  std::int64_t stats_ms = 0;
  std::string output;
  std::optional<int> exit_code;
  std::string artifact;   // name of one that was logged
  bool is_other = false;  // alerts, links to TensorBoard's folders, links of artifacts
};

/// Bytes that are no Record are invalid_argument; fields that nobody knows are passed over.
Result<WandbRecord> read_wandb_record(std::string_view record);

}  // namespace slipway::imports
