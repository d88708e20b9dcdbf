#include "monitor/request_record.h"

#include <array>
#include <bit>
#include <cstring>

namespace slipway::monitor {
namespace {

static_assert(std::endian::native == std::endian::little,
              "records are written as the machine has them; a big-endian one must swap");

constexpr std::array kReasons = {CaseReason::error, CaseReason::low_confidence, CaseReason::flagged,
                                 CaseReason::sampled, CaseReason::drift};  // by their number, from 1
constexpr std::uint8_t kOk = 1, kHasBody = 2;

std::uint8_t number_of(std::optional<CaseReason> reason) {
  for (size_t i = 0; i < kReasons.size(); ++i) {
    if (reason == kReasons[i]) return static_cast<std::uint8_t>(i + 1);
  }
  return 0;
}

template <typename T>
void put(std::string& bytes, T value) {
  static_assert(std::is_arithmetic_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& bytes, std::string_view text) {
  put(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

/// Takes values off the front; after the first that is not there everything is zero and ok() false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  template <typename T>
  void take(T& value) {
    if (left_.size() < sizeof value) return fail();
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
  }
  void take(std::string& text) { text = take_text(); }
  std::string_view take_text() {
    std::uint32_t length = 0;
    take(length);
    if (length > left_.size()) return fail(), std::string_view();
    const std::string_view text = left_.substr(0, length);
    left_.remove_prefix(length);
    return text;
  }
  bool ok() const { return ok_; }
  bool is_at_end() const { return left_.empty(); }

 private:
  void fail() {
    ok_ = false;
    left_ = {};
  }

  std::string_view left_;
  bool ok_ = true;
};

/// Every field of fixed size but the two bytes in front, in their order; `visit` reads or writes it.
template <typename Prediction, typename Visit>
void visit_numbers(Prediction& p, Visit visit) {
  auto& s = p.statistics;
  visit(p.at.micros);
  visit(p.version);
  visit(p.rows);
  visit(p.request_json_bytes);
  visit(s.input_mean), visit(s.input_deviation), visit(s.input_min), visit(s.input_max);
  visit(s.output_mean), visit(s.output_deviation), visit(s.confidence), visit(s.margin);
  visit(s.predicted_class);
}

template <typename Prediction, typename Visit>
void visit_texts(Prediction& p, Visit visit) {
  visit(p.answer.text), visit(p.project.text), visit(p.deployment.text), visit(p.deployment_name),
      visit(p.revision.text);
  visit(p.model), visit(p.error), visit(p.label), visit(p.media_type);
}

}  // namespace

void append_record(std::string& bytes, const PredictionServed& prediction, std::optional<CaseReason> reason) {
  put(bytes, number_of(reason));
  put(bytes, static_cast<std::uint8_t>((prediction.ok ? kOk : 0) | (prediction.request ? kHasBody : 0)));
  put(bytes, static_cast<std::int64_t>(prediction.latency.count()));
  visit_numbers(prediction, [&](const auto& value) { put(bytes, value); });
  visit_texts(prediction, [&](const std::string& text) { put_text(bytes, text); });
  if (prediction.request) put_text(bytes, *prediction.request);
}

Result<RequestRecord> parse_record(std::string_view bytes) {
  RequestRecord record;
  std::uint8_t reason = 0, flags = 0;
  std::int64_t latency_us = 0;
  Reader reader(bytes);
  reader.take(reason);
  reader.take(flags);
  reader.take(latency_us);
  visit_numbers(record.prediction, [&](auto& value) { reader.take(value); });
  visit_texts(record.prediction, [&](std::string& text) { reader.take(text); });
  if (flags & kHasBody) record.prediction.request = std::make_shared<const std::string>(reader.take_text());
  if (!reader.ok() || !reader.is_at_end() || reason > kReasons.size() || flags > (kOk | kHasBody)) {
    return Error{ErrorCode::data_loss, "a record of a request is not in the form this version writes"};
  }
  record.prediction.latency = Duration(latency_us);
  record.prediction.ok = (flags & kOk) != 0;
  if (reason > 0) record.reason = kReasons[reason - 1u];
  return record;
}

}  // namespace slipway::monitor
