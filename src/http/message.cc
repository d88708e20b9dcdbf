#include "base/text.h"
#include "http/http.h"

namespace slipway::http {

std::string_view name(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::del: return "DELETE";
    case Method::options: return "OPTIONS";
  }
  return "GET";
}

namespace {

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return value;
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  for (const auto& field : fields_) {
    if (same_name(field.first, name)) return true;
  }
  return false;
}

Headers& Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Headers& Headers::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
  return add(std::move(name), std::move(value));
}

std::string_view Request::parameter(std::string_view wanted) const {
  for (const auto& [key, value] : parameters) {
    if (key == wanted) return value;
  }
  return {};
}

std::optional<std::string_view> Request::query_value(std::string_view wanted) const {
  for (const auto& [key, value] : query) {
    if (key == wanted) return value;
  }
  return std::nullopt;
}

Response Response::json(std::string body, int status) {
  Response response{status, {}, std::move(body), true};
  response.headers.add("Content-Type", "application/json");
  return response;
}

Response Response::text(std::string body, int status) {
  Response response{status, {}, std::move(body), true};
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  return response;
}

Response Response::empty(int status) { return Response{status, {}, "", false}; }

}  // namespace slipway::http
