#include <cstdint>
#include <string>
#include <string_view>

#include "domain/sample.h"

// Tables of samples are uploaded by clients.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)slipway::SampleTable::parse(text, false).ok();
  const auto table = slipway::SampleTable::parse(text, true);
  if (!table.ok()) return 0;
  for (std::size_t i = 0; i < table->size(); ++i) {
    if (!table->at(i).ok()) __builtin_trap();  // it was checked whole
    if (!table->find(table->key(i)).ok()) __builtin_trap();
  }
  return 0;
}
