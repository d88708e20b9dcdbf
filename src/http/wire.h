// One outgoing byte stream: TCP, or TLS over it. Blocks, with a limit on every wait. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace slipway::http {

/// What outgoing TLS trusts. `ca_file` empty: $SSL_CERT_FILE, else the bundle at one of the places where systems keep
/// it (our OpenSSL is linked in and does not know the host's). failed_precondition names the file that cannot be read,
/// or the places.
class Trust {
 public:
  static Result<Trust> open(const std::string& ca_file);
  ssl_ctx_st* native() const { return context_.get(); }

 private:
  std::shared_ptr<ssl_ctx_st> context_;
};

class Wire {
 public:
  /// Tries each address of the host until one answers. `trust` null: no TLS. unavailable or timed_out say why not. With
  /// `public_only` an address that is none of the public internet's is passed over, permission_denied when all are.
  static Result<std::unique_ptr<Wire>> connect(const std::string& host, int port, Duration timeout, const Trust* trust,
                                               bool public_only = false);
  ~Wire();

  /// At least one byte, at most `size`; 0 at the end. timed_out when nothing comes for `timeout`.
  Result<size_t> read(char* into, size_t size, Duration timeout);
  /// All of it; timed_out when nothing of it can be sent for `timeout`.
  Result<void> write(std::string_view bytes, Duration timeout);
  /// Whether something is there to read at once: between requests that means the server has closed.
  bool is_readable();

 private:
  explicit Wire(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<void> shake_hands(const std::string& host, const Trust& trust, Duration timeout);
  Result<void> wait(short events, Duration timeout) const;
  /// After an SSL call that gave `result`: waits and returns true to try again, false at the end of the stream.
  Result<bool> wait_for_tls(int result, Duration timeout) const;

  UniqueFd fd_;
  ssl_st* tls_ = nullptr;
};

}  // namespace slipway::http
