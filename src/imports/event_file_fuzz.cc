// Any bytes as an event file, and each as one record: an answer or an error, never a crash.
#include "base/check.h"
#include "imports/event_file.h"

using namespace slipway::imports;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_event(bytes);  // most inputs have no right checksum
  while (true) {
    const auto record = next_event_record(bytes);
    if (!record.ok() || !*record) return 0;
    CHECK((*record)->used <= bytes.size() && (*record)->used > 0, "a record is longer than its file");
    (void)read_event((*record)->data);
    bytes.remove_prefix((*record)->used);
  }
}
