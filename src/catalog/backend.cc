#include "catalog/backend.h"

#include <fmt/format.h>

#include <cstring>
#include <exception>
#include <future>

#include "base/text.h"
#include "catalog/companion.h"

namespace slipway::catalog {

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options,
                                                 const std::vector<Migration>& migrations, Counters& counters) {
  const std::string_view url = options.url;
  if (url.starts_with("sqlite:")) return open_sqlite(options, migrations, counters);
  if (url.starts_with("postgresql://") || url.starts_with("postgres://"))
    return open_postgres(options, migrations, counters);
  // The URL may hold a password: only its scheme is repeated.
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}:…' names no database that Slipway knows; expected sqlite:/path/file.db or "
                           "postgresql://user@host:port/name",
                           clean_utf8(url.substr(0, url.find(':')), 32))};
}

Result<void> Database::write(Durability durability, Write body) {
  std::promise<Result<void>> promise;
  auto answer = promise.get_future();
  write(durability, std::move(body), [&promise](Result<void> result) { promise.set_value(std::move(result)); });
  return answer.get();
}

WriteCounters::WriteCounters(Counters& counters)
    : writes(counters.counter("catalog_writes_total", "Write closures run; divided by commits: the mean group size")),
      commits(counters.counter("catalog_commits_total", "Transactions committed, each for a group of writes")),
      refused(counters.counter("catalog_writes_refused_total", "Writes refused because the queue was full")),
      retries(counters.counter("catalog_groups_retried_total",
                               "Groups run again after a conflict, a lost connection, or a failed stream")),
      syncs(counters.counter("catalog_syncs_total", "Times the database's log was forced to disk")),
      waiting(counters.gauge("catalog_writes_waiting", "Writes in the queue")),
      group(counters.gauge("catalog_group_writes", "Writes in the last group")),
      commit(counters.latency("catalog_commit_seconds", "From the beginning of a group's transaction to its commit")),
      sync(counters.latency("catalog_sync_seconds", "How long forcing the log to disk took")),
      queued(counters.latency("catalog_write_queued_seconds", "How long a write waited before its group began")) {}

void WriteQueue::push(Durability durability, Write body, Completion done) {
  QueuedWrite write{durability, WriteCompanion::accompanied(std::move(body)), std::move(done), system_clock().steady()};
  if (queue_.try_push(std::move(write))) {
    counters_.waiting.add(1);
    return;
  }
  if (closed_)
    return write.done(  // NOLINT(bugprone-use-after-move): as below
        Error{ErrorCode::unavailable, "the database is being closed; try again when the server is back"});
  counters_.refused.add();
  write.done(  // NOLINT(bugprone-use-after-move): a queue leaves what it refuses untouched
      Error{ErrorCode::busy, fmt::format("{} writes wait for the database already; try again later", size_max_)});
}

std::vector<QueuedWrite> WriteQueue::pop_group(size_t most) {
  auto group = queue_.pop_all(most);
  counters_.waiting.add(-static_cast<std::int64_t>(group.size()));
  const Time now = system_clock().steady();
  for (const QueuedWrite& write : group) counters_.queued.record(now - write.queued);
  return group;
}

void WriteQueue::close() {
  closed_ = true;
  queue_.close();
}

Result<void> run_body(const std::function<Result<void>(Connection&)>& body, Connection& connection) {
  try {
    return body(connection);
  } catch (const std::exception& problem) {
    return Error{ErrorCode::internal, std::string("an exception escaped a database closure: ") + problem.what()};
  }
}

namespace {

bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if (word & kHighBits) return false;
  }
  for (; at < text.size(); ++at) {
    if (text[at] & 0x80) return false;
  }
  return true;
}

}  // namespace

Result<void> check_values(std::string_view sql, const Values& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const auto* text = std::get_if<std::string>(&values[i]);
    if (!text) continue;
    const bool has_nul = text->find('\0') != std::string::npos;
    if (!has_nul && (is_ascii(*text) || is_utf8(*text))) continue;
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the text '{}' {}; expected UTF-8 text (value {} of: {})", clean_utf8(*text, 80),
                             has_nul ? "contains a NUL byte" : "is not valid UTF-8", i + 1, shown(sql))};
  }
  return {};
}

std::string shown(std::string_view sql) {
  constexpr size_t kShownMax = 300;
  std::string line;
  for (char c : clean_utf8(sql, kShownMax)) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return sql.size() > kShownMax ? line + "…" : line;
}

}  // namespace slipway::catalog
