// Secrets at rest: sealed with a key that lies beside the data, not in it, so that a database or a backup that gets
// into the wrong hands does not give them away.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

/// 32 bytes that seal and open. Copyable; never rendered.
class SealKey {
 public:
  /// From the file, which is made with fresh random bytes (mode 0600) when it is not there. failed_precondition for a
  /// file that holds no key.
  static Result<SealKey> load_or_make(const std::filesystem::path& file);
  /// For tests: any text becomes a key.
  static SealKey from_text(std::string_view text);

  /// AES-256-GCM (NIST SP 800-38D) with a random nonce: "s1." and base64 of nonce, bytes and tag. Sealing the same text
  /// twice gives different texts.
  std::string seal(std::string_view secret) const;
  /// Another secret for another purpose, always the same for the same key.
  std::string derive(std::string_view purpose) const;
  /// The inverse. data_loss for what was sealed with another key, or changed since.
  Result<std::string> open(std::string_view sealed) const;

 private:
  explicit SealKey(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

}  // namespace slipway
