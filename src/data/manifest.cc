#include "data/manifest.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::data {
namespace {

Error at(std::string_view file, size_t line, std::string_view sentence) {
  return {ErrorCode::invalid_argument, fmt::format("{}:{}: {}", file, line, sentence)};
}

using Record = std::map<std::string, Json>;

Result<std::string> key_of(const Record& record, const Pattern& key, std::string_view file, size_t line) {
  if (const auto whole = record.find("key"); whole != record.end())
    return whole->second.is_string() ? whole->second.string() : whole->second.render();
  Fields fields;
  for (const std::string& field : key.fields()) {
    const auto value = record.find(field);
    if (value == record.end())
      return at(
          file, line,
          fmt::format("no column '{}'; expected a column 'key' or one for each field of '{}'", field, key.text()));
    fields[field] = value->second.is_string() ? value->second.string() : value->second.render();
  }
  return key.fill(fields);
}

Result<void> add(Manifest& manifest, Record record, const Pattern& key, std::string_view file, size_t line) {
  std::string name = TRY(key_of(record, key, file, line));
  if (!manifest.emplace(name, std::move(record)).second)
    return at(file, line, fmt::format("a second row for the sample '{}'", name));
  return {};
}

}  // namespace

Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text, std::string_view file_name) {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> record;
  std::string field;
  size_t line = 1, quote_line = 0;
  bool in_quotes = false, any = false;
  const auto end_record = [&] {
    if (!any && field.empty() && record.empty()) return;  // an empty line
    record.push_back(std::move(field));
    records.push_back(std::move(record));
    record.clear();
    field.clear();
    any = false;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (in_quotes) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        in_quotes = false;
      }
    } else if (c == '"' && field.empty()) {
      in_quotes = any = true;
      quote_line = line;
    } else if (c == ',') {
      record.push_back(std::move(field));
      field.clear();
      any = true;
    } else if (c == '\n') {
      if (!field.empty() && field.back() == '\r') field.pop_back();
      end_record();
    } else {
      field += c;
    }
  }
  if (in_quotes) return at(file_name, quote_line, "the quote that begins here is never closed");
  if (!field.empty() && field.back() == '\r') field.pop_back();
  end_record();
  return records;
}

Result<Manifest> parse_manifest(std::string_view text, std::string_view file_name, const Pattern& key) {
  Manifest manifest;
  if (file_name.ends_with(".jsonl") || file_name.ends_with(".ndjson")) {
    size_t number = 0;
    for (const std::string& line : split(text, '\n')) {
      ++number;
      if (trim(line).empty()) continue;
      const auto json = Json::parse(line);
      if (!json.ok() || !json->is_object()) return at(file_name, number, "expected one JSON object in each line");
      Record record;
      for (const auto& [name, value] : json->object()) record[name] = value;
      TRY(add(manifest, std::move(record), key, file_name, number));
    }
    return manifest;
  }
  if (!file_name.ends_with(".csv"))
    return Error{ErrorCode::unsupported, fmt::format("the manifest {} is neither .csv nor .jsonl", file_name)};
  const auto records = TRY(parse_csv(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text, file_name));
  if (records.empty()) return at(file_name, 1, "the file is empty; expected a line with the names of the columns");
  for (size_t i = 1; i < records.size(); ++i) {
    if (records[i].size() != records[0].size())
      return at(file_name, i + 1,
                fmt::format("{} fields; the first line names {} columns", records[i].size(), records[0].size()));
    Record record;
    for (size_t column = 0; column < records[0].size(); ++column)
      record[std::string(trim(records[0][column]))] = records[i][column];
    TRY(add(manifest, std::move(record), key, file_name, i + 1));
  }
  return manifest;
}

}  // namespace slipway::data
