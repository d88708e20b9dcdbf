#include "catalog/postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <bit>
#include <cmath>

#include "base/text.h"
#include "catalog/postgres_row.h"

namespace slipway::catalog {
namespace {

/// libpq explains itself over several lines; the first one says what happened.
std::string_view first_line(const char* text) {
  const std::string_view whole = trim(text);
  return whole.substr(0, whole.find('\n'));
}

struct StateCode {
  std::string_view prefix;
  ErrorCode code;
};

/// PostgreSQL's five-letter states (its manual, appendix A), the longest prefix first.
constexpr StateCode kStateCodes[] = {
    {"23505", ErrorCode::already_exists},    // unique_violation
    {"23", ErrorCode::failed_precondition},  // the other constraints
    {"40001", ErrorCode::busy},              // serialization_failure
    {"40P01", ErrorCode::busy},              // deadlock_detected
    {"55P03", ErrorCode::busy},              // lock_not_available
    {"57014", ErrorCode::timed_out},         // query_canceled
    {"57P", ErrorCode::unavailable},         // shutting down, starting up
    {"53", ErrorCode::busy},                 // disk, memory or connections used up
    {"08", ErrorCode::unavailable},          // connection
    {"22021", ErrorCode::invalid_argument},  // character_not_in_repertoire
    {"54", ErrorCode::too_large},            // a limit of the program
    {"58", ErrorCode::unavailable},          // the system below
    {"XX001", ErrorCode::data_loss},
    {"XX002", ErrorCode::data_loss},
};

ErrorCode code_of(std::string_view state) {
  for (const StateCode& known : kStateCodes) {
    if (state.starts_with(known.prefix)) return known.code;
  }
  return ErrorCode::internal;
}

std::string big_endian(std::uint64_t bits) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(bits >> (56 - 8 * i));
  return bytes;
}

bool is_null_value(const Value& value) {
  const auto* number = std::get_if<double>(&value);
  return std::holds_alternative<std::nullptr_t>(value) || (number && std::isnan(*number));
}

/// What a value is sent as. A NULL has no type of its own: PostgreSQL takes it from where it stands.
Oid type_of(const Value& value) {
  static constexpr Oid kTypes[] = {0, kPgInt8, kPgFloat8, kPgText, kPgBytes};
  return is_null_value(value) ? 0 : kTypes[value.index()];
}

/// The values as libpq wants them: pointers into this object and into `values`.
struct Parameters {
  explicit Parameters(const Values& values) : numbers(values.size()) {
    for (size_t i = 0; i < values.size(); ++i) add(values[i], numbers[i]);
  }
  void add(const Value& value, std::string& number) {
    std::string_view bytes;
    if (const auto* v = std::get_if<std::int64_t>(&value)) bytes = number = big_endian(static_cast<std::uint64_t>(*v));
    if (const auto* v = std::get_if<double>(&value)) bytes = number = big_endian(std::bit_cast<std::uint64_t>(*v));
    if (const auto* v = std::get_if<std::string>(&value)) bytes = *v;
    if (const auto* v = std::get_if<Blob>(&value)) bytes = v->bytes;
    // An empty std::string has a pointer too; only NULL is a null pointer.
    pointers.push_back(is_null_value(value) ? nullptr : bytes.data());
    lengths.push_back(static_cast<int>(bytes.size()));
    formats.push_back(1);
  }

  std::vector<std::string> numbers;
  std::vector<const char*> pointers;
  std::vector<int> lengths, formats;
};

}  // namespace

std::pair<std::string, size_t> number_placeholders(std::string_view sql) {
  std::string out;
  size_t count = 0;
  const auto copy_past = [&](size_t at, std::string_view end) {
    const size_t found = sql.find(end, at + 1);
    const size_t past = found == std::string_view::npos ? sql.size() : found + end.size();
    out += sql.substr(at, past - at);
    return past;
  };
  for (size_t at = 0; at < sql.size();) {
    if (sql[at] == '\'') {
      at = copy_past(at, "'");
    } else if (sql[at] == '"') {
      at = copy_past(at, "\"");
    } else if (sql.substr(at).starts_with("--")) {
      at = copy_past(at, "\n");
    } else if (sql.substr(at).starts_with("/*")) {
      at = copy_past(at, "*/");
    } else if (sql[at] == '?') {
      out += "$" + std::to_string(++count);
      ++at;
    } else {
      out += sql[at++];
    }
  }
  return {out, count};
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const std::string& url) {
  // What stands before dbname are defaults that the URL may replace.
  const char* const names[] = {"connect_timeout", "application_name", "keepalives_idle",
                               "client_encoding", "dbname",           nullptr};
  const char* const values[] = {"5", "slipway", "30", "UTF8", url.c_str(), nullptr};
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection);
  connection->connection_ = PQconnectdbParams(names, values, 1);
  if (PQstatus(connection->connection_) != CONNECTION_OK) {
    return Error{ErrorCode::unavailable,
                 fmt::format("cannot reach PostgreSQL: {}; look whether it runs and the --database URL is right",
                             first_line(PQerrorMessage(connection->connection_)))};
  }
  PQsetNoticeProcessor(
      connection->connection_, [](void*, const char*) {}, nullptr);
  // jit: our statements are short, compiling them takes longer than running them.
  TRY(connection->execute("SET lock_timeout = '10s'; SET jit = off"));
  return connection;
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

bool PostgresConnection::is_lost() const { return dismissed_ || PQstatus(connection_) != CONNECTION_OK; }

void PostgresConnection::begin_closure(bool savepoint_per_statement) {
  careful_ = savepoint_per_statement;
  failed_ = went_on_ = false;
}

Error PostgresConnection::lost(std::string_view sql) const {
  return Error{ErrorCode::unavailable, fmt::format("the connection to PostgreSQL was lost: {} ({})",
                                                   first_line(PQerrorMessage(connection_)), shown(sql))};
}

Error PostgresConnection::error_of(const pg_result* answer, std::string_view sql) {
  if (is_lost()) return lost(sql);
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view known_state = state ? state : "";
  if (known_state == "40001" || known_state == "40P01") conflict_ = true;
  // The server says goodbye, or libpq speaks for itself (an error without a state): the connection is of no more use,
  // though its status may say so only at the next statement.
  if (known_state.empty() || known_state.starts_with("57P") || known_state.starts_with("08")) dismissed_ = true;
  if (dismissed_) return lost(sql);
  return Error{code_of(known_state),
               fmt::format("the database answered '{}' ({}) to: {}", message ? message : PQerrorMessage(connection_),
                           known_state, shown(sql))};
}

Result<PostgresConnection::Answer> PostgresConnection::checked(pg_result* raw, std::string_view sql) {
  Answer answer(raw, &PQclear);
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return answer;
  return error_of(raw, sql);
}

Result<void> PostgresConnection::execute(const std::string& sql) {
  (void)TRY(checked(PQexec(connection_, sql.c_str()), sql));
  return {};
}

Result<void> PostgresConnection::commit() {
  const auto answer = TRY(checked(PQexec(connection_, "COMMIT"), "COMMIT"));
  if (std::string_view(PQcmdStatus(answer.get())) == "COMMIT") return {};
  return Error{ErrorCode::internal, "PostgreSQL rolled a group of writes back instead of committing it"};
}

Result<std::string> PostgresConnection::prepare(std::string_view sql, const Values& values) {
  std::string key(sql);
  std::vector<Oid> types;
  for (const Value& value : values) {
    types.push_back(type_of(value));
    key += static_cast<char>('\1' + (types.back() == 0 ? 0 : value.index()));
  }
  if (const auto found = statements_.find(key); found != statements_.end()) return found->second;
  const auto [numbered, count] = number_placeholders(sql);
  if (count > kPlaceholdersMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("{} values in one statement; at most {} fit", count, kPlaceholdersMax)};
  }
  if (count != values.size()) {
    return Error{ErrorCode::internal,
                 fmt::format("{} values were given for the {} placeholders of: {}", values.size(), count, shown(sql))};
  }
  if (statements_.size() >= kStatementsMax) {
    TRY(execute("DEALLOCATE ALL"));
    statements_.clear();
  }
  const std::string name = "s" + std::to_string(++prepared_);
  (void)TRY(checked(
      PQprepare(connection_, name.c_str(), numbered.c_str(), static_cast<int>(types.size()), types.data()), sql));
  statements_.emplace(std::move(key), name);
  return name;
}

Result<PostgresConnection::Answer> PostgresConnection::run_prepared(std::string_view sql, const Values& values) {
  const std::string name = TRY(prepare(sql, values));
  const Parameters parameters(values);
  return checked(PQexecPrepared(connection_, name.c_str(), static_cast<int>(values.size()), parameters.pointers.data(),
                                parameters.lengths.data(), parameters.formats.data(), 1),
                 sql);
}

Result<std::int64_t> PostgresConnection::run(std::string_view sql, const Values& values,
                                             const std::function<bool(const Row&)>& on_row) {
  if (failed_ && !careful_) {
    went_on_ = true;
    return Error{ErrorCode::internal, "an earlier statement of this transaction failed"};
  }
  // Like every other error of a statement, this one may be swallowed by the closure, and nothing is spoiled then.
  TRY(check_values(sql, values));
  if (careful_) TRY(execute("SAVEPOINT statement"));
  auto answer = run_prepared(sql, values);
  if (careful_ && !is_lost()) {
    TRY(execute(answer.ok() ? "RELEASE SAVEPOINT statement"
                            : "ROLLBACK TO SAVEPOINT statement; RELEASE SAVEPOINT statement"));
  }
  if (!answer.ok()) {
    failed_ = true;
    return answer.error();
  }
  const PGresult* rows = answer.value().get();
  for (int i = 0; on_row && i < PQntuples(rows); ++i) {
    if (!on_row(PostgresRow(rows, i, sql))) break;
  }
  // A SELECT reports how many rows it found; those are no changes.
  if (std::string_view(PQcmdStatus(const_cast<PGresult*>(rows))).starts_with("SELECT")) return 0;
  return parse_i64(PQcmdTuples(const_cast<PGresult*>(rows))).value_or(0);
}

}  // namespace slipway::catalog
