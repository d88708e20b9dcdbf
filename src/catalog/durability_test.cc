// Acknowledged means kept: processes are killed at any moment, and what they were told is there.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "base/text.h"
#include "catalog/conformance.h"

namespace slipway::catalog {
namespace {

class Durable : public Conformance {};

/// The victim: keeps 32 writes in flight for ever and prints the number of each one that was acknowledged.
[[noreturn]] void write_until_killed(const DatabaseOptions& options, const std::vector<Migration>& migrations,
                                     int out) {
  Counters counters;
  auto database = Database::open(options, migrations, counters).value();
  std::atomic<std::int64_t> next{0};
  std::function<void()> send = [&] {
    const std::int64_t id = next++;
    const auto durability = id % 3 == 0 ? Durability::record : Durability::stream;
    database->write(
        durability,
        [id](Connection& c) -> Result<void> {
          TRY(c.run("INSERT INTO things(id, name) VALUES (?, ?)", {id, std::to_string(id)}));
          return {};
        },
        [&, id](Result<void> result) {
          const std::string line = std::to_string(id) + "\n";
          if (result.ok() && ::write(out, line.data(), line.size()) < 0) ::_exit(1);
          send();
        });
  };
  for (int i = 0; i < 32; ++i) send();
  while (true) ::pause();
}

/// Returns when as many bytes can be read, or after a minute.
void wait_for_bytes(int in, int bytes) {
  const Time deadline = system_clock().steady() + std::chrono::minutes(1);
  for (int found = 0; ::ioctl(in, FIONREAD, &found) == 0 && found < bytes && system_clock().steady() < deadline;)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::set<std::int64_t> read_numbers(int in) {
  std::string text;
  char buffer[65536];
  for (ssize_t n; (n = ::read(in, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  std::set<std::int64_t> numbers;
  // A line that was cut off was not told.
  for (const std::string& line : split(std::string_view(text).substr(0, text.rfind('\n') + 1), '\n')) {
    if (const auto number = parse_i64(line)) numbers.insert(*number);
  }
  return numbers;
}

TEST_P(Durable, every_acknowledged_write_survives_kill_9) {
  std::set<std::int64_t> kept_before;
  for (int round = 0; round < 3; ++round) {
    if (round > 0) SetUp();  // a fresh database on PostgreSQL; on SQLite the old one goes
    if (!is_postgres()) url_ = "sqlite:" + (folder_.path() / ("round" + std::to_string(round) + ".db")).string();
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, 0), 0);
    ::fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(options(), tables(), pipe[1]);
    ::close(pipe[1]);
    wait_for_bytes(pipe[0], 100);  // some tens of numbers, however busy the machine is
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(250 + 130 * round));
      ::kill(child, SIGKILL);
    });
    const auto acknowledged = read_numbers(pipe[0]);
    killer.join();
    ::waitpid(child, nullptr, 0);
    ::close(pipe[0]);

    auto database = open();
    const auto ids = database
                         ->read_value([](Connection& c) {
                           return c.rows("SELECT id FROM things", {}, [](const Row& row) { return row.integer(0); });
                         })
                         .value();
    const std::set<std::int64_t> kept(ids.begin(), ids.end());
    EXPECT_GT(acknowledged.size(), 10u);
    for (const std::int64_t id : acknowledged)
      EXPECT_TRUE(kept.contains(id)) << "write " << id << " was acknowledged and lost";
    // And it can be written to.
    EXPECT_TRUE(database->write(Durability::record, insert(1'000'000'000)).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Durable, testing::Values("sqlite", "postgres"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace slipway::catalog
