#include "sender.h"

#include <algorithm>
#include <ctime>

namespace slipway::tracking {
namespace {

constexpr std::size_t kPointsPerRequest = 1'000;
constexpr const char* kMlflow = "/api/2.0/mlflow/";

template <typename T>
T read_raw(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

std::string rfc3339(std::int64_t at_ms) {
  const std::time_t seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40], out[48];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(out, sizeof out, "%s.%03dZ", text, static_cast<int>(at_ms % 1000));
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

}  // namespace

Sender::Outcome Sender::send(int journal, std::uint64_t end) {
  if (is_refused_ || !connection_.is_usable()) {
    if (!connection_.is_usable()) trouble_ = "the URL is no plain http:// address; send the folder with `slipway sync`";
    return Outcome::refused;
  }
  std::string payload;
  while (offset_ < end) {
    std::uint64_t next = offset_;
    if (!read_frame(journal, next, end, payload)) return Outcome::waits;
    if (!send_frame(payload)) return is_refused_ ? Outcome::refused : Outcome::waits;
    offset_ = next;
    points_done_ = 0;
  }
  return Outcome::sent;
}

bool Sender::take(const Answer& answer, bool may_skip) {
  if (answer.status >= 200 && answer.status < 300) {
    trouble_.clear();
    return true;
  }
  trouble_ = answer.status == 0
                 ? "the server does not answer"
                 : "the server answered " + std::to_string(answer.status) + ": " + answer.body.substr(0, 500);
  const bool may_pass = answer.status == 0 || answer.status >= 500 || answer.status == 408 || answer.status == 429;
  if (may_pass) return false;
  const bool is_about_this = answer.status == 400 || answer.status == 413;
  if (is_about_this && may_skip) return true;  // the rest is not held up by it
  is_refused_ = true;
  return false;
}

std::string Sender::run_body(std::string_view state, std::int64_t ended_ms) const {
  std::string body = "{\"experiment\":" + json_text(facts_.experiment) + ",\"name\":" + json_text(facts_.name);
  body += ",\"state\":" + json_text(state) + ",\"started_at\":" + json_text(rfc3339(facts_.started_ms));
  if (ended_ms > 0) body += ",\"ended_at\":" + json_text(rfc3339(ended_ms));
  return body + "}";
}

bool Sender::make_run() {
  if (!facts_.is_ours || is_made_) return true;
  is_made_ = take(connection_.send("PUT", "/api/v1/imports/runs/" + facts_.id, run_body("running", 0)), false);
  return is_made_;
}

bool Sender::send_points(const std::string& payload) {
  const std::size_t count = (payload.size() - 1) / kPointBytes;
  const std::string begin = "{\"run_id\":" + json_text(facts_.id) + ",\"metrics\":[";
  while (points_done_ < count) {
    const std::size_t to = std::min(count, points_done_ + kPointsPerRequest);
    std::string body = begin;
    for (std::size_t i = points_done_; i < to; ++i) {
      const char* at = payload.data() + 1 + i * kPointBytes;
      if (i > points_done_) body += ',';
      body.append("{\"key\":").append(names_[read_raw<std::uint32_t>(at)]);
      body.append(",\"value\":").append(json_number(read_raw<double>(at + 20)));
      body.append(",\"step\":").append(std::to_string(read_raw<std::int64_t>(at + 4)));
      body.append(",\"timestamp\":").append(std::to_string(read_raw<std::int64_t>(at + 12))).append("}");
    }
    const Answer answer = connection_.send("POST", std::string(kMlflow) + "runs/log-batch", body.append("]}"));
    if (!take(answer, true)) return false;
    (answer.status < 300 ? points_sent_ : points_refused_) += to - points_done_;
    points_done_ = to;
  }
  return true;
}

bool Sender::send_frame(const std::string& payload) {
  if (payload.empty()) return true;
  if (payload[0] == 'K') {
    if (payload.size() > 5) names_[read_raw<std::uint32_t>(payload.data() + 1)] = json_text(payload.substr(5));
    return true;
  }
  if (!make_run()) return false;
  if (payload[0] == 'P') return send_points(payload);
  if (payload[0] == 'E') {
    const std::int64_t at_ms = payload.size() < 9 ? 0 : read_raw<std::int64_t>(payload.data() + 1);
    const std::string status = payload.size() < 9 ? "" : payload.substr(9);
    if (facts_.is_ours)
      return take(connection_.send("PUT", "/api/v1/imports/runs/" + facts_.id, run_body(lower(status), at_ms)), true);
    const std::string body = "{\"run_id\":" + json_text(facts_.id) + ",\"status\":" + json_text(status) +
                             ",\"end_time\":" + std::to_string(at_ms) + "}";
    return take(connection_.send("POST", std::string(kMlflow) + "runs/update", body), true);
  }
  if (payload.size() < 5) return true;
  const std::size_t key_bytes = std::min<std::size_t>(read_raw<std::uint32_t>(payload.data() + 1), payload.size() - 5);
  const std::string key = payload.substr(5, key_bytes), value = payload.substr(5 + key_bytes);
  if (payload[0] == 'F') {
    const std::string path =
        "/api/2.0/mlflow-artifacts/artifacts/imports/" + facts_.id + "/artifacts/" + encode_path(key);
    return take(connection_.send_file(path, facts_.folder + "/files/" + value), true);
  }
  const std::string body =
      "{\"run_id\":" + json_text(facts_.id) + ",\"key\":" + json_text(key) + ",\"value\":" + json_text(value) + "}";
  const char* endpoint = payload[0] == 'A' ? "runs/log-parameter" : "runs/set-tag";
  return take(connection_.send("POST", kMlflow + std::string(endpoint), body), true);
}

}  // namespace slipway::tracking
