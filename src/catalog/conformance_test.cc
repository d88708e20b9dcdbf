// One suite, every backend: what catalog.h promises holds on SQLite and on PostgreSQL.
#include "catalog/conformance.h"

#include <cmath>
#include <future>
#include <latch>
#include <limits>

namespace slipway::catalog {
namespace {

/// One value through the database and back, in a column of its own type.
std::optional<Value> through(Database& database, const std::string& column, const Value& value, std::int64_t id) {
  const auto written = database.write(Durability::stream, Write([&](Connection& c) -> Result<void> {
                                        TRY(c.run("INSERT INTO things(id, " + column + ") VALUES (?, ?)", {id, value}));
                                        return {};
                                      }));
  EXPECT_TRUE(written.ok()) << written.error().message;
  return database
      .read_value([&](Connection& c) {
        return c.first("SELECT " + column + " FROM things WHERE id = ?", {id}, [&](const Row& row) -> Value {
          if (row.is_null(0)) return nullptr;
          if (column == "name") return std::string(row.text(0));
          if (column == "bytes") return Blob{std::string(row.blob(0))};
          if (column == "weight") return row.number(0);
          return row.integer(0);
        });
      })
      .value();
}

/// Holds the writer inside a closure until released, so that others have to queue.
class HeldWriter {
 public:
  explicit HeldWriter(Database& database) {
    database.write(
        Durability::stream,
        [this](Connection&) -> Result<void> {
          if (!entered_) {
            entered_ = true;
            inside_.count_down();
          }
          go_.wait();
          return {};
        },
        [this](Result<void>) { done_.count_down(); });
    inside_.wait();
  }
  void release() {
    go_.count_down();
    done_.wait();
  }

 private:
  bool entered_ = false;
  std::latch inside_{1}, go_{1}, done_{1};
};

TEST_P(Conformance, what_is_written_is_read) {
  auto database = open();
  ASSERT_TRUE(database->write(Durability::record, insert(1, "one")).ok());
  EXPECT_EQ(count(*database), 1);
  EXPECT_EQ(database->is_postgres(), is_postgres());
}

TEST_P(Conformance, what_was_written_is_there_after_opening_again) {
  ASSERT_TRUE(open()->write(Durability::stream, insert(1, "one")).ok());
  auto database = open();
  EXPECT_EQ(count(*database), 1);
}

TEST_P(Conformance, run_returns_the_number_of_rows_changed) {
  auto database = open();
  const auto changed =
      database->write_value(Durability::record, [](Connection& c) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> counts;
        counts.push_back(TRY(c.run("INSERT INTO things(id) VALUES (1), (2), (3)", {})));
        counts.push_back(TRY(c.run("UPDATE things SET weight = 1.5 WHERE id > ?", {std::int64_t{1}})));
        counts.push_back(TRY(c.run("UPDATE things SET weight = 1.5 WHERE id > ?", {std::int64_t{99}})));
        counts.push_back(TRY(c.run("SELECT id FROM things", {})));
        counts.push_back(TRY(c.run("DELETE FROM things", {})));
        return counts;
      });
  EXPECT_EQ(changed.value(), (std::vector<std::int64_t>{3, 2, 0, 0, 3}));
}

TEST_P(Conformance, upsert_and_returning_work_and_an_early_stop_still_writes) {
  auto database = open();
  for (int i = 0; i < 2; ++i) {
    const auto id = database->write_value(Durability::record, [](Connection& c) {
      return c.first(
          "INSERT INTO things(id, name) VALUES (?, ?), (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id",
          {std::int64_t{1}, std::string("a"), std::int64_t{2}, std::string("b")},
          [](const Row& row) { return row.integer(0); });
    });
    EXPECT_EQ(id.value(), 1);
  }
  EXPECT_EQ(count(*database), 2);
}

TEST_P(Conformance, integers_of_any_size_come_back) {
  auto database = open();
  std::int64_t id = 100;
  for (std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(),
                             std::numeric_limits<std::int64_t>::min()}) {
    ASSERT_TRUE(database->write(Durability::stream, insert(value)).ok());
    EXPECT_EQ(std::get<std::int64_t>(through(*database, "parent", value, ++id).value()), value);
  }
}

TEST_P(Conformance, doubles_come_back_bit_by_bit_and_nan_is_null) {
  auto database = open();
  std::int64_t id = 0;
  // Not -0.0: SQLite keeps whole doubles as integers, which have one zero.
  for (double value : {0.0, 0.1, 1e308, 5e-324, -1.0, std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()}) {
    const double back = std::get<double>(through(*database, "weight", value, ++id).value());
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(value)) << value;
  }
  const auto nan = through(*database, "weight", std::nan(""), ++id);
  EXPECT_TRUE(std::holds_alternative<std::nullptr_t>(nan.value()));
}

TEST_P(Conformance, texts_and_bytes_come_back) {
  auto database = open();
  std::int64_t id = 0;
  for (const std::string text : {"", "plain", "Grüße, 世界 🚢", "it's \"quoted\" ? -- /* no */", "a\nb\tc\\"}) {
    EXPECT_EQ(std::get<std::string>(through(*database, "name", text, ++id).value()), text);
  }
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  for (const std::string& bytes : {std::string(), every_byte, std::string(3, '\0'), std::string(1 << 20, '\xff')}) {
    EXPECT_EQ(std::get<Blob>(through(*database, "bytes", Blob{bytes}, ++id).value()).bytes, bytes);
  }
}

TEST_P(Conformance, a_null_is_null_and_reads_as_nothing) {
  auto database = open();
  ASSERT_TRUE(database->write(Durability::stream, insert(1)).ok());
  ASSERT_TRUE(database
                  ->read([](Connection& c) -> Result<void> {
                    TRY(c.run("SELECT name, weight, bytes, parent FROM things", {}, [](const Row& row) {
                      for (int i = 0; i < 4; ++i) EXPECT_TRUE(row.is_null(i));
                      EXPECT_EQ(row.text(0), "");
                      EXPECT_EQ(row.number(1), 0);
                      EXPECT_EQ(row.blob(2), "");
                      EXPECT_EQ(row.integer(3), 0);
                      EXPECT_EQ(row.maybe_integer(3), std::nullopt);
                      EXPECT_EQ(row.maybe_text(0), std::nullopt);
                      return true;
                    }));
                    return {};
                  })
                  .ok());
}

TEST_P(Conformance, text_that_is_no_text_is_refused_with_a_sentence) {
  auto database = open();
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xff\xfe"), std::string("\xed\xa0\x80")}) {
    const auto result = database->write(Durability::record, insert(1, text));
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::invalid_argument) << result.error().message;
  }
  EXPECT_EQ(count(*database), 0);
}

TEST_P(Conformance, sums_and_averages_can_be_read) {
  auto database = open();
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(database->write(Durability::stream, insert(i * 1'000'000'000'000)).ok());
  ASSERT_TRUE(
      database
          ->read([](Connection& c) -> Result<void> {
            TRY(c.run("SELECT SUM(id), AVG(id), MAX(id), COUNT(*), SUM(-id) FROM things", {}, [](const Row& row) {
              EXPECT_EQ(row.integer(0), 10'000'000'000'000);
              EXPECT_DOUBLE_EQ(row.number(1), 2.5e12);
              EXPECT_EQ(row.integer(2), 4'000'000'000'000);
              EXPECT_EQ(row.number(3), 4.0);
              EXPECT_EQ(row.integer(4), -10'000'000'000'000);
              return true;
            }));
            return {};
          })
          .ok());
}

TEST_P(Conformance, text_is_ordered_by_its_bytes_and_like_tells_case_apart) {
  auto database = open();
  int id = 0;
  for (const char* name : {"b", "B", "a", "ä", "_", "A1"})
    ASSERT_TRUE(database->write(Durability::stream, insert(++id, name)).ok());
  const auto names = [&](const char* sql) {
    return database
        ->read_value(
            [&](Connection& c) { return c.rows(sql, {}, [](const Row& row) { return std::string(row.text(0)); }); })
        .value();
  };
  EXPECT_EQ(names("SELECT name FROM things ORDER BY name"), (std::vector<std::string>{"A1", "B", "_", "a", "b", "ä"}));
  EXPECT_EQ(names("SELECT name FROM things WHERE name LIKE 'A%'"), (std::vector<std::string>{"A1"}));
}

TEST_P(Conformance, violations_have_their_codes_and_name_the_statement) {
  auto database = open();
  ASSERT_TRUE(database->write(Durability::record, insert(1, "one")).ok());
  const auto error = [&](const char* sql) {
    return database
        ->write(Durability::record, Write([&](Connection& c) -> Result<void> {
                  TRY(c.run(sql, {}));
                  return {};
                }))
        .error();
  };
  EXPECT_EQ(error("INSERT INTO things(id) VALUES (1)").code, ErrorCode::already_exists);
  EXPECT_EQ(error("INSERT INTO things(id, name) VALUES (2, 'one')").code, ErrorCode::already_exists);
  EXPECT_EQ(error("INSERT INTO things(id, parent) VALUES (2, 77)").code, ErrorCode::failed_precondition);
  EXPECT_EQ(error("INSERT INTO things(id, kind) VALUES (2, 9)").code, ErrorCode::failed_precondition);
  EXPECT_EQ(error("INSERT INTO things(id, kind) VALUES (2, NULL)").code, ErrorCode::failed_precondition);
  const Error wrong = error("INSERT INTO nothing VALUES (2)");
  EXPECT_EQ(wrong.code, ErrorCode::internal);
  EXPECT_NE(wrong.message.find("INSERT INTO nothing"), std::string::npos) << wrong.message;
  EXPECT_EQ(count(*database), 1);
}

TEST_P(Conformance, a_wrong_number_of_values_is_an_error) {
  auto database = open();
  const auto result = database->read([](Connection& c) -> Result<void> {
    TRY(c.run("SELECT id FROM things WHERE id = ? AND name = '?'", {}));
    return {};
  });
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("0 values were given for the 1 placeholders"), std::string::npos)
      << result.error().message;
}

TEST_P(Conformance, a_closure_that_fails_undoes_only_itself) {
  auto database = open();
  std::int64_t first = 1;
  for (const Durability durability : {Durability::record, Durability::stream, Durability::stream}) {
    HeldWriter held(*database);
    std::vector<std::promise<Result<void>>> answers(3);
    const auto tell = [&](size_t i) {
      return [&answers, i](Result<void> result) { answers[i].set_value(std::move(result)); };
    };
    database->write(durability, insert(first), tell(0));
    database->write(
        durability,
        [first](Connection& c) -> Result<void> {
          TRY(insert(first + 1)(c));
          return Error{ErrorCode::not_found, "changed my mind"};
        },
        tell(1));
    database->write(durability, insert(first + 2), tell(2));
    held.release();
    EXPECT_TRUE(answers[0].get_future().get().ok());
    EXPECT_EQ(answers[1].get_future().get().error().message, "changed my mind");
    EXPECT_TRUE(answers[2].get_future().get().ok());
    first += 3;
  }
  EXPECT_EQ(count(*database), 6);
}

TEST_P(Conformance, a_closure_that_fails_alone_leaves_nothing) {
  auto database = open();
  for (const Durability durability : {Durability::record, Durability::stream}) {
    const auto result = database->write(durability, Write([](Connection& c) -> Result<void> {
                                          TRY(insert(1)(c));
                                          return Error{ErrorCode::not_found, "changed my mind"};
                                        }));
    EXPECT_EQ(result.error().message, "changed my mind");
  }
  EXPECT_TRUE(database->write(Durability::record, insert(1)).ok());
  EXPECT_EQ(count(*database), 1);
}

TEST_P(Conformance, a_statement_that_fails_undoes_only_itself_and_the_closure_may_go_on) {
  auto database = open();
  for (bool in_group : {false, true}) {
    std::optional<HeldWriter> held;
    if (in_group) held.emplace(*database);
    std::promise<Result<void>> answer;
    Result<void> again, orphan;  // of the run that counts: a closure may be run more than once
    database->write(
        Durability::record,
        [&, in_group](Connection& c) -> Result<void> {
          const std::int64_t first = in_group ? 10 : 1;
          TRY(insert(first)(c));
          again = insert(first)(c);
          const auto orphaned = c.run("INSERT INTO things(id, parent) VALUES (?, 999)", {first + 5});
          orphan = orphaned.ok() ? Result<void>() : orphaned.error();
          return insert(first + 1)(c);
        },
        [&](Result<void> result) { answer.set_value(std::move(result)); });
    if (held) held->release();
    const auto result = answer.get_future().get();
    EXPECT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(again.error().code, ErrorCode::already_exists);
    EXPECT_EQ(orphan.error().code, ErrorCode::failed_precondition);
  }
  EXPECT_EQ(count(*database), 4);
}

TEST_P(Conformance, an_error_swallowed_at_the_end_leaves_the_rest_written) {
  auto database = open();
  const auto result = database->write(Durability::record, Write([](Connection& c) -> Result<void> {
                                        TRY(insert(1)(c));
                                        (void)insert(1)(c);
                                        return {};
                                      }));
  EXPECT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(count(*database), 1);
}

TEST_P(Conformance, statements_can_be_run_while_reading_rows) {
  auto database = open();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(database->write(Durability::stream, insert(i)).ok());
  std::vector<std::int64_t> seen;
  ASSERT_TRUE(database
                  ->read([&](Connection& c) -> Result<void> {
                    constexpr const char* kSql = "SELECT id FROM things ORDER BY id";
                    TRY(c.run(kSql, {}, [&](const Row& outer) {
                      // The very same statement, while its rows are being read.
                      EXPECT_TRUE(c.run(kSql, {}, [&](const Row& inner) {
                                     seen.push_back(outer.integer(0) * 10 + inner.integer(0));
                                     return true;
                                   }).ok());
                      return true;
                    }));
                    return {};
                  })
                  .ok());
  EXPECT_EQ(seen, (std::vector<std::int64_t>{11, 12, 13, 21, 22, 23, 31, 32, 33}));
}

TEST_P(Conformance, an_exception_in_a_closure_is_an_error_and_leaves_nothing) {
  auto database = open();
  const auto result = database->write(Durability::record, Write([](Connection& c) -> Result<void> {
                                        TRY(insert(1)(c));
                                        throw std::runtime_error("out of cheese");
                                      }));
  EXPECT_NE(result.error().message.find("out of cheese"), std::string::npos);
  EXPECT_EQ(count(*database), 0);
}

TEST_P(Conformance, a_reader_cannot_write) {
  auto database = open();
  EXPECT_FALSE(database->read([](Connection& c) { return insert(1)(c); }).ok());
  EXPECT_EQ(count(*database), 0);
}

TEST_P(Conformance, a_read_sees_one_snapshot) {
  auto database = open();
  ASSERT_TRUE(database->write(Durability::record, insert(1)).ok());
  ASSERT_TRUE(database
                  ->read([&](Connection& c) -> Result<void> {
                    const auto seen = [&] {
                      return c.first("SELECT COUNT(*) FROM things", {}, [](const Row& row) { return row.integer(0); })
                          .value()
                          .value();
                    };
                    EXPECT_EQ(seen(), 1);
                    EXPECT_TRUE(database->write(Durability::record, insert(2)).ok());
                    EXPECT_EQ(seen(), 1);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(count(*database), 2);
}

TEST_P(Conformance, whoever_waits_together_is_committed_together) {
  auto options_with_one_writer = options();
  options_with_one_writer.writers = 1;
  auto database = open(options_with_one_writer);
  constexpr int kWrites = 60;
  HeldWriter held(*database);
  const auto before = commits();
  std::latch done(kWrites);
  for (int i = 0; i < kWrites; ++i) {
    database->write(i % 2 ? Durability::record : Durability::stream, insert(i), [&](Result<void> result) {
      EXPECT_TRUE(result.ok());
      done.count_down();
    });
  }
  held.release();
  done.wait();
  EXPECT_EQ(commits() - before, 2u);  // the one that held the writer, and everybody else
  EXPECT_EQ(count(*database), kWrites);
}

TEST_P(Conformance, a_full_queue_says_busy_at_once) {
  auto small = options();
  small.writes_waiting_max = 3;
  small.writers = 1;
  auto database = open(small);
  HeldWriter held(*database);
  std::latch done(3);
  for (int i = 0; i < 3; ++i) database->write(Durability::stream, insert(i), [&](Result<void>) { done.count_down(); });
  std::optional<Result<void>> refused;
  database->write(Durability::stream, insert(9), [&](Result<void> result) { refused = std::move(result); });
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->error().code, ErrorCode::busy);
  EXPECT_EQ(counters_.counter("catalog_writes_refused_total", "").value(), 1u);
  held.release();
  done.wait();
  EXPECT_EQ(count(*database), 3);
}

TEST_P(Conformance, closing_waits_for_what_is_queued) {
  std::atomic<int> told{0};
  {
    auto database = open();
    for (int i = 0; i < 200; ++i) {
      database->write(i % 2 ? Durability::record : Durability::stream, insert(i),
                      [&](Result<void> result) { told += result.ok(); });
    }
  }
  EXPECT_EQ(told, 200);
  auto database = open();
  EXPECT_EQ(count(*database), 200);
}

TEST_P(Conformance, a_write_reads_what_earlier_writes_left) {
  auto database = open();
  ASSERT_TRUE(database->write(Durability::record, insert(0)).ok());
  constexpr int kThreads = 8, kRounds = 25;
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  // Read, add one, write: any two that overlap would lose a count.
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const auto result = database->write(Durability::stream, Write([](Connection& c) -> Result<void> {
                                              const auto weight =
                                                  TRY(c.first("SELECT weight FROM things WHERE id = 0", {},
                                                              [](const Row& row) { return row.number(0); }));
                                              TRY(c.run("UPDATE things SET weight = ? WHERE id = 0", {*weight + 1}));
                                              return {};
                                            }));
        if (!result.ok()) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  const auto weight = database->read_value([](Connection& c) {
    return c.first("SELECT weight FROM things WHERE id = 0", {}, [](const Row& row) { return row.number(0); });
  });
  EXPECT_EQ(weight.value(), kThreads * kRounds);
}

TEST_P(Conformance, readers_and_writers_do_not_disturb_each_other) {
  auto database = open();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  // Writers always insert pairs; no reader may ever see half of one.
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::int64_t i = 0; i < 60; ++i) {
        const std::int64_t id = t * 1000 + i * 2;
        EXPECT_TRUE(database
                        ->write(Durability::stream, Write([id](Connection& c) -> Result<void> {
                                  TRY(insert(id)(c));
                                  return insert(id + 1)(c);
                                }))
                        .ok());
      }
    });
  }
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) EXPECT_EQ(count(*database) % 2, 0);
    });
  }
  for (int t = 0; t < 3; ++t) threads[t].join();
  stop = true;
  for (int t = 3; t < 6; ++t) threads[t].join();
  EXPECT_EQ(count(*database), 360);
}

TEST_P(Conformance, many_different_statements_do_not_pile_up) {
  auto database = open();
  ASSERT_TRUE(database
                  ->read([](Connection& c) -> Result<void> {
                    for (int i = 0; i < 600; ++i) {
                      const auto value = TRY(
                          c.first("SELECT " + std::to_string(i), {}, [](const Row& row) { return row.integer(0); }));
                      EXPECT_EQ(value, i);
                    }
                    return {};
                  })
                  .ok());
}

INSTANTIATE_TEST_SUITE_P(Backends, Conformance, testing::Values("sqlite", "postgres"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace slipway::catalog
