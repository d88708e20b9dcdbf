// A table as comma-separated values (RFC 4180, lines end with LF), sent while it is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/table_writer.h"
#include "http/http.h"

namespace slipway::api {

/// Times are RFC 3339, numbers the shortest that read back the same, null is empty. cancelled when the client is gone.
class CsvTable : public catalog::TableWriter {
 public:
  CsvTable(std::shared_ptr<http::BodyWriter> body, const std::vector<catalog::TableColumn>& columns);

  void text(std::string_view value) override;
  void integer(std::int64_t value) override;
  void number(double value) override;
  void time(Time value) override;
  void null() override;
  Result<void> end_row() override;
  /// Sends what is left.
  Result<void> finish();

 private:
  void separate();

  const std::shared_ptr<http::BodyWriter> body_;
  std::string waiting_;
  bool is_first_ = true;  // of its row
};

}  // namespace slipway::api
