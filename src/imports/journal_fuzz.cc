// Any bytes as a journal, whole and cut in two: the same entries or the same error, never a crash.
#include "base/check.h"
#include "imports/journal.h"

using namespace slipway::imports;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  JournalReader whole, pieces;
  size_t used = 0, used_first = 0, used_rest = 0;
  const auto all = whole.read(bytes, used);
  CHECK(used <= size, "more was read than there was");
  const auto first = pieces.read(bytes.substr(0, size / 2), used_first);
  if (!first.ok()) return 0;
  const auto rest = pieces.read(bytes.substr(used_first), used_rest);
  if (all.ok() && rest.ok())
    CHECK(all->size() == first->size() + rest->size(), "a journal read in pieces has other entries");
  return 0;
}
