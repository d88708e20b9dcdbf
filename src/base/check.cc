#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace slipway {

void die(const char* file, int line, const char* condition, const std::string& reason) {
  std::fprintf(stderr, "slipway: %s:%d: %s does not hold: %s [this is a bug]\n", file, line, condition, reason.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace slipway
