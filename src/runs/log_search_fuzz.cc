// The first byte says how long the pattern is and how the log is cut; however it is cut, the same lines are found.
#include "base/check.h"
#include "runs/log_search.h"

using namespace slipway::runs;

namespace {

std::vector<LogHit> hits_of(const std::string& pattern, std::string_view log, size_t piece) {
  std::vector<LogHit> hits;
  const auto visit = [&](LogHit hit) { hits.push_back(std::move(hit)); };
  LogScanner scanner(pattern, false, {});
  for (; !log.empty(); log.remove_prefix(std::min(piece, log.size()))) scanner.feed(log.substr(0, piece), visit);
  scanner.finish(visit);
  return hits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t length = std::min<size_t>(1 + data[0] % 4, bytes.size());
  const std::string pattern(bytes.substr(0, length));
  const std::string_view log = bytes.substr(length);
  const auto whole = hits_of(pattern, log, log.size() + 1), cut = hits_of(pattern, log, 1 + data[0] / 4);
  CHECK(whole.size() == cut.size(), "where the log is cut changes how many lines are found");
  for (size_t i = 0; i < whole.size(); ++i) {
    CHECK(whole[i].place.offset == cut[i].place.offset && whole[i].place.line == cut[i].place.line &&
              whole[i].text == cut[i].text,
          "where the log is cut changes what is found");
    CHECK(whole[i].place.offset < log.size(), "a hit lies behind the log");
  }
  return 0;
}
