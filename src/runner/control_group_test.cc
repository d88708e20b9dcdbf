#include "runner/control_group.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "base/base.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* kMounts =
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(GroupPlace, is_read_from_what_the_kernel_says) {
  EXPECT_EQ(find_group_place("0::/user.slice/user-1000.slice/session-2.scope\n", kMounts),
            (GroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope"}));
  EXPECT_EQ(find_group_place("0::/\n", kMounts), (GroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup"}));
  const std::string both = "12:memory:/x\n0::/y\n";
  EXPECT_EQ(find_group_place(both, kMounts), (GroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup/y"}))
      << "beside groups of version 1";
}

TEST(GroupPlace, of_a_container_that_sees_only_its_own_part) {
  const std::string mounts = "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(find_group_place("0::/docker/abc/job\n", mounts), (GroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup/job"}));
  EXPECT_EQ(find_group_place("0::/elsewhere\n", mounts), std::nullopt);
  EXPECT_EQ(find_group_place("0::/../other\n", kMounts), std::nullopt);
}

TEST(GroupPlace, there_is_none_without_version_two) {
  EXPECT_EQ(find_group_place("4:memory:/a\n", kMounts), std::nullopt);
  EXPECT_EQ(find_group_place("0::/a\n", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"), std::nullopt);
  EXPECT_EQ(find_group_place("", ""), std::nullopt);
}

TEST(ControlGroup, says_why_it_cannot_be_made) {
  TemporaryDirectory top;
  fs::create_directories(top.path() / "service");
  const GroupPlace place{top.path(), top.path() / "service"};
  EXPECT_EQ(ControlGroup::create(place, "a", {}).error().message,
            "no control group can be made here: no group from here upwards hands out the memory controller");
  std::ofstream(top.path() / "cgroup.subtree_control") << "cpu memory pids\n";
  // A folder that is no control group has none of its files.
  const auto made = ControlGroup::create(place, "a", {1 << 20, 1});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
  EXPECT_NE(made.error().message.find("memory.max"), std::string::npos) << made.error().message;
  EXPECT_FALSE(fs::exists(top.path() / "slipway-a")) << "nothing is left of the attempt";
}

class RealGroupTest : public testing::Test {
 protected:
  static pid_t start_in(const ControlGroup& group, const std::string& command, std::optional<Process>& process) {
    ProcessSpec spec;
    spec.arguments = {"/bin/sh", "-c", "echo 0 > \"$1\"; exec /bin/sh -c \"$2\"", "sh", group.entrance().string(),
                      command};
    spec.stdout_fd = spec.stderr_fd = -1;
    auto started = Process::start(spec);
    EXPECT_TRUE(started.ok());
    process.emplace(*std::move(started));
    return process->pid();
  }
};

TEST_F(RealGroupTest, what_runs_in_it_ends_with_it) {
  const auto place = own_group_place();
  if (!place) GTEST_SKIP() << "this machine shows no hierarchy of control groups of version 2";
  const fs::path folder = place->own / ("slipway-test-" + random_hex(6));
  std::optional<Process> process;
  {
    auto group = ControlGroup::make(folder, {});
    if (!group.ok()) GTEST_SKIP() << group.error().message;
    if (!fs::exists(folder / "cgroup.kill")) GTEST_SKIP() << "the kernel is older than 5.14 and has no cgroup.kill";
    const pid_t pid = start_in(*group, "setsid sleep 300 & sleep 300", process);
    const std::string inside =
        "0::" + folder.string().substr(place->top.string().size() == 1 ? 0 : place->top.string().size());
    for (int i = 0; i < 200 && read_file("/proc/" + std::to_string(pid) + "/cgroup").value_or("").find(inside) ==
                                   std::string::npos;
         ++i)
      ::usleep(10'000);
    EXPECT_NE(read_file("/proc/" + std::to_string(pid) + "/cgroup").value_or("").find(inside), std::string::npos);
  }
  const auto ended = process->wait(seconds(5));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->signal, SIGKILL);
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(RealGroupTest, the_kernel_holds_the_memory_limit) {
  const auto place = own_group_place();
  if (!place) GTEST_SKIP() << "this machine shows no hierarchy of control groups of version 2";
  auto group = ControlGroup::create(*place, "test-" + random_hex(6), {64 << 20, 1});
  if (!group.ok()) GTEST_SKIP() << group.error().message;
  std::optional<Process> process;
  start_in(*group, "exec python3 -c 'x = bytearray(300_000_000)'", process);
  const auto ended = process->wait(seconds(30));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->signal, SIGKILL);
  EXPECT_GE(group->memory_kills(), 1u);
}

}  // namespace
}  // namespace slipway::runner
