#include "teams/password.h"

#include <argon2.h>

#include <array>

#include "base/check.h"
#include "base/random.h"

namespace slipway::teams {
namespace {

constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kMemoryKiB = 64 << 10;
constexpr std::uint32_t kLanes = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;

}  // namespace

std::string hash_password(std::string_view password) {
  std::array<unsigned char, kSaltBytes> salt;
  random_bytes(salt);
  std::string encoded(argon2_encodedlen(kPasses, kMemoryKiB, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int problem = argon2id_hash_encoded(kPasses, kMemoryKiB, kLanes, password.data(), password.size(), salt.data(),
                                            salt.size(), kHashBytes, encoded.data(), encoded.size());
  CHECK(problem == ARGON2_OK, std::string("Argon2 failed: ") + argon2_error_message(problem));
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool verify_password(const std::string& encoded, std::string_view password) {
  return argon2id_verify(encoded.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace slipway::teams
