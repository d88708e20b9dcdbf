// Randomness from the kernel; good enough for credentials.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace slipway {

void random_bytes(std::span<unsigned char> out);
std::uint64_t random_u64();

/// `bytes` random bytes as lower-case hex: 32 make a token that cannot be guessed.
std::string random_hex(size_t bytes);

}  // namespace slipway
