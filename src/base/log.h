// Structured log lines on standard error (and a rotated file when one is set): time, level, room, sentence, fields.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace slipway {

enum class LogLevel { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string>;

/// One line, in logfmt: `2026-03-01T10:00:00.000000Z info runs "run started" run=… node=…`. Safe from any thread.
/// Never pass a secret as a field.
void log(LogLevel level, std::string_view room, std::string_view sentence, std::initializer_list<LogField> fields = {});

inline void log_info(std::string_view room, std::string_view sentence, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::info, room, sentence, fields);
}
inline void log_warning(std::string_view room, std::string_view sentence, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::warning, room, sentence, fields);
}
inline void log_error(std::string_view room, std::string_view sentence, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::error, room, sentence, fields);
}

/// Lines below this level are dropped. Starts as info.
void set_log_level(LogLevel level);

/// Also writes to `path`, which is rotated at `bytes_max`, keeping `files_max` old ones. When it cannot be written, a
/// line on standard error says so.
void set_log_file(const std::filesystem::path& path, size_t bytes_max, size_t files_max);

}  // namespace slipway
