#include "runner/processes.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>

#include "base/file.h"
#include "base/text.h"

namespace slipway::runner {
namespace {

constexpr int kKillRoundsMax = 200;

/// Nothing when we may not look.
void add_disk_bytes(pid_t pid, Usage& usage) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/io", 4096);
  if (!text.ok()) return;
  const auto count = [&](std::string_view name) -> std::uint64_t {
    const size_t at = text->find(name);
    if (at == std::string::npos) return 0;
    const std::string_view rest = std::string_view(*text).substr(at + name.size());
    return parse_u64(trim(rest.substr(0, rest.find('\n')))).value_or(0);
  };
  usage.read_bytes += count("\nread_bytes:");
  usage.written_bytes += count("\nwrite_bytes:");
}

}  // namespace

ProcessInfo parse_stat(std::string_view line) {
  // "12 (name) S 1 …": the name may hold spaces and parentheses, so fields are counted from the last ')'.
  const size_t close = line.rfind(')');
  const auto pid = parse_i64(line.substr(0, line.find(' ')));
  if (close == std::string_view::npos || close + 2 > line.size() || !pid) return {};
  const std::vector<std::string> fields = split(trim(line.substr(close + 2)), ' ');
  if (fields.size() < 22 || fields[0].empty()) return {};
  const auto number = [&](size_t i) { return parse_u64(fields[i]).value_or(0); };
  ProcessInfo info;
  info.pid = static_cast<pid_t>(*pid);
  info.state = fields[0][0];
  info.parent = static_cast<pid_t>(number(1));
  info.cpu_ticks = number(11) + number(12) + number(13) + number(14);
  info.rss_pages = number(21);
  return info;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> all;
  DIR* folder = ::opendir("/proc");
  if (!folder) return all;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const auto line = read_file(std::string("/proc/") + entry->d_name + "/stat", 65536);
    if (!line.ok()) continue;  // it has just gone
    const ProcessInfo info = parse_stat(*line);
    if (info.pid > 0) all.push_back(info);
  }
  ::closedir(folder);
  return all;
}

std::vector<ProcessInfo> descendants(const std::vector<ProcessInfo>& all, pid_t root, const std::set<pid_t>& except) {
  std::multimap<pid_t, const ProcessInfo*> children;
  for (const ProcessInfo& info : all) children.emplace(info.parent, &info);
  std::vector<ProcessInfo> found;
  std::vector<pid_t> open = {root};
  while (!open.empty()) {
    const pid_t parent = open.back();
    open.pop_back();
    const auto [first, last] = children.equal_range(parent);
    for (auto at = first; at != last; ++at) {
      if (except.contains(at->second->pid)) continue;
      found.push_back(*at->second);
      open.push_back(at->second->pid);
    }
  }
  return found;
}

Usage usage_of(const std::vector<ProcessInfo>& processes) {
  static const auto ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  Usage usage;
  for (const ProcessInfo& info : processes) {
    usage.cpu_s += static_cast<double>(info.cpu_ticks) / ticks_per_s;
    usage.memory_bytes += info.rss_pages * page_bytes;
    if (info.state != 'Z') ++usage.processes;
    add_disk_bytes(info.pid, usage);
  }
  return usage;
}

std::uint64_t proportional_bytes(const std::vector<ProcessInfo>& processes) {
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t bytes = 0;
  for (const ProcessInfo& info : processes) {
    const auto text = read_file("/proc/" + std::to_string(info.pid) + "/smaps_rollup", 65536);
    const size_t at = text.ok() ? text->find("\nPss:") : std::string::npos;
    std::optional<std::uint64_t> kib;
    if (at != std::string::npos) {
      const std::string_view rest = trim(std::string_view(*text).substr(at + 5));
      kib = parse_u64(rest.substr(0, rest.find(' ')));
    }
    bytes += kib ? *kib * 1024 : info.rss_pages * page_bytes;  // it has just gone, or we may not look
  }
  return bytes;
}

void become_subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

int kill_descendants(const std::set<pid_t>& except) {
  std::set<pid_t> killed;
  for (int round = 0; round < kKillRoundsMax; ++round) {
    const auto left = descendants(all_processes(), ::getpid(), except);
    if (left.empty()) break;
    for (const ProcessInfo& info : left) {
      if (info.state != 'Z' && ::kill(info.pid, SIGKILL) == 0) killed.insert(info.pid);
    }
    for (const ProcessInfo& info : left) {
      if (info.parent == ::getpid()) ::waitpid(info.pid, nullptr, WNOHANG);
    }
    ::usleep(round < 10 ? 1000 : 20'000);
  }
  return static_cast<int>(killed.size());
}

void reap_orphans(const std::set<pid_t>& except) {
  for (const ProcessInfo& info : all_processes()) {
    if (info.parent == ::getpid() && info.state == 'Z' && !except.contains(info.pid))
      ::waitpid(info.pid, nullptr, WNOHANG);
  }
}

}  // namespace slipway::runner
