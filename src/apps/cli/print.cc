#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

/// Columns a terminal shows, counting each UTF-8 character as one.
size_t width_of(std::string_view text) {
  size_t width = 0;
  for (char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return width;
}

std::string pad(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

bool looks_numeric(const std::string& text) {
  return text.empty() || text == "-" || (text.find_first_not_of("0123456789.+-e% ") == std::string::npos);
}

}  // namespace

void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> right;
  for (size_t column = 0; column < header.size(); ++column) {
    size_t width = width_of(header[column]);
    bool numeric = !rows.empty();
    for (const auto& row : rows) {
      width = std::max(width, width_of(row[column]));
      numeric = numeric && looks_numeric(row[column]);
    }
    widths.push_back(width);
    right.push_back(numeric);
  }
  const auto print_row = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t column = 0; column < cells.size(); ++column)
      line += (column ? "  " : "") + pad(cells[column], widths[column], right[column]);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    std::puts(line.c_str());
  };
  print_row(header);
  for (const auto& row : rows) print_row(row);
}

void print_fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& [label, value] : fields) width = std::max(width, width_of(label));
  for (const auto& [label, value] : fields) std::puts((pad(label, width, false) + "  " + value).c_str());
}

void print_json(const Json& json) { std::puts(json.render().c_str()); }

void print_error(const Error& error) { std::fprintf(stderr, "slipway: %s\n", error.message.c_str()); }

std::string render_duration_s(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 60) return fmt::format("{:.3g} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::string render_ago(const Json& time) {
  const auto at = parse_time(time.string());
  if (!at.ok()) return "";
  const double seconds = static_cast<double>((system_clock().now() - *at).count()) / 1e6;
  return seconds < 1 ? "just now" : render_duration_s(seconds) + " ago";
}

Progress::Progress(const Context& context, std::string what, std::uint64_t total, bool bytes)
    : visible_(context.stderr_is_terminal()),
      what_(std::move(what)),
      total_(total),
      bytes_(bytes),
      started_(system_clock().steady()) {}

Progress::~Progress() { draw(done_, true); }

void Progress::set(std::uint64_t done) {
  done_ = done;
  if (system_clock().steady() - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = system_clock().steady();
  draw(done, false);
}

void Progress::draw(std::uint64_t done, bool last) {
  if (!visible_) return;
  const double elapsed = std::max(1e-3, static_cast<double>((system_clock().steady() - started_).count()) / 1e6);
  const double rate = static_cast<double>(done) / elapsed;
  const auto amount = [&](double value) {
    return bytes_ ? render_bytes(static_cast<std::uint64_t>(value)) : fmt::format("{:.0f}", value);
  };
  std::string line = fmt::format("\r\033[K{} {}", what_, amount(static_cast<double>(done)));
  if (total_ > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const auto filled = static_cast<size_t>(part * 20);
    line += fmt::format(" of {} [{}{}] {:.0f}%", amount(static_cast<double>(total_)), std::string(filled, '='),
                        std::string(20 - filled, ' '), part * 100);
    if (!last && rate > 0)
      line += ", " + render_duration_s(static_cast<double>(total_ - std::min(total_, done)) / rate) + " left";
  }
  line += fmt::format(", {}/s", amount(rate));
  std::fputs((line + (last ? "\n" : "")).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace slipway::cli
