#include "base/random.h"

#include <sys/random.h>

#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace slipway {

void random_bytes(std::span<unsigned char> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
    CHECK(n > 0 || errno == EINTR, "the kernel gave no random bytes");
    if (n > 0) done += static_cast<size_t>(n);
  }
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  random_bytes({reinterpret_cast<unsigned char*>(&value), sizeof value});
  return value;
}

std::string random_hex(size_t bytes) {
  std::vector<unsigned char> raw(bytes);
  random_bytes(raw);
  return to_hex(raw);
}

}  // namespace slipway
