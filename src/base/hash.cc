#include "base/hash.h"

#include <blake3.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"
#include "base/text.h"

namespace slipway {
namespace {

std::string digest_hex(const EVP_MD* algorithm, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &length, algorithm, nullptr) == 1, "OpenSSL lacks a digest");
  return to_hex({digest, length});
}

}  // namespace

struct Hasher::State {
  blake3_hasher hasher;
};

Hasher::Hasher() : state_(std::make_unique<State>()) { blake3_hasher_init(&state_->hasher); }
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) { blake3_hasher_update(&state_->hasher, bytes.data(), bytes.size()); }

Hash Hasher::finish() const {
  Hash hash;
  blake3_hasher_finalize(&state_->hasher, hash.bytes.data(), hash.bytes.size());
  return hash;
}

Hash hash_of(std::string_view bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

std::string render(const Hash& hash) { return to_hex(hash.bytes); }

Result<Hash> parse_hash(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != 32) {
    return Error{ErrorCode::invalid_argument,
                 "'" + clean_utf8(text, 80) + "' is not a BLAKE3 hash; expected 64 hexadecimal digits"};
  }
  Hash hash;
  std::copy(bytes->begin(), bytes->end(), hash.bytes.begin());
  return hash;
}

std::string sha256_hex(std::string_view bytes) { return digest_hex(EVP_sha256(), bytes); }
std::string md5_hex(std::string_view bytes) { return digest_hex(EVP_md5(), bytes); }

std::string hmac_sha256(std::string_view key, std::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &length) != nullptr,
        "OpenSSL lacks HMAC-SHA256");
  return std::string(reinterpret_cast<char*>(digest), length);
}

}  // namespace slipway
