// A control group (version 2) for one attempt's command, where this machine lets us make one without asking anybody:
// the kernel then holds the memory limit, shares the cores by what was asked for, and ends everything in the group at
// once.
//
// Only what has been handed out already is used: the nearest group, from our own upwards, whose children have the
// memory controller and in which we may make one (a service with Delegate=yes, a systemd user session, root on most
// machines). No other group is changed. In most containers there is none; then the runner watches the memory itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::runner {

/// Where a process stands in the hierarchy: the folder of its group, and the topmost that can be seen.
struct GroupPlace {
  std::filesystem::path top, own;
  bool operator==(const GroupPlace&) const = default;
};

/// From the text of /proc/<pid>/cgroup and /proc/<pid>/mountinfo; nullopt without a hierarchy of version 2.
std::optional<GroupPlace> find_group_place(std::string_view cgroup, std::string_view mountinfo);
/// Of this process.
std::optional<GroupPlace> own_group_place();

struct GroupLimits {
  std::uint64_t memory_bytes = 0;  // 0: none
  double cpus = 0;                 // share of the cores when they are contended; 0: the usual one
};

/// The group and whatever runs in it end with their owner.
class ControlGroup {
 public:
  /// unsupported, with the reason in words, where none may be made. Groups that killed runners left behind are removed
  /// first.
  static Result<ControlGroup> create(const GroupPlace& place, const std::string& name, const GroupLimits& limits);
  /// Exactly this folder, which must not be there.
  static Result<ControlGroup> make(const std::filesystem::path& folder, const GroupLimits& limits);
  ControlGroup(ControlGroup&& other) noexcept;
  ControlGroup& operator=(ControlGroup&&) = delete;
  ~ControlGroup();

  /// A process that writes 0 into this file is in the group, and so is whatever it starts from then on.
  std::filesystem::path entrance() const { return folder_ / "cgroup.procs"; }
  bool shares_cpus() const { return shares_cpus_; }
  /// How many processes the kernel killed for the memory limit.
  std::uint64_t memory_kills() const;
  /// SIGKILL to everything in it, also to what forks meanwhile.
  void kill();

 private:
  explicit ControlGroup(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> set(const GroupLimits& limits);
  Result<void> try_entrance() const;

  std::filesystem::path folder_;  // empty once moved away
  bool shares_cpus_ = false;
};

}  // namespace slipway::runner
