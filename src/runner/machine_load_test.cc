// The load of a machine and of its accelerators, from files and a program that say what they would.
#include "runner/machine_load.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "runner/gpu_watch.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kNet =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
    "    lo: 9999      10    0    0    0     0          0         0     9999      10    0    0    0     0       0          0\n"
    "  eth0: 1000      10    0    0    0     0          0         0      500       5    0    0    0     0       0          0\n"
    " wlan0:  200       1    0    0    0     0          0         0       30       1    0    0    0     0       0          0\n";

TEST(MachineLoad, the_kernels_tables_are_read) {
  const auto cpu = parse_cpu_times("cpu  100 10 40 800 50 5 5 0 90 0\ncpu0 1 2 3 4\n");
  ASSERT_TRUE(cpu.has_value());
  EXPECT_EQ(cpu->total, 1010u);
  EXPECT_EQ(cpu->busy, 160u);
  EXPECT_EQ(parse_memory_used("MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   400 kB\n"), 600u * 1024);
  const auto traffic = parse_traffic(kNet);
  ASSERT_TRUE(traffic.has_value());
  EXPECT_EQ(traffic->received, 1200u);
  EXPECT_EQ(traffic->sent, 530u);
}

TEST(MachineLoad, what_is_no_table_of_the_kernel_is_no_figure) {
  for (const char* text :
       {"", "cpu", "cpu x y", "MemTotal: 5 kB", "MemTotal: 5 kB\nMemAvailable: 9 kB\n", "eth0: 1 2", ":"}) {
    EXPECT_FALSE(parse_cpu_times(text).has_value()) << text;
    EXPECT_FALSE(parse_memory_used(text).has_value()) << text;
    EXPECT_FALSE(parse_traffic(text).has_value()) << text;
  }
}

class LoadTest : public testing::Test {
 protected:
  void put(const char* file, const std::string& text) {
    fs::create_directories((folder_.path() / file).parent_path());
    std::ofstream(folder_.path() / file) << text;
  }
  static std::map<std::string, double> values(const std::vector<MetricPoint>& points) {
    std::map<std::string, double> out;
    for (const MetricPoint& point : points) out[point.key] = point.value;
    return out;
  }

  TemporaryDirectory folder_;
};

TEST_F(LoadTest, rates_are_between_two_samples) {
  put("stat", "cpu  100 0 0 900 0 0 0 0\n");
  put("meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\n");
  put("net/dev", kNet);
  MachineLoad load(folder_.path());
  Usage usage{.cpu_s = 1, .memory_bytes = 10, .processes = 2, .read_bytes = 100, .written_bytes = 50};
  auto found = values(load.sample(usage, Time{0} + seconds(10), 0, 5));
  EXPECT_EQ(found, (std::map<std::string, double>{{"system/cpu_percent", 0},
                                                  {"system/memory_bytes", 10},
                                                  {"system/processes", 2},
                                                  {"system/machine_memory_bytes", 600 * 1024}}));
  put("stat", "cpu  150 0 0 950 0 0 0 0\n");
  put("net/dev", std::string(kNet) + "  eth1: 4000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n");
  usage = {.cpu_s = 4, .memory_bytes = 20, .processes = 1, .read_bytes = 300, .written_bytes = 20};
  found = values(load.sample(usage, Time{0} + seconds(12), 1, 7));
  EXPECT_EQ(found["system/cpu_percent"], 150);
  EXPECT_EQ(found["system/machine_cpu_percent"], 50);
  EXPECT_EQ(found["system/disk_read_bytes_per_s"], 100);
  EXPECT_EQ(found["system/disk_written_bytes_per_s"], 0) << "a process ended and took its count along";
  EXPECT_EQ(found["system/network_received_bytes_per_s"], 2000);
  EXPECT_EQ(found["system/network_sent_bytes_per_s"], 1000);
}

TEST_F(LoadTest, a_machine_that_says_nothing_has_the_runs_own_figures) {
  MachineLoad load(folder_.path());
  (void)load.sample({}, Time{0}, 0, 0);
  EXPECT_EQ(load.sample({}, Time{0} + seconds(1), 1, 1).size(), 5u);
}

TEST(GpuWatch, lines_are_read_and_figures_that_are_missing_left_out) {
  const auto load = parse_gpu_line("3, 87, 1024, 72.50");
  ASSERT_TRUE(load.has_value());
  EXPECT_EQ(load->index, 3);
  EXPECT_EQ(load->percent, 87);
  EXPECT_EQ(load->memory_bytes, 1024.0 * 1024 * 1024);
  EXPECT_EQ(load->power_w, 72.5);
  EXPECT_FALSE(parse_gpu_line("0, [N/A], 5, [Not Supported]")->power_w.has_value());
  for (const char* line : {"", "No devices were found", "a, 1, 2, 3", "0, 1, 2", "99999999999, 1, 2, 3"})
    EXPECT_FALSE(parse_gpu_line(line).has_value()) << line;
}

/// Prints two figures for the devices it was asked for, twice, and waits.
class GpuTest : public LoadTest {
 protected:
  std::string program() {
    put("nvidia-smi",
        "#!/bin/sh\nfor word in \"$@\"; do case $word in --id=*) ids=${word#--id=};; esac; done\n"
        "echo \"0, 10, 1, 50.00\"; echo \"${ids:-1}, 20, 2, [N/A]\"; echo \"0, 11, 1, 51.00\"; printf '0, 12'\nexec sleep 60\n");
    ::chmod((folder_.path() / "nvidia-smi").c_str(), 0755);
    return (folder_.path() / "nvidia-smi").string();
  }

  std::map<std::string, double> sampled(GpuWatch& watch) {
    std::map<std::string, double> found;
    for (int i = 0; i < 500 && found.empty(); ++i) {
      std::this_thread::sleep_for(milliseconds(20));
      found = values(watch.sample(0, 0));
    }
    return found;
  }
};

TEST_F(GpuTest, the_newest_line_of_each_counts) {
  auto watch = GpuWatch::start(program(), std::nullopt, seconds(1));
  ASSERT_TRUE(watch.has_value());
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(sampled(*watch), (std::map<std::string, double>{{"system/gpu_0_percent", 11},
                                                            {"system/gpu_0_memory_bytes", 1 << 20},
                                                            {"system/gpu_0_power_w", 51},
                                                            {"system/gpu_1_percent", 20},
                                                            {"system/gpu_1_memory_bytes", 2 << 20}}));
  EXPECT_TRUE(watch->sample(1, 1).empty()) << "nothing new was printed";
}

TEST_F(GpuTest, only_the_runs_own_are_asked_for) {
  auto watch = GpuWatch::start(program(), "7", seconds(1));
  ASSERT_TRUE(watch.has_value());
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_TRUE(sampled(*watch).contains("system/gpu_7_percent"));
}

TEST_F(GpuTest, without_any_nothing_is_started) {
  EXPECT_FALSE(GpuWatch::start("", std::nullopt, seconds(1)).has_value());
  EXPECT_FALSE(GpuWatch::start(program(), "", seconds(1)).has_value());
  EXPECT_FALSE(GpuWatch::start(program(), "-1", seconds(1)).has_value());
  EXPECT_FALSE(GpuWatch::start(program(), "0 --reset", seconds(1)).has_value());
  EXPECT_FALSE(GpuWatch::start((folder_.path() / "absent").string(), std::nullopt, seconds(1)).has_value());
}

}  // namespace
}  // namespace slipway::runner
