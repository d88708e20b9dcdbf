// Any bytes as a W&B file, and each as one record: records or an error, never a crash.
#include "imports/wandb_file.h"

using namespace slipway::imports;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_wandb_record(bytes);  // most inputs have no right checksum
  WandbBlocks blocks;
  while (!bytes.empty()) {
    const std::string_view block = bytes.substr(0, kWandbBlockBytes);
    const auto read = blocks.read(block, [](std::string_view record) -> slipway::Result<void> {
      (void)read_wandb_record(record);
      return {};
    });
    if (!read.ok()) return 0;
    bytes.remove_prefix(block.size());
  }
  return 0;
}
