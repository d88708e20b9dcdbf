// CHECK: our own broken assumptions. On in release; says the reason in words and ends the process with a core.
#pragma once

#include <string>

namespace slipway {

[[noreturn]] void die(const char* file, int line, const char* condition, const std::string& reason);

}  // namespace slipway

#define CHECK(condition, reason)                                              \
  do {                                                                        \
    if (!(condition)) ::slipway::die(__FILE__, __LINE__, #condition, reason); \
  } while (false)
