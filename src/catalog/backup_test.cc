// Copies of a database: taken while it is written to, from either kind into one SQLite file, and from that into either
// kind.
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "catalog/conformance.h"

namespace slipway::catalog {
namespace {

const Migration kCounted{2, "0002_counted",
                         "CREATE TABLE counted (id {serial}, thing BIGINT NOT NULL REFERENCES things (id));"};

class Backup : public Conformance {
 protected:
  static std::vector<Migration> schema_of_two() {
    auto migrations = tables();
    migrations.push_back(kCounted);
    return migrations;
  }
  std::unique_ptr<Database> open_at(const std::string& url) {
    return Database::open({.url = url}, schema_of_two(), counters_).value();
  }
  std::filesystem::path copy() const { return folder_.path() / "copy.db"; }

  /// A new place for a database: of the kind under test, or of the other one.
  Result<std::string> fresh_url(bool of_the_other_kind) {
    if (is_postgres() == of_the_other_kind) return "sqlite:" + (folder_.path() / "restored.db").string();
    return PostgresForTests::fresh_url();
  }
  Result<void> restore(const std::string& url) {
    return restore_database(copy(), url, folder_.path(), schema_of_two());
  }

  /// 1,000 rows with every kind of value, among them the odd ones; and a counter whose last number was given back.
  void fill(Database& database) {
    const auto filled = database.write(
        Durability::record, Write([](Connection& c) -> Result<void> {
          for (std::int64_t i = 0; i < 1000; ++i) {
            const Value weight = i % 3 == 0   ? Value(nullptr)
                                 : i % 3 == 1 ? Value(0.1 * static_cast<double>(i))
                                              : Value(std::numeric_limits<double>::infinity());
            TRY(c.run("INSERT INTO things(id, name, weight, bytes, parent, kind) VALUES (?, ?, ?, ?, ?, ?)",
                      {i * 1'000'000'007, "näme " + std::to_string(i), weight,
                       Blob{std::string("\0\xff", 2) + std::string(static_cast<size_t>(i), 'x')},
                       i == 0 ? Value(nullptr) : Value((i - 1) * 1'000'000'007), i % 2}));
          }
          for (int i = 0; i < 3; ++i) TRY(c.run("INSERT INTO counted(thing) VALUES (0)", {}));
          TRY(c.run("DELETE FROM counted WHERE id = 3", {}));
          return {};
        }));
    ASSERT_TRUE(filled.ok()) << filled.error().message;
  }

  /// Everything in one text, however the database spells its types.
  static std::string dump(Database& database) {
    return database
        .read_value([](Connection& c) -> Result<std::string> {
          std::string text;
          TRY(c.run("SELECT id, name, weight, bytes, parent, kind FROM things ORDER BY id", {}, [&](const Row& row) {
            text += std::to_string(row.integer(0)) + "|" + std::string(row.text(1)) + "|" +
                    (row.is_null(2) ? "-" : std::to_string(row.number(2))) + "|" + std::string(row.blob(3)) + "|" +
                    (row.is_null(4) ? "-" : std::to_string(row.integer(4))) + "|" + std::to_string(row.integer(5)) +
                    "\n";
            return true;
          }));
          return text;
        })
        .value();
  }
  static std::int64_t next_number(Database& database) {
    return database
        .write_value(Durability::record,
                     [](Connection& c) {
                       return c.first("INSERT INTO counted(thing) VALUES (0) RETURNING id", {},
                                      [](const Row& row) { return row.integer(0); });
                     })
        .value()
        .value_or(0);
  }
};

TEST_P(Backup, holds_every_value_and_every_counter_on_whichever_database_it_is_restored) {
  auto database = open_at(url_);
  fill(*database);
  const auto made = database->backup(copy());
  ASSERT_TRUE(made.ok()) << made.error().message;
  for (const bool of_the_other_kind : {false, true}) {
    const auto url = fresh_url(of_the_other_kind);
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    const auto restored = restore(*url);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    auto again = open_at(*url);
    EXPECT_EQ(dump(*again), dump(*database));
    EXPECT_EQ(next_number(*again), 4) << "a number that was given once came again";
  }
}

TEST_P(Backup, is_one_moment_while_writing_goes_on) {
  auto database = open_at(url_);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::int64_t i = 0; !stop; i += 2) {
      (void)database->write(Durability::stream, Write([i](Connection& c) -> Result<void> {
                              TRY(insert(i)(c));
                              return insert(i + 1)(c);
                            }));
    }
  });
  while (count(*database) < 100) std::this_thread::yield();
  const auto made = database->backup(copy());
  stop = true;
  writer.join();
  ASSERT_TRUE(made.ok()) << made.error().message;
  auto copied = open_at("sqlite:" + copy().string());
  EXPECT_GE(count(*copied), 100);
  EXPECT_EQ(count(*copied) % 2, 0);
  struct stat info {};
  ASSERT_EQ(::stat(copy().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077, 0u);
}

TEST_P(Backup, a_database_that_holds_something_is_not_restored_over) {
  if (!is_postgres()) GTEST_SKIP() << "a file is replaced; whoever restores looks at the folder";
  auto database = open_at(url_);
  ASSERT_TRUE(database->backup(copy()).ok());
  const auto restored = restore(url_);
  ASSERT_FALSE(restored.ok());
  EXPECT_EQ(restored.error().code, ErrorCode::failed_precondition);
}

TEST_P(Backup, a_database_that_was_restored_half_way_is_not_opened_and_may_be_restored_again) {
  if (!is_postgres()) GTEST_SKIP() << "a file gets its name when it is whole";
  ASSERT_TRUE(open_at("sqlite:" + (folder_.path() / "source.db").string())->backup(copy()).ok());
  // What a restore leaves that is killed before it is over: its mark, and perhaps the schema.
  const auto marked = open_at(url_)->write(Durability::record, Write([](Connection& c) -> Result<void> {
                                             TRY(c.run("CREATE TABLE catalog_half_restored (nothing SMALLINT)", {}));
                                             return insert(99)(c);
                                           }));
  ASSERT_TRUE(marked.ok()) << marked.error().message;
  const auto opened = Database::open(options(), schema_of_two(), counters_);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("half-way"), std::string::npos) << opened.error().message;
  const auto restored = restore(url_);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(count(*open_at(url_)), 0);
}

TEST_P(Backup, a_damaged_or_newer_file_is_refused) {
  auto database = open_at(url_);
  fill(*database);
  ASSERT_TRUE(database->backup(copy()).ok());
  const auto url = fresh_url(false);
  ASSERT_TRUE(url.ok()) << url.error().message;
  const auto newer = restore_database(copy(), *url, folder_.path(), tables());
  ASSERT_FALSE(newer.ok());
  EXPECT_NE(newer.error().message.find("newer version"), std::string::npos) << newer.error().message;

  std::string bytes = read_file(copy()).value();
  for (size_t at = 4096; at + 4096 <= bytes.size(); at += 8192) bytes.replace(at, 512, std::string(512, 'x'));
  ASSERT_TRUE(write_file_atomic(copy(), bytes).ok());
  const auto damaged = restore(*url);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::data_loss) << damaged.error().message;
}

INSTANTIATE_TEST_SUITE_P(Backends, Backup, testing::Values("sqlite", "postgres"),
                         [](const auto& one) { return one.param; });

class BeforeMigration : public Conformance {};

TEST_P(BeforeMigration, the_database_file_is_copied_once_for_each_schema) {
  const auto copy = folder_.path() / "test.db.schema-1";
  ASSERT_TRUE(open()->write(Durability::record, insert(7)).ok());
  EXPECT_FALSE(std::filesystem::exists(copy)) << "a schema that does not change needs no copy";
  auto newer = tables();
  newer.push_back(kCounted);
  auto upgraded = Database::open(options(), newer, counters_).value();
  ASSERT_TRUE(upgraded->write(Durability::record, insert(8)).ok());
  ASSERT_TRUE(std::filesystem::exists(copy));
  auto before = Database::open({.url = "sqlite:" + copy.string()}, tables(), counters_).value();
  EXPECT_EQ(count(*before), 1);
  EXPECT_EQ(count(*upgraded), 2);
}

INSTANTIATE_TEST_SUITE_P(Backends, BeforeMigration, testing::Values("sqlite"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace slipway::catalog
