#include "api/inference/grpc.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/library.h"
#include "base/log.h"
#include "base/text.h"
#include "http/socket_owner.h"
#include "inference/inference.h"

namespace slipway::api {
namespace {

constexpr size_t kBufferedBytesMax = 1 << 30;
constexpr int kCallsPerConnectionMax = 256;
constexpr Duration kTroubleInterval = std::chrono::seconds(10);

struct Library {
  oip::GrpcStartFunction* start;
};

Result<Library> load_library() {
  std::string tried;
  for (const std::filesystem::path& candidate : library_candidates(nullptr, oip::kGrpcLibrary)) {
    // Never unloaded: gRPC keeps threads.
    void* const library = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      tried += "\n  " + std::string(::dlerror());
      continue;
    }
    if (void* const start = ::dlsym(library, oip::kGrpcStartFunction))
      return Library{reinterpret_cast<oip::GrpcStartFunction*>(start)};
    tried += "\n  " + candidate.string() + " has no " + oip::kGrpcStartFunction;
  }
  return Error{ErrorCode::unavailable,
               "gRPC (" + std::string(oip::kGrpcLibrary) + ") could not be loaded. Tried:" + tried};
}

std::string rendered(const std::string& address, int port) {
  return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + std::to_string(port);
}

bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

/// Clients can make the library complain as often as they like, so at most a line each kTroubleInterval is logged.
std::function<void(const std::string&)> make_trouble_log() {
  const auto silent_until = std::make_shared<std::atomic<std::int64_t>>(0);
  return [silent_until](const std::string& message) {
    const std::int64_t now = system_clock().steady().micros;
    std::int64_t until = *silent_until;
    if (now < until || !silent_until->compare_exchange_strong(until, now + kTroubleInterval.count())) return;
    log_warning("grpc", "the gRPC library complains", {{"message", clean_utf8(message, 2000)}});
  };
}

}  // namespace

http::Peer grpc_peer(const std::string& uri, const std::string& own_address, int own_port) {
  http::Peer peer;
  const size_t scheme = uri.find(':'), colon = uri.rfind(':');
  if (scheme == colon || !uri.starts_with("ipv")) return peer;
  peer.address = http::url_decode(std::string_view(uri).substr(scheme + 1, colon - scheme - 1));
  if (peer.address.starts_with('[') && peer.address.ends_with(']'))
    peer.address = peer.address.substr(1, peer.address.size() - 2);
  const auto port = parse_i64(std::string_view(uri).substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return peer;
  peer.port = static_cast<int>(*port);
  peer.loopback = is_loopback(peer.address);
  if (peer.loopback && is_loopback(own_address))
    peer.uid = http::owner_of_socket(peer.address, static_cast<std::uint16_t>(peer.port), own_address,
                                     static_cast<std::uint16_t>(own_port));
  return peer;
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const GrpcOptions& options, http::Router::Gate gate,
                                                      serving::Serving& serving, ThreadPool& pool, Counters& counters) {
  const Library library = TRY(load_library());
  std::unique_ptr<GrpcServer> server(new GrpcServer());
  // A client may call before we know which port we were given.
  const auto own_port = std::make_shared<std::atomic<int>>(options.port);
  server->service_ = std::make_unique<oip::GrpcService>(
      std::move(gate),
      [own_port, own_address = options.address](const oip::GrpcHead& head) {
        return grpc_peer(head.peer, own_address, *own_port);
      },
      serving, pool, counters);

  oip::GrpcTransportOptions transport;
  transport.address = options.address;
  transport.port = options.port;
  transport.tls_certificate = options.tls_certificate;
  transport.tls_key = options.tls_key;
  transport.message_bytes_max = inference::kRequestBytesMax;
  transport.buffered_bytes_max = kBufferedBytesMax;
  transport.calls_per_connection_max = kCallsPerConnectionMax;
  transport.on_call = [service = server->service_.get()](std::shared_ptr<oip::GrpcCall> call) { service->take(call); };
  transport.on_trouble = make_trouble_log();
  std::string problem;
  server->transport_.reset(library.start(transport, problem));
  if (!server->transport_)
    return Error{ErrorCode::failed_precondition, "cannot answer gRPC on " + rendered(options.address, options.port) +
                                                     ": " + problem + "; choose another with --grpc"};
  *own_port = server->transport_->port();
  return server;
}

}  // namespace slipway::api
