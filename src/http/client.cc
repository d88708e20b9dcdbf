#define CPPHTTPLIB_OPENSSL_SUPPORT
#include <httplib.h>

#include "base/text.h"
#include "http/http.h"

namespace slipway::http {

struct Client::Impl {
  std::unique_ptr<httplib::Client> client;
  ClientOptions options;
  std::string url;
};

namespace {

httplib::Headers convert(const Headers& headers, const ClientOptions& options) {
  httplib::Headers out;
  for (const auto& [key, value] : headers.all()) out.emplace(key, value);
  if (!options.bearer_token.empty()) out.emplace("Authorization", "Bearer " + options.bearer_token);
  return out;
}

ClientResponse convert(const httplib::Response& response) {
  ClientResponse out;
  out.status = response.status;
  for (const auto& [key, value] : response.headers) out.headers.add(key, value);
  out.body = response.body;
  return out;
}

Error convert(httplib::Error problem, const std::string& url) {
  const std::string what = httplib::to_string(problem);
  const bool slow = problem == httplib::Error::Read || problem == httplib::Error::ConnectionTimeout;
  const bool cancelled = problem == httplib::Error::Canceled;
  return {cancelled ? ErrorCode::cancelled : slow && problem == httplib::Error::ConnectionTimeout ? ErrorCode::timed_out : ErrorCode::unavailable,
          "no answer from " + url + " (" + what + ")"};
}

}  // namespace

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::open(std::string_view url, ClientOptions options) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Error{ErrorCode::invalid_argument, "'" + clean_utf8(url, 200) + "' is not a server's URL; expected for example http://127.0.0.1:7070"};
  }
  auto impl = std::make_unique<Impl>();
  impl->url = url;
  impl->options = std::move(options);
  impl->client = std::make_unique<httplib::Client>(impl->url);
  if (!impl->client->is_valid()) return Error{ErrorCode::invalid_argument, "'" + clean_utf8(url, 200) + "' is not a server's URL"};
  impl->client->set_keep_alive(true);
  impl->client->set_tcp_nodelay(true);
  impl->client->set_connection_timeout(impl->options.connect_timeout);
  impl->client->set_read_timeout(impl->options.read_timeout);
  impl->client->set_write_timeout(impl->options.read_timeout);
  impl->client->set_url_encode(false);
  if (!impl->options.ca_file.empty()) impl->client->set_ca_cert_path(impl->options.ca_file);
  return Client(std::move(impl));
}

Result<ClientResponse> Client::request(Method method, std::string_view target, std::string body, std::string_view content_type, const Headers& headers) {
  httplib::Request request;
  request.method = name(method);
  request.path = target;
  request.headers = convert(headers, impl_->options);
  request.body = std::move(body);
  const bool may_have_body = method != Method::get && method != Method::head;
  if (may_have_body && !request.has_header("Content-Type")) request.headers.emplace("Content-Type", std::string(content_type));
  auto result = impl_->client->send(request);
  if (!result) return convert(result.error(), impl_->url);
  return convert(*result);
}

Result<ClientResponse> Client::upload(Method method, std::string_view target, std::optional<std::uint64_t> length,
                                      const std::function<Result<std::string>()>& produce, const Headers& headers) {
  std::optional<Error> problem;
  std::string piece;
  // httplib asks for any offset and length; pieces are handed out in order whatever their size.
  const auto next = [&](httplib::DataSink& sink) {
    auto produced = produce();
    if (!produced.ok()) {
      problem = std::move(produced).error();
      return false;
    }
    piece = std::move(*produced);
    if (piece.empty()) {
      sink.done();
      return true;
    }
    return sink.write(piece.data(), piece.size());
  };
  const httplib::Headers fields = convert(headers, impl_->options);
  const std::string path(target), type = "application/octet-stream";
  httplib::Result result(nullptr, httplib::Error::Unknown);
  const bool post = method == Method::post;
  if (length) {
    const auto provide = [&](size_t, size_t, httplib::DataSink& sink) { return next(sink); };
    result = post ? impl_->client->Post(path, fields, *length, provide, type) : impl_->client->Put(path, fields, *length, provide, type);
  } else {
    const auto provide = [&](size_t, httplib::DataSink& sink) { return next(sink); };
    result = post ? impl_->client->Post(path, fields, provide, type) : impl_->client->Put(path, fields, provide, type);
  }
  if (problem) return *problem;
  if (!result) return convert(result.error(), impl_->url);
  return convert(*result);
}

Result<ClientResponse> Client::download(std::string_view target, const std::function<bool(std::string_view)>& consume, const Headers& headers) {
  ClientResponse head;
  const auto on_head = [&](const httplib::Response& response) {
    head = convert(response);
    return true;
  };
  const auto on_bytes = [&](const char* data, size_t size) {
    if (head.status < 400) return consume({data, size});
    head.body.append(data, size);
    return true;
  };
  const auto result = impl_->client->Get(std::string(target), convert(headers, impl_->options), on_head, on_bytes);
  if (!result) return convert(result.error(), impl_->url);
  return head;
}

}  // namespace slipway::http
