// What only the PostgreSQL backend promises: above all, that a lost connection neither loses nor doubles a write.
#include <map>

#include "catalog/conformance.h"
#include "catalog/postgres_connection.h"
#include "catalog/postgres_row.h"

namespace slipway::catalog {
namespace {

TEST(Placeholders, are_numbered_outside_quotes_and_comments) {
  EXPECT_EQ(number_placeholders("a = ? AND b IN (?,?)"), std::pair(std::string("a = $1 AND b IN ($2,$3)"), size_t{3}));
  const char* untouched = "'?' \"?\" -- ?\n /* ? */ 'it''s ?'";
  EXPECT_EQ(number_placeholders(untouched), std::pair(std::string(untouched), size_t{0}));
  EXPECT_EQ(number_placeholders("'never closed ?"), std::pair(std::string("'never closed ?"), size_t{0}));
  EXPECT_EQ(number_placeholders("-- to the end ?"), std::pair(std::string("-- to the end ?"), size_t{0}));
}

/// A numeric as PostgreSQL sends it, from its 16-bit words.
std::string numeric(std::initializer_list<int> words) {
  std::string bytes;
  for (int word : words) {
    bytes += static_cast<char>(word >> 8);
    bytes += static_cast<char>(word);
  }
  return bytes;
}

TEST(Numeric, is_rendered_as_decimal_text) {
  EXPECT_EQ(render_numeric(numeric({0, 0, 0, 0})), "0");
  EXPECT_EQ(render_numeric(numeric({1, 0, 0, 0, 42})), "42");
  EXPECT_EQ(render_numeric(numeric({1, 2, 0x4000, 0, 5})), "-500000000");
  EXPECT_EQ(render_numeric(numeric({2, 1, 0, 0, 1, 7})), "10007");
  EXPECT_EQ(render_numeric(numeric({2, 0, 0, 2, 12, 5000})), "125000e-4");
  EXPECT_EQ(render_numeric(numeric({0, 0, 0xC000, 0})), "NaN");
}

class Postgres : public Conformance {
 protected:
  /// Numbers of `things.name` and how often each is there.
  std::map<std::int64_t, int> kept(Database& database) {
    std::map<std::int64_t, int> out;
    const auto rows = database
                          .read_value([](Connection& c) {
                            return c.rows("SELECT write FROM log", {}, [](const Row& row) { return row.integer(0); });
                          })
                          .value();
    for (const std::int64_t id : rows) ++out[id];
    return out;
  }
  std::unique_ptr<Database> open_log() {
    // Nothing here is unique, so that a write done twice would show.
    return Database::open(options(), {{1, "0001_log", "CREATE TABLE log (id {serial}, write BIGINT NOT NULL);"}},
                          counters_)
        .value();
  }
  static Write append(std::int64_t number) {
    return [number](Connection& c) -> Result<void> {
      TRY(c.run("INSERT INTO log(write) VALUES (?)", {number}));
      return {};
    };
  }
};

TEST_P(Postgres, a_write_survives_its_connection_and_is_done_once) {
  auto database = open_log();
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> next{0};
  std::vector<std::thread> threads;
  std::vector<std::vector<std::int64_t>> acknowledged(4);
  for (size_t t = 0; t < acknowledged.size(); ++t) {
    threads.emplace_back([&, t] {
      while (!stop) {
        const std::int64_t id = next++;
        const auto result = database->write(Durability::record, append(id));
        EXPECT_TRUE(result.ok()) << result.error().message;
        if (result.ok()) acknowledged[t].push_back(id);
      }
    });
  }
  // Cut the writers' connections again and again, at whatever they are doing.
  auto knife = PostgresConnection::open(url_).value();
  for (int i = 0; i < 40; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(
        knife
            ->execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                "pg_backend_pid() AND query LIKE '%'")
            .ok());
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  const auto found = kept(*database);
  size_t told = 0;
  for (const auto& ids : acknowledged) {
    told += ids.size();
    for (const std::int64_t id : ids) EXPECT_EQ(found.contains(id) ? found.at(id) : 0, 1) << "write " << id;
  }
  EXPECT_EQ(found.size(), told);
  EXPECT_GT(counters_.counter("catalog_groups_retried_total", "").value(), 0u);
}

TEST_P(Postgres, a_crash_of_the_server_loses_no_acknowledged_write_and_doubles_none) {
  auto database = open_log();
  std::atomic<bool> stop{false}, restarted{false};
  std::atomic<std::int64_t> next{0}, written_after{0};
  std::vector<std::thread> threads;
  std::vector<std::vector<std::int64_t>> acknowledged(4);
  for (auto& mine : acknowledged) {
    threads.emplace_back([&] {
      while (!stop) {
        const std::int64_t id = next++;
        const auto result = database->write(Durability::record, append(id));
        // On a busy machine its recovery may take longer than writes wait; they are told so then, and nothing else.
        if (!result.ok()) {
          EXPECT_EQ(result.error().code, ErrorCode::unavailable) << result.error().message;
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
          continue;
        }
        mine.push_back(id);
        if (restarted) ++written_after;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  PostgresForTests::crash();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  PostgresForTests::restart();
  restarted = true;
  for (int i = 0; i < 3000 && written_after < 40; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_GE(written_after, 40);
  const auto found = kept(*database);
  for (const auto& ids : acknowledged) {
    for (const std::int64_t id : ids) EXPECT_TRUE(found.contains(id)) << "write " << id << " was acknowledged and lost";
  }
  for (const auto& [id, times] : found) EXPECT_EQ(times, 1) << "write " << id;
}

TEST_P(Postgres, closing_does_not_wait_for_a_database_that_is_away) {
  auto database = open_log();
  ASSERT_TRUE(database->write(Durability::record, append(1)).ok());
  PostgresForTests::crash();
  std::atomic<int> refused{0};
  for (int i = 0; i < 300; ++i) {
    database->write(Durability::record, append(i), [&](Result<void> result) {
      EXPECT_EQ(result.ok() ? "written" : name(result.error().code), std::string("unavailable"))
          << result.error().message;
      ++refused;
    });
  }
  const Time start = system_clock().steady();
  database.reset();
  EXPECT_LT(system_clock().steady() - start, std::chrono::seconds(5));
  EXPECT_EQ(refused, 300);
  PostgresForTests::restart();
}

TEST_P(Postgres, servers_that_start_together_migrate_once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_NE(open_log(), nullptr); });
  for (auto& thread : threads) thread.join();
}

TEST_P(Postgres, an_unreachable_server_is_a_sentence_without_the_password) {
  const auto result = Database::open({.url = "postgresql://me:secret@127.0.0.1:1/db"}, {}, counters_);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
  EXPECT_EQ(result.error().message.find("secret"), std::string::npos) << result.error().message;
}

INSTANTIATE_TEST_SUITE_P(Backends, Postgres, testing::Values("postgres"), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace slipway::catalog
