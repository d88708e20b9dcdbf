// One PostgreSQL connection (libpq): placeholders numbered, statements prepared once, values in binary, errors in our
// words.
//
// On PostgreSQL a statement that fails spoils its whole transaction, where our Connection promises that it undoes only
// itself. A savepoint around every statement would keep the promise and cost two round trips each, for something that
// almost never happens. So a write runs without them first. If a statement fails and the closure goes on regardless,
// what it does is void (`must_rerun()`), and the writer undoes the closure and runs it again with the savepoints.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "catalog/backend.h"

struct pg_conn;
struct pg_result;

namespace slipway::catalog {

/// `sql` with its `?` (outside quotes and comments) as $1, $2, …; and how many there were.
std::pair<std::string, size_t> number_placeholders(std::string_view sql);

class PostgresConnection : public Session {
 public:
  static Result<std::unique_ptr<PostgresConnection>> open(const std::string& url);
  ~PostgresConnection() override;

  Result<std::int64_t> run(std::string_view sql, const Values& values,
                           const std::function<bool(const Row&)>& on_row = nullptr) override;
  Result<void> execute(const std::string& sql) override;
  bool is_postgres() const override { return true; }

  /// Ends a transaction; a server that answers COMMIT with ROLLBACK is an error.
  Result<void> commit();
  /// The connection is gone; what ran last may or may not have happened.
  bool is_lost() const;

  /// The beginning of a closure: forgets failures of earlier ones.
  void begin_closure(bool savepoint_per_statement);
  /// A statement failed and the closure did not stop there: its result means nothing.
  bool must_rerun() const { return went_on_; }
  /// A statement of the closure failed, and everything since its savepoint has to be undone.
  bool is_spoiled() const { return failed_ && !careful_; }
  /// The database chose this transaction to give way to another (serialization failure or deadlock).
  bool had_conflict() const { return conflict_; }
  void forget_conflict() { conflict_ = false; }

 private:
  PostgresConnection() = default;
  using Answer = std::unique_ptr<pg_result, void (*)(pg_result*)>;
  /// The answer, or the error it stands for.
  Result<Answer> checked(pg_result* answer, std::string_view sql);
  Result<std::string> prepare(std::string_view sql, const Values& values);
  Result<Answer> run_prepared(std::string_view sql, const Values& values);
  Error error_of(const pg_result* answer, std::string_view sql);
  Error lost(std::string_view sql) const;

  static constexpr size_t kPlaceholdersMax = 65'535;  // the protocol counts them in 16 bits
  static constexpr size_t kStatementsMax = 256;

  pg_conn* connection_ = nullptr;
  std::unordered_map<std::string, std::string> statements_;  // SQL and the types of its values -> prepared name
  std::int64_t prepared_ = 0;
  bool careful_ = false, failed_ = false, went_on_ = false, conflict_ = false, dismissed_ = false;
};

}  // namespace slipway::catalog
