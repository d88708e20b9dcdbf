#include "base/log.h"

#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

namespace slipway {
namespace {

/// Where lines go; more places may be added while others write.
spdlog::sinks::dist_sink_mt& places() {
  // Never destroyed: threads may log until the very end of the process.
  static auto* const instance = new auto(std::make_shared<spdlog::sinks::dist_sink_mt>(
      std::vector<spdlog::sink_ptr>{std::make_shared<spdlog::sinks::stderr_sink_mt>()}));
  return **instance;
}

spdlog::logger& logger() {
  static auto* const instance = [] {
    auto* made = new spdlog::logger("slipway", std::shared_ptr<spdlog::sinks::sink>(&places(), [](auto*) {}));
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

/// Would this value be read wrongly without quotes, or do something to a terminal?
bool needs_quotes(std::string_view value) {
  const auto special = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f; };
  return value.empty() || std::any_of(value.begin(), value.end(), special) || !is_utf8(value);
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
    if (needs_quotes(value)) {
      append_json_string(line, value);
    } else {
      line += value;
    }
  }
  logger().log(convert(level), "{}", line);
}

void set_log_level(LogLevel level) { logger().set_level(convert(level)); }

void set_log_file(const std::filesystem::path& path, size_t bytes_max, size_t files_max) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path.string(), bytes_max, files_max);
    sink->set_pattern("%v");
    places().add_sink(std::move(sink));
  } catch (const spdlog::spdlog_ex& problem) {
    log_error("base", "the log file cannot be written; lines go to standard error only", {{"file", path.string()}, {"error", problem.what()}});
  }
}

}  // namespace slipway
