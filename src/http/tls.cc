#include "http/tls.h"

#include <openssl/ssl.h>

#include "base/log.h"

namespace slipway::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// http/1.1 is all we speak; a client that does not offer it is served all the same.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                    void*) {
  static constexpr unsigned char kOurs[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Error unusable(const std::string& what, const std::string& file, const error_code& problem) {
  return {ErrorCode::failed_precondition, "the TLS " + what + " " + file + " cannot be used: " + problem.message() +
                                              "; expected a PEM file that this user can read"};
}

Result<std::shared_ptr<asio::ssl::context>> load(const TlsOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  error_code problem;
  context->use_certificate_chain_file(options.certificate_file, problem);
  if (problem) return unusable("certificate", options.certificate_file, problem);
  context->use_private_key_file(options.key_file, asio::ssl::context::pem, problem);
  if (problem) return unusable("key", options.key_file, problem);
  if (SSL_CTX_check_private_key(native) != 1) {
    return Error{ErrorCode::failed_precondition,
                 "the TLS key " + options.key_file + " does not belong to the certificate " + options.certificate_file};
  }
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsFiles>> TlsFiles::open(const TlsOptions& options, const Clock& clock) {
  std::unique_ptr<TlsFiles> files(new TlsFiles(options, clock));
  files->loaded_ = files->stamp();
  files->looked_ = clock.steady();
  files->context_ = TRY(load(options));
  return files;
}

std::shared_ptr<asio::ssl::context> TlsFiles::context() {
  const Time now = clock_.steady();
  if (now - looked_ < kTlsCheckTime) return context_;
  looked_ = now;
  const Stamp found = stamp();
  if (found == loaded_) return context_;
  loaded_ = found;  // also when they are broken: said once, looked at again when they change again
  auto fresh = load(options_);
  if (fresh.ok()) {
    context_ = std::move(*fresh);
    log_info("http", "the TLS certificate was read again", {{"file", options_.certificate_file}});
  } else {
    log_error("http", "the TLS certificate changed and cannot be used; the old one stays",
              {{"error", fresh.error().message}});
  }
  return context_;
}

TlsFiles::Stamp TlsFiles::stamp() const {
  std::error_code ignored;
  return {std::filesystem::last_write_time(options_.certificate_file, ignored),
          std::filesystem::last_write_time(options_.key_file, ignored)};
}

}  // namespace slipway::http
