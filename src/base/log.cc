#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "base/clock.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/json.h"
#include "base/text.h"

namespace slipway {
namespace {

std::atomic<LogLevel> level_min{LogLevel::info};

/// Nobody is told when this fails: there is no other place to say it.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

/// One file that is renamed to NAME.1.log (and that to NAME.2.log, …) before it would grow past its limit.
class RotatedFile {
 public:
  RotatedFile(std::filesystem::path path, size_t bytes_max, size_t files_max)
      : path_(std::move(path)), bytes_max_(bytes_max), files_max_(files_max) {}

  bool open() {
    fd_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    struct stat found {};
    size_ = fd_ && ::fstat(fd_.get(), &found) == 0 ? static_cast<size_t>(found.st_size) : 0;
    return static_cast<bool>(fd_);
  }

  void write(std::string_view line) {
    if (size_ > 0 && size_ + line.size() > bytes_max_) rotate();
    if (write_all(fd_.get(), line)) size_ += line.size();
  }

 private:
  std::filesystem::path numbered(size_t number) const {
    return path_.parent_path() / (path_.stem().string() + "." + std::to_string(number) + path_.extension().string());
  }

  void rotate() {
    std::error_code ignored;
    for (size_t number = files_max_; number > 1; --number)
      std::filesystem::rename(numbered(number - 1), numbered(number), ignored);
    if (files_max_ > 0) {
      std::filesystem::rename(path_, numbered(1), ignored);
    } else {
      std::filesystem::remove(path_, ignored);
    }
    open();
  }

  std::filesystem::path path_;
  size_t bytes_max_, files_max_;
  UniqueFd fd_;
  size_t size_ = 0;
};

/// Never destroyed: threads may log until the very end of the process.
Guarded<std::vector<RotatedFile>>& files() {
  static auto* const instance = new Guarded<std::vector<RotatedFile>>();
  return *instance;
}

/// Would this value be read wrongly without quotes, or do something to a terminal?
bool needs_quotes(std::string_view value) {
  const auto special = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f;
  };
  return value.empty() || std::any_of(value.begin(), value.end(), special) || !is_utf8(value);
}

const char* name(LogLevel level) {
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<int>(level)];
}

}  // namespace

void log(LogLevel level, std::string_view room, std::string_view sentence, std::initializer_list<LogField> fields) {
  if (level < level_min.load(std::memory_order_relaxed)) return;
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
  line += '\n';
  auto written = files().lock();  // also keeps the lines of standard error apart
  write_all(STDERR_FILENO, line);
  for (RotatedFile& file : *written) file.write(line);
}

void set_log_level(LogLevel level) { level_min = level; }

void set_log_file(const std::filesystem::path& path, size_t bytes_max, size_t files_max) {
  RotatedFile file(path, bytes_max, files_max);
  if (!file.open()) {
    const std::string reason = std::error_code(errno, std::generic_category()).message();
    return log_error("base", "the log file cannot be written; lines go to standard error only",
                     {{"file", path.string()}, {"error", reason}});
  }
  files().lock()->push_back(std::move(file));
}

}  // namespace slipway
