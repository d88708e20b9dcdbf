// One SQLite connection: statements kept by their text, values in and out, errors in our words.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "catalog/backend.h"

struct sqlite3;
struct sqlite3_stmt;

namespace slipway::catalog {

class SqliteConnection : public Session {
 public:
  enum class Mode { writer, reader, checkpointer };

  static Result<std::unique_ptr<SqliteConnection>> open(const std::filesystem::path& path, Mode mode);
  ~SqliteConnection() override;

  Result<std::int64_t> run(std::string_view sql, const Values& values,
                           const std::function<bool(const Row&)>& on_row = nullptr) override;
  Result<void> execute(const std::string& sql) override;
  bool is_postgres() const override { return false; }

  /// False after SQLite rolled the transaction back by itself (full disk, broken disk).
  bool in_transaction() const;
  /// The last thing that went wrong here, as our error.
  Error error(std::string_view sql) const;
  sqlite3* handle() { return db_; }

 private:
  struct Statement;
  class Use;

  SqliteConnection() = default;
  Result<Use> prepare(std::string_view sql);
  Result<std::unique_ptr<Statement>> compile(std::string_view sql);

  /// Past this many the whole cache is dropped: searches make their SQL as they go.
  static constexpr size_t kStatementsMax = 256;

  sqlite3* db_ = nullptr;
  // Transparent look-up: a std::string_view finds its entry without a copy.
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::unique_ptr<Statement>, TextHash, std::equal_to<>> statements_;
};

}  // namespace slipway::catalog
