// Segments of kept requests: any bytes are read as some whole records and a rest, and a record that is read renders to
// its bytes.
#include <cstdint>

#include "base/check.h"
#include "monitor/request_log.h"

using namespace slipway::monitor;

namespace {

void check_record(std::string_view bytes) {
  const auto record = parse_record(bytes);
  if (!record.ok()) return;
  std::string again;
  append_record(again, record->prediction, record->reason);
  CHECK(again == bytes, "a record changed on its way through parse and append");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // Records come from behind a checksum that no mutation meets, so they are looked at without it, too.
  check_record(bytes);
  std::uint64_t end = 16;
  const auto scanned = scan_segment(bytes, [&](std::uint32_t offset, std::uint32_t length, std::string_view record) {
    CHECK(offset == end && offset + length <= bytes.size(), "records lie behind each other inside the segment");
    end = offset + length;
    check_record(record);
  });
  CHECK(!scanned.ok() || *scanned == end, "a segment ends where its last whole record does");
  return 0;
}
