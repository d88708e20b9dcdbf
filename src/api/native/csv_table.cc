#include "api/native/csv_table.h"

#include "base/text.h"

namespace slipway::api {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

}  // namespace

CsvTable::CsvTable(std::shared_ptr<http::BodyWriter> body, const std::vector<catalog::TableColumn>& columns)
    : body_(std::move(body)) {
  for (const auto& column : columns) text(column.name);
  waiting_ += '\n';
  is_first_ = true;
}

void CsvTable::separate() {
  if (!is_first_) waiting_ += ',';
  is_first_ = false;
}

void CsvTable::text(std::string_view value) {
  if (!is_utf8(value)) return text(clean_utf8(value));
  separate();
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    waiting_ += value;
    return;
  }
  waiting_ += '"';
  for (const char c : value) {
    if (c == '"') waiting_ += '"';
    waiting_ += c;
  }
  waiting_ += '"';
}

void CsvTable::integer(std::int64_t value) {
  separate();
  waiting_ += std::to_string(value);
}

void CsvTable::number(double value) {
  separate();
  waiting_ += render_double(value);
}

void CsvTable::time(Time value) {
  separate();
  waiting_ += render(value);
}

void CsvTable::null() { separate(); }

Result<void> CsvTable::end_row() {
  waiting_ += '\n';
  is_first_ = true;
  if (waiting_.size() < kPieceBytes) return {};
  return finish();
}

Result<void> CsvTable::finish() {
  TRY(body_->write(waiting_));
  waiting_.clear();
  return {};
}

}  // namespace slipway::api
