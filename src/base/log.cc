#include "base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/json.h"

namespace slipway {
namespace {

spdlog::logger& logger() {
  // Never destroyed: threads may log until the very end of the process.
  static auto* const instance = [] {
    auto* made = new spdlog::logger("slipway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum convert(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* name(LogLevel level) {
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<int>(level)];
}

}  // namespace

void log(LogLevel level, std::string_view room, std::string_view sentence, std::initializer_list<LogField> fields) {
  if (!logger().should_log(convert(level))) return;
  std::string line = render(system_clock().now()) + " " + name(level) + " " + std::string(room) + " ";
  append_json_string(line, sentence);
  for (const auto& [key, value] : fields) {
    line += " " + std::string(key) + "=";
    if (value.empty() || value.find_first_of(" \"=\\\n\r\t") != std::string::npos) {
      append_json_string(line, value);
    } else {
      line += value;
    }
  }
  logger().log(convert(level), "{}", line);
}

void set_log_level(LogLevel level) { logger().set_level(convert(level)); }

void set_log_file(const std::filesystem::path& path, size_t bytes_max, size_t files_max) {
  auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path.string(), bytes_max, files_max);
  sink->set_pattern("%v");
  logger().sinks().push_back(std::move(sink));
}

}  // namespace slipway
