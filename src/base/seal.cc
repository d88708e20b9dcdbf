#include "base/seal.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"

namespace slipway {
namespace {

constexpr size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;
constexpr std::string_view kFormat = "s1.";

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;

Cipher make_cipher() {
  Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  CHECK(cipher, "OpenSSL could not make a cipher");
  return cipher;
}

unsigned char* bytes_of(std::string& text, size_t at = 0) { return reinterpret_cast<unsigned char*>(text.data()) + at; }
const unsigned char* read_bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Error not_sealed() {
  return {ErrorCode::data_loss,
          "a secret cannot be opened: it was sealed with another key, or changed since; set it again, or start the "
          "server with the key it was sealed with"};
}

}  // namespace

Result<SealKey> SealKey::load_or_make(const std::filesystem::path& file) {
  const auto text = read_file(file, 1024);
  if (text.ok()) {
    const auto bytes = from_hex(trim(*text));
    if (bytes && bytes->size() == kKeyBytes) return SealKey(std::string(bytes->begin(), bytes->end()));
    return Error{ErrorCode::failed_precondition,
                 file.string() + " holds no key; expected " + std::to_string(2 * kKeyBytes) + " hexadecimal digits"};
  }
  if (text.error().code != ErrorCode::not_found) return text.error();
  const std::string fresh = random_hex(kKeyBytes);
  TRY(write_file_atomic(file, fresh + "\n", 0600));
  const auto bytes = from_hex(fresh);
  return SealKey(std::string(bytes->begin(), bytes->end()));
}

SealKey SealKey::from_text(std::string_view text) { return SealKey(hmac_sha256("slipway seal key", text)); }

std::string SealKey::seal(std::string_view secret) const {
  std::string out(kNonceBytes + secret.size() + kTagBytes, '\0');
  random_bytes({bytes_of(out), kNonceBytes});
  const Cipher cipher = make_cipher();
  int written = 0, last = 0;
  const bool done =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, read_bytes(bytes_), bytes_of(out)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(out, kNonceBytes), &written, read_bytes(secret),
                        static_cast<int>(secret.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(out, kNonceBytes + secret.size()), &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, bytes_of(out, kNonceBytes + secret.size())) ==
          1;
  CHECK(done, "AES-GCM failed to seal");
  return std::string(kFormat) + base64_encode(out);
}

std::string SealKey::derive(std::string_view purpose) const { return hmac_sha256(bytes_, purpose); }

Result<std::string> SealKey::open(std::string_view sealed) const {
  if (!sealed.starts_with(kFormat)) return not_sealed();
  auto bytes = base64_decode(sealed.substr(kFormat.size()));
  if (!bytes || bytes->size() < kNonceBytes + kTagBytes) return not_sealed();
  const size_t size = bytes->size() - kNonceBytes - kTagBytes;
  std::string out(size, '\0');
  const Cipher cipher = make_cipher();
  int written = 0, last = 0;
  const bool opened =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, read_bytes(bytes_), bytes_of(*bytes)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(out), &written, bytes_of(*bytes, kNonceBytes), static_cast<int>(size)) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, bytes_of(*bytes, kNonceBytes + size)) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes_of(out, static_cast<size_t>(written)), &last) == 1;
  if (!opened) return not_sealed();
  return out;
}

}  // namespace slipway
