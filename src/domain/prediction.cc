#include "domain/prediction.h"

#include <algorithm>
#include <atomic>

#include "base/random.h"

namespace slipway {
namespace {

constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford base 32, as in all our ids
constexpr size_t kRevisionCharacters = 26;
constexpr size_t kTimeCharacters = 11;   // 55 bits of microseconds: until the year 3111
constexpr size_t kChanceCharacters = 6;  // 30 bits per process: two servers that share a database do not meet

void put(char* at, size_t characters, std::uint64_t value) {
  for (size_t i = characters; i-- > 0; value >>= 5) at[i] = kAlphabet[value & 31];
}

}  // namespace

AnswerId new_answer_id(const RevisionId& revision, const Clock& clock) {
  static std::atomic<std::uint64_t> last{0};
  static const std::uint64_t chance = random_u64();
  const std::uint64_t now = static_cast<std::uint64_t>(clock.now().micros);
  std::uint64_t before = last.load(std::memory_order_relaxed), next;
  do {
    next = std::max(before + 1, now);
  } while (!last.compare_exchange_weak(before, next, std::memory_order_relaxed));

  AnswerId id;
  id.text.reserve(revision.text.size() + 1 + kTimeCharacters + kChanceCharacters);
  id.text = revision.text;
  id.text += '-';
  char tail[kTimeCharacters + kChanceCharacters];
  put(tail, kTimeCharacters, next);
  put(tail + kTimeCharacters, kChanceCharacters, chance);
  id.text.append(tail, sizeof tail);
  return id;
}

Result<RevisionId> revision_of(const AnswerId& answer) {
  const size_t dash = answer.text.find('-');
  if (dash != kRevisionCharacters || answer.text.size() != dash + 1 + kTimeCharacters + kChanceCharacters ||
      !looks_like_id(answer.text)) {
    return Error{
        ErrorCode::invalid_argument,
        "'" + answer.text.substr(0, 80) +
            "' is no answer id; take it from the header X-Slipway-Answer-Id or the parameter slipway_answer_id of an answer"};
  }
  return RevisionId(std::string_view(answer.text).substr(0, dash));
}

}  // namespace slipway
