#include "runner/control_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "slipway-";
constexpr Duration kEmptyTime = std::chrono::seconds(2);  // for killed processes to leave the group
constexpr Duration kLeftBehindAge =
    std::chrono::minutes(10);  // younger groups may belong to a runner that is about to fill them
constexpr std::uint64_t kFileBytesMax = 1 << 20;

/// A file of the control group's folder takes a write as a whole and is never created.
Result<void> write_to(const fs::path& file, std::string_view text) {
  const UniqueFd fd = TRY(open_file(file, O_WRONLY));
  return write_all(fd.get(), text, file);
}

/// Whether children of the group have that controller.
bool hands_out(const fs::path& group, std::string_view controller) {
  const std::string text = read_file(group / "cgroup.subtree_control", kFileBytesMax).value_or("");
  const auto words = split(trim(text), ' ');
  return std::find(words.begin(), words.end(), controller) != words.end();
}

/// The number behind `key` in a file of "key number" lines; 0 without one.
std::uint64_t figure(const fs::path& file, std::string_view key) {
  const std::string text = read_file(file, kFileBytesMax).value_or("");
  for (const std::string& line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 2 && words[0] == key) return parse_u64(words[1]).value_or(0);
  }
  return 0;
}

/// Runners that were killed could not remove theirs. A group in use cannot be removed, so this only tries.
void remove_left_behind(const fs::path& parent) {
  std::error_code problem;
  for (fs::directory_iterator at(parent, problem), end; !problem && at != end; at.increment(problem)) {
    struct stat info {};
    if (!at->path().filename().string().starts_with(kPrefix) || ::stat(at->path().c_str(), &info) != 0) continue;
    const Time changed{info.st_mtim.tv_sec * 1'000'000};
    if (system_clock().now() - changed > kLeftBehindAge) ::rmdir(at->path().c_str());
  }
}

}  // namespace

std::optional<GroupPlace> find_group_place(std::string_view cgroup, std::string_view mountinfo) {
  std::string own;
  for (const std::string& line : split(cgroup, '\n')) {
    if (line.starts_with("0::/")) own = line.substr(3);
  }
  if (own.empty() || own.find("/..") != std::string::npos)
    return std::nullopt;  // "/..": outside of what this namespace shows
  for (const std::string& line : split(mountinfo, '\n')) {
    // "30 23 0:26 / /sys/fs/cgroup rw,nosuid … - cgroup2 cgroup2 rw": id, parent, device, root, mount point, then up to
    // " - " options.
    const size_t dash = line.find(" - cgroup2 ");
    const auto words = split(line, ' ');
    if (dash == std::string::npos || words.size() < 6) continue;
    const std::string &root = words[3], &mount = words[4];
    const std::string shown = root == "/" ? "" : root;
    if (!own.starts_with(shown)) continue;
    const std::string below = own.substr(shown.size());
    return GroupPlace{mount, below.empty() || below == "/" ? fs::path(mount) : fs::path(mount + below)};
  }
  return std::nullopt;
}

std::optional<GroupPlace> own_group_place() {
  return find_group_place(read_file("/proc/self/cgroup", kFileBytesMax).value_or(""),
                          read_file("/proc/self/mountinfo", 16 << 20).value_or(""));
}

Result<ControlGroup> ControlGroup::create(const GroupPlace& place, const std::string& name, const GroupLimits& limits) {
  std::string why = "no group from here upwards hands out the memory controller";
  for (fs::path parent = place.own;; parent = parent.parent_path()) {
    if (hands_out(parent, "memory")) {
      remove_left_behind(parent);
      auto made = make(parent / (std::string(kPrefix) + name), limits);
      if (made.ok()) return made;
      why = made.error().message;
    }
    if (parent == place.top || parent == parent.root_path()) break;
  }
  return Error{ErrorCode::unsupported, "no control group can be made here: " + why};
}

Result<ControlGroup> ControlGroup::make(const fs::path& folder, const GroupLimits& limits) {
  if (::mkdir(folder.c_str(), 0755) != 0) return system_error("make", folder, errno);
  ControlGroup group(folder);
  TRY(group.set(limits));
  return group;
}

Result<void> ControlGroup::set(const GroupLimits& limits) {
  if (limits.memory_bytes > 0) {
    TRY(write_to(folder_ / "memory.max", std::to_string(limits.memory_bytes)));
    (void)write_to(folder_ / "memory.swap.max", "0");   // or the limit only moves the load to the disk
    (void)write_to(folder_ / "memory.oom.group", "1");  // all of it goes, not one worker that the others then wait for
  }
  if (limits.cpus > 0 && hands_out(folder_.parent_path(), "cpu")) {
    const auto weight = std::clamp<std::int64_t>(std::llround(limits.cpus * 100), 1, 10'000);
    shares_cpus_ = write_to(folder_ / "cpu.weight", std::to_string(weight)).ok();
  }
  return try_entrance();
}

/// Making a group is one right and moving processes into it another.
Result<void> ControlGroup::try_entrance() const {
  ProcessSpec spec;
  spec.arguments = {"/bin/sh", "-c", "echo 0 > \"$1\"", "sh", entrance().string()};
  const Output output = TRY(run_command(spec, std::chrono::seconds(10)));
  if (output.status.ok()) return {};
  return Error{ErrorCode::unsupported,
               fmt::format("processes cannot be put into {}: {}", folder_.string(), trim(clean_utf8(output.err, 500)))};
}

ControlGroup::ControlGroup(ControlGroup&& other) noexcept
    : folder_(std::exchange(other.folder_, fs::path())), shares_cpus_(other.shares_cpus_) {}

ControlGroup::~ControlGroup() {
  if (folder_.empty()) return;
  kill();
  ::rmdir(folder_.c_str());
}

std::uint64_t ControlGroup::memory_kills() const { return figure(folder_ / "memory.events", "oom_kill"); }

void ControlGroup::kill() {
  if (!write_to(folder_ / "cgroup.kill", "1").ok()) return;  // before Linux 5.14
  const Time until = system_clock().steady() + kEmptyTime;
  while (figure(folder_ / "cgroup.events", "populated") > 0 && system_clock().steady() < until) ::usleep(1000);
}

}  // namespace slipway::runner
