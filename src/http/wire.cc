#include "http/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "base/text.h"
#include "http/address.h"

namespace slipway::http {
namespace {

constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",                   // older RHEL
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",                                  // Alpine without the package, BSD
};

std::string system_error(int number) { return std::error_code(number, std::generic_category()).message(); }

std::string tls_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "the connection was cut";
}

// OpenSSL's own socket stream would raise SIGPIPE when the server is gone.
int write_to_socket(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::send(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), data,
                           static_cast<size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int read_from_socket(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n =
      ::recv(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), into, static_cast<size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO* make_bio(int fd) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket");
    BIO_meth_set_write(made, write_to_socket);
    BIO_meth_set_read(made, read_from_socket);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  BIO* bio = BIO_new(method);
  CHECK(bio != nullptr, "OpenSSL could not make a BIO");
  // NOLINTNEXTLINE(performance-no-int-to-ptr): what a BIO carries for us is a pointer
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

Result<std::string> find_bundle() {
  if (const char* chosen = std::getenv("SSL_CERT_FILE")) return std::string(chosen);
  std::error_code ignored;
  for (const char* bundle : kBundles) {
    if (std::filesystem::exists(bundle, ignored)) return std::string(bundle);
  }
  return Error{ErrorCode::failed_precondition,
               std::string("no certificate authorities were found on this system (looked at ") + kBundles[0] +
                   " and the like); install ca-certificates, or name a PEM file in SSL_CERT_FILE"};
}

bool is_address(const std::string& host) {
  unsigned char scratch[16];
  return ::inet_pton(AF_INET, host.c_str(), scratch) == 1 || ::inet_pton(AF_INET6, host.c_str(), scratch) == 1;
}

}  // namespace

Result<Trust> Trust::open(const std::string& ca_file) {
  Trust trust;
  trust.context_ = {SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  CHECK(trust.context_, "OpenSSL could not make a context");
  SSL_CTX_set_min_proto_version(trust.native(), TLS1_2_VERSION);
  SSL_CTX_set_verify(trust.native(), SSL_VERIFY_PEER, nullptr);
  const std::string file = ca_file.empty() ? TRY(find_bundle()) : ca_file;
  if (SSL_CTX_load_verify_file(trust.native(), file.c_str()) != 1) {
    return Error{ErrorCode::failed_precondition, "the certificate authorities in " + file +
                                                     " cannot be read: " + tls_error() + "; expected a PEM file"};
  }
  return trust;
}

Result<std::unique_ptr<Wire>> Wire::connect(const std::string& host, int port, Duration timeout, const Trust* trust,
                                            bool public_only) {
  const auto addresses = TRY(resolve(host, port));
  Error last{ErrorCode::unavailable, "the name has no address"};
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    // The address that is looked at is the one that is connected to: no second answer of the name can slip between.
    if (public_only && !is_public(*at->ai_addr)) {
      last = not_public(host, *at->ai_addr);
      continue;
    }
    std::unique_ptr<Wire> wire(
        new Wire(UniqueFd(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol))));
    int problem = wire->fd_ && ::connect(wire->fd_.get(), at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (problem == EINPROGRESS) {
      if (auto waited = wire->wait(POLLOUT, timeout); !waited.ok()) {
        last = std::move(waited).error();
        continue;
      }
      socklen_t size = sizeof problem;
      ::getsockopt(wire->fd_.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
    }
    if (problem != 0) {
      last = {ErrorCode::unavailable, system_error(problem)};
      continue;
    }
    const int on = 1;
    ::setsockopt(wire->fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (trust) TRY(wire->shake_hands(host, *trust, timeout));
    return wire;
  }
  return last;
}

Wire::~Wire() {
  if (!tls_) return;
  SSL_shutdown(tls_);
  ERR_clear_error();
  SSL_free(tls_);
}

Result<void> Wire::shake_hands(const std::string& host, const Trust& trust, Duration timeout) {
  tls_ = SSL_new(trust.native());
  CHECK(tls_ != nullptr, "OpenSSL could not make a connection");
  BIO* bio = make_bio(fd_.get());
  SSL_set_bio(tls_, bio, bio);
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_), host.c_str());
  } else {
    SSL_set1_host(tls_, host.c_str());
    SSL_set_tlsext_host_name(tls_, host.c_str());
  }
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(tls_);
    if (result == 1) return {};
    if (const long verdict = SSL_get_verify_result(tls_); verdict != X509_V_OK) {
      return Error{ErrorCode::unavailable,
                   std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(verdict)};
    }
    if (!TRY(wait_for_tls(result, timeout)))
      return Error{ErrorCode::unavailable, "the server closed the connection instead of starting TLS"};
  }
}

Result<size_t> Wire::read(char* into, size_t size, Duration timeout) {
  while (tls_) {
    ERR_clear_error();
    const int result = SSL_read(tls_, into, static_cast<int>(std::min<size_t>(size, INT32_MAX)));
    if (result > 0) return static_cast<size_t>(result);
    if (!TRY(wait_for_tls(result, timeout))) return size_t{0};
  }
  while (true) {
    const ssize_t n = ::recv(fd_.get(), into, size, 0);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EAGAIN && errno != EINTR) return Error{ErrorCode::unavailable, system_error(errno)};
    if (errno == EAGAIN) TRY(wait(POLLIN, timeout));
  }
}

Result<void> Wire::write(std::string_view bytes, Duration timeout) {
  while (!bytes.empty()) {
    if (tls_) {
      ERR_clear_error();
      const int result = SSL_write(tls_, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30)));
      if (result > 0) {
        bytes.remove_prefix(static_cast<size_t>(result));
      } else if (!TRY(wait_for_tls(result, timeout))) {
        return Error{ErrorCode::unavailable, "the server closed the connection"};
      }
      continue;
    }
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      TRY(wait(POLLOUT, timeout));
    } else if (errno != EINTR) {
      return Error{ErrorCode::unavailable, system_error(errno)};
    }
  }
  return {};
}

bool Wire::is_readable() {
  pollfd waiting{fd_.get(), POLLIN | POLLRDHUP, 0};
  if (!tls_) return ::poll(&waiting, 1, 0) > 0;
  // Bytes may be there that are none of the stream's, such as tickets for resuming a session.
  char byte;
  ERR_clear_error();
  const int result = SSL_peek(tls_, &byte, 1);
  return result > 0 || SSL_get_error(tls_, result) != SSL_ERROR_WANT_READ;
}

Result<void> Wire::wait(short events, Duration timeout) const {
  const Time end = system_clock().steady() + timeout;
  while (true) {
    const Duration left = std::max(Duration(0), end - system_clock().steady());
    pollfd waiting{fd_.get(), events, 0};
    const int ready =
        ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>((left.count() + 999) / 1000, INT32_MAX)));
    if (ready > 0) return {};
    if (ready == 0)
      return Error{ErrorCode::timed_out, "nothing happened for " + std::to_string(timeout.count() / 1000) + " ms"};
    if (errno != EINTR) return Error{ErrorCode::unavailable, system_error(errno)};
  }
}

Result<bool> Wire::wait_for_tls(int result, Duration timeout) const {
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_WANT_READ: TRY(wait(POLLIN, timeout)); return true;
    case SSL_ERROR_WANT_WRITE: TRY(wait(POLLOUT, timeout)); return true;
    case SSL_ERROR_ZERO_RETURN: return false;
    default: return Error{ErrorCode::unavailable, tls_error()};
  }
}

}  // namespace slipway::http
