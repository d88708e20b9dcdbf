// What the command and everything it left behind use, and how to be rid of all of it. Reads /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

namespace slipway::runner {

struct ProcessInfo {
  pid_t pid = 0, parent = 0;
  char state = '?';
  std::uint64_t cpu_ticks = 0;  // its own and its waited-for children's
  std::uint64_t rss_pages = 0;
};

/// One line of /proc/<pid>/stat; pid 0 when it is none.
ProcessInfo parse_stat(std::string_view line);

/// Every process of the machine that we may see.
std::vector<ProcessInfo> all_processes();

/// Those of `all` that descend from `root` (not root itself), without the ones in `except` and what descends from them.
std::vector<ProcessInfo> descendants(const std::vector<ProcessInfo>& all, pid_t root,
                                     const std::set<pid_t>& except = {});

struct Usage {
  double cpu_s = 0;
  std::uint64_t memory_bytes = 0;
  int processes = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;  // from and to disks, of those that still run
};
Usage usage_of(const std::vector<ProcessInfo>& processes);

/// Their memory with each shared page counted once (proportional set size). Slower than usage_of(), which counts a page
/// that forked workers share once for each of them.
std::uint64_t proportional_bytes(const std::vector<ProcessInfo>& processes);

/// Orphans come to us instead of to init, so that nobody who started a daemon escapes. Once per process.
void become_subreaper();

/// SIGKILL to all descendants of this process but `except`, again until none is left, and reaps them. What forks faster
/// than it dies is given up on after a bounded number of rounds. Answers how many were killed.
int kill_descendants(const std::set<pid_t>& except);

/// Reaps dead orphans that came to us, but not `except`.
void reap_orphans(const std::set<pid_t>& except);

}  // namespace slipway::runner
