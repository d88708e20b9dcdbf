// Reads the members of a value that has passed its shape (grammar.h): they have the right types, and what is absent
// keeps its default.
#pragma once

#include "base/json.h"
#include "domain/project_file.h"

namespace slipway {

inline void read(const Json& json, std::string_view key, std::string& into) {
  if (const Json* value = json.find(key)) into = value->string();
}
inline void read(const Json& json, std::string_view key, bool& into) {
  if (const Json* value = json.find(key)) into = *value->boolean();
}
inline void read(const Json& json, std::string_view key, std::int64_t& into) {
  if (const Json* value = json.find(key)) into = *value->integer();
}
inline void read(const Json& json, std::string_view key, std::uint64_t& into) {
  if (const Json* value = json.find(key)) into = static_cast<std::uint64_t>(*value->integer());
}
inline void read(const Json& json, std::string_view key, double& into) {
  if (const Json* value = json.find(key)) into = *value->number();
}
inline void read(const Json& json, std::string_view key, std::optional<double>& into) {
  if (const Json* value = json.find(key)) into = *value->number();
}
inline void read(const Json& json, std::string_view key, std::optional<std::int64_t>& into) {
  if (const Json* value = json.find(key)) into = *value->integer();
}
inline void read(const Json& json, std::string_view key, Duration& into) {
  if (const Json* value = json.find(key)) into = Duration(*value->integer());
}
inline void read(const Json& json, std::string_view key, std::optional<Duration>& into) {
  if (const Json* value = json.find(key)) into = Duration(*value->integer());
}
inline void read(const Json& json, std::string_view key, std::vector<std::string>& into) {
  for (const Json& item : json[key].array()) into.push_back(item.string());
}
inline void read(const Json& json, std::string_view key, Named<std::string>& into) {
  for (const auto& [name, value] : json[key].object()) into.emplace_back(name, value.string());
}

}  // namespace slipway
