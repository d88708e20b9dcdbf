// One worker process and the frames it owes answers for.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "base/result.h"
#include "domain/ids.h"
#include "inference/inference.h"
#include "serving/model_source.h"
#include "serving/pending.h"

namespace slipway::serving {

enum class ReplicaState { starting, ready, draining, dead };
std::string_view name(ReplicaState state);

struct ReplicaSpec {
  std::filesystem::path worker;
  ServedModel model;
  int threads = 1;
};

struct Replica {
  /// Starts the worker; it tells through its channel when it is ready. Only from a thread that lives as long as the
  /// worker should, because the worker dies with it.
  static Result<std::shared_ptr<Replica>> start(const ReplicaSpec& spec, const Clock& clock);
  Replica(const Clock& clock, Process worker, UniqueFd socket, inference::SharedMemory memory);

  const ReplicaId id;
  Process process;             // the loop's thread only, but for its pid
  inference::Channel channel;  // locks itself as its header says
  const Time started;          // steady
  std::atomic<std::uint64_t> memory_bytes{0};
  std::atomic_flag is_read;  // held by the one thread that receives from the channel

  // Guarded by the generation's lock.
  ReplicaState state = ReplicaState::starting;
  Time ready_at;
  std::array<std::shared_ptr<Batch>, inference::kSlots> flights;
  bool has_touched_memory = false;
  bool has_failed_batch = false;  // the one it may have worked on when it died was told so
  ErrorCode failure_code = ErrorCode::unavailable;
  std::string failure;  // why it is dead

  int flying() const;
};

/// The share of memory that belongs to a process (shared pages divided among those who share them); 0 when it is gone.
std::uint64_t memory_of(pid_t pid);

/// $SLIPWAY_WORKER, else slipway-worker beside this program.
std::filesystem::path default_worker();

}  // namespace slipway::serving
