// The server's certificate and key, read again when their files change.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "http/http.h"

namespace slipway::http {

/// One thread (the accepting event loop). A connection keeps the context it was opened with.
class TlsFiles {
 public:
  /// failed_precondition with a sentence that names the file when one is missing, broken, or they do not belong
  /// together.
  static Result<std::unique_ptr<TlsFiles>> open(const TlsOptions& options, const Clock& clock = system_clock());

  /// The newest good certificate. Looks at the files at most every kTlsCheckTime; broken new ones are logged and the
  /// old ones stay.
  std::shared_ptr<boost::asio::ssl::context> context();

 private:
  struct Stamp {
    std::filesystem::file_time_type certificate, key;
    bool operator==(const Stamp&) const = default;
  };
  TlsFiles(const TlsOptions& options, const Clock& clock) : options_(options), clock_(clock) {}
  Stamp stamp() const;

  const TlsOptions options_;
  const Clock& clock_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  Stamp loaded_;
  Time looked_;
};

inline constexpr Duration kTlsCheckTime = std::chrono::seconds(2);

}  // namespace slipway::http
