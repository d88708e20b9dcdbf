// libslipway-grpc.so: the gRPC library behind grpc_transport.h. Every method is a stream of bytes here ("generic" to
// gRPC), so that a call can be refused by its head before a byte of its message is kept.
#include "api/inference/grpc_transport.h"

#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace slipway::api::oip {
namespace {

constexpr unsigned kCertificateSeconds = 10;  // how often its files are looked at
constexpr int kHandshakeMs = 20'000;
constexpr int kConnectionIdleMs = 120'000;  // without a call, as over HTTP
constexpr int kPingMs = 60'000;  // a peer that does not answer one for kPingAnswerMs is gone, its calls with it
constexpr int kPingAnswerMs = 20'000;

std::string text_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  text.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

/// Takes the text along instead of copying it.
grpc::ByteBuffer buffer_of(std::string text) {
  auto* const kept = new std::string(std::move(text));
  const grpc::Slice slice(
      kept->data(), kept->size(), [](void* owner) { delete static_cast<std::string*>(owner); }, kept);
  return grpc::ByteBuffer(&slice, 1);
}

class Call;

/// The calls in flight, for the drain.
struct Calls {
  std::atomic<bool> draining = false;
  std::mutex mutex;  // guards `all`
  std::map<const Call*, std::weak_ptr<Call>> all;
};

/// What a handler holds of a call. gRPC's own part, the reactor, ends when gRPC says so, this when nobody holds it.
class Call final : public GrpcCall, public std::enable_shared_from_this<Call> {
 public:
  Call(const grpc::GenericCallbackServerContext& context, std::shared_ptr<Calls> calls) : calls_(std::move(calls)) {
    head_.method = context.method();
    head_.peer = context.peer();
    const grpc::string_ref authority = context.ExperimentalGetAuthority();
    head_.authority.assign(authority.data(), authority.size());
    head_.authorization = metadata(context, "authorization");
    head_.project = metadata(context, "x-slipway-project");
  }

  grpc::ServerGenericBidiReactor* start() {
    reactor_ = new Reactor(shared_from_this());
    const std::lock_guard lock(calls_->mutex);
    calls_->all.emplace(this, weak_from_this());
    return reactor_;
  }

  const GrpcHead& head() const override { return head_; }

  void read(std::function<void(std::optional<std::string>)> done) override {
    {
      const std::lock_guard lock(mutex_);
      if (reactor_ && messages_read_ > 0 && calls_->draining) end_in_drain();
      if (reactor_) {
        on_read_ = std::move(done);
        incoming_.Clear();
        return reactor_->StartRead(&incoming_);
      }
    }
    done(std::nullopt);
  }

  void write(std::string message, std::function<void(bool)> done) override {
    {
      const std::lock_guard lock(mutex_);
      if (reactor_) {
        on_written_ = std::move(done);
        outgoing_ = buffer_of(std::move(message));
        return reactor_->StartWrite(&outgoing_);
      }
    }
    done(false);
  }

  void answer(std::string message) override {
    const auto alive = shared_from_this();
    const std::lock_guard lock(mutex_);
    if (!reactor_) return;
    outgoing_ = buffer_of(std::move(message));
    std::exchange(reactor_, nullptr)->StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void finish(GrpcCode code, std::string message) override {
    const auto alive = shared_from_this();
    const std::lock_guard lock(mutex_);
    if (!reactor_) return;
    std::exchange(reactor_, nullptr)->Finish(grpc::Status(static_cast<grpc::StatusCode>(code), message));
  }

  /// A stream between two requests would wait for its client until the end of the drain.
  void drain() {
    const auto alive = shared_from_this();
    const std::lock_guard lock(mutex_);
    if (reactor_ && on_read_ && messages_read_ > 0) end_in_drain();
  }

 private:
  /// Lives from the call's head to gRPC's OnDone; `call_->reactor_` points to it until the call is finished.
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(std::shared_ptr<Call> call) : call_(std::move(call)) {}
    void OnReadDone(bool ok) override { call_->has_read(ok); }
    void OnWriteDone(bool ok) override { call_->has_written(ok); }
    void OnCancel() override { call_->finish(GrpcCode::cancelled, "the client went away, or waited long enough"); }
    void OnDone() override {
      call_->forget();
      delete this;
    }

   private:
    const std::shared_ptr<Call> call_;
  };

  static std::string metadata(const grpc::GenericCallbackServerContext& context, const char* name) {
    const auto found = context.client_metadata().find(name);
    if (found == context.client_metadata().end()) return "";
    return std::string(found->second.data(), found->second.size());
  }

  /// With the lock held.
  void end_in_drain() {
    std::exchange(reactor_, nullptr)
        ->Finish({grpc::StatusCode::UNAVAILABLE, "the server is ending; ask again in a moment"});
  }

  void forget() {
    const std::lock_guard lock(calls_->mutex);
    calls_->all.erase(this);
  }

  void has_read(bool ok) {
    std::function<void(std::optional<std::string>)> done;
    std::optional<std::string> message;
    {
      const std::lock_guard lock(mutex_);
      done = std::move(on_read_);
      on_read_ = nullptr;
      if (ok) message = text_of(incoming_);
      if (ok) ++messages_read_;
      incoming_.Clear();
    }
    if (done) done(std::move(message));
  }

  void has_written(bool ok) {
    std::function<void(bool)> done;
    {
      const std::lock_guard lock(mutex_);
      done = std::move(on_written_);
      on_written_ = nullptr;
    }
    if (done) done(ok);
  }

  GrpcHead head_;  // constant after construction
  const std::shared_ptr<Calls> calls_;

  std::mutex mutex_;            // guards what follows
  Reactor* reactor_ = nullptr;  // null once finished
  size_t messages_read_ = 0;
  grpc::ByteBuffer incoming_, outgoing_;
  std::function<void(std::optional<std::string>)> on_read_;
  std::function<void(bool)> on_written_;
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(std::function<void(std::shared_ptr<GrpcCall>)> on_call) : on_call_(std::move(on_call)) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    const auto call = std::make_shared<Call>(*context, calls_);
    grpc::ServerGenericBidiReactor* const reactor = call->start();
    on_call_(call);
    return reactor;
  }

  void drain() {
    calls_->draining = true;
    std::vector<std::shared_ptr<Call>> open;
    {
      const std::lock_guard lock(calls_->mutex);
      for (const auto& [key, call] : calls_->all) open.push_back(call.lock());
    }
    for (const auto& call : open) {
      if (call) call->drain();
    }
  }

 private:
  const std::function<void(std::shared_ptr<GrpcCall>)> on_call_;
  const std::shared_ptr<Calls> calls_ = std::make_shared<Calls>();
};

std::shared_ptr<grpc::ServerCredentials> credentials(const GrpcTransportOptions& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  const auto files = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      options.tls_key, options.tls_certificate, kCertificateSeconds);
  grpc::experimental::TlsServerCredentialsOptions tls(files);
  tls.watch_identity_key_cert_pairs();
  tls.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return grpc::experimental::TlsServerCredentials(tls);
}

class Transport final : public GrpcTransport {
 public:
  explicit Transport(const GrpcTransportOptions& options) : service_(options.on_call) {
    const bool ipv6 = options.address.find(':') != std::string::npos;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(
        (ipv6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(options.port),
        credentials(options), &port_);
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
    builder.SetMaxSendMessageSize(-1);
    // A compressed message is unpacked before anybody can look at its size, so none is taken.
    builder.AddChannelArgument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
    // A port that another server has is an error, as it is for HTTP.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kConnectionIdleMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingAnswerMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.calls_per_connection_max);
    builder.SetResourceQuota(grpc::ResourceQuota("slipway").Resize(options.buffered_bytes_max));
    server_ = builder.BuildAndStart();
  }
  ~Transport() override { stop(std::chrono::microseconds(0)); }

  bool listens() const { return server_ && port_ > 0; }
  int port() const override { return port_; }

  void stop(std::chrono::microseconds grace) override {
    if (!server_) return;
    service_.drain();
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
    server_.reset();
  }

 private:
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

std::function<void(const std::string&)>& trouble() {
  static std::function<void(const std::string&)> told;
  return told;
}

void pass_on(gpr_log_func_args* line) {
  if (line->severity == GPR_LOG_SEVERITY_ERROR && trouble()) trouble()(line->message);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) GrpcTransport* slipway_start_grpc(const GrpcTransportOptions& options,
                                                                                    std::string& problem) {
  trouble() = options.on_trouble;
  gpr_set_log_function(pass_on);
  auto transport = std::make_unique<Transport>(options);
  if (transport->listens()) return transport.release();
  problem = "the address is in use, or not one of this machine";
  return nullptr;
}

}  // namespace slipway::api::oip
