#include "domain/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway {
namespace {

constexpr std::string_view kSource = "call_source";
constexpr std::string_view kThirdParty = "third_party_scorer_data";
constexpr std::string_view kGatewayScheme = "gateway:/";
// What a client's library for language models takes as the place to send requests to.
constexpr std::array<std::string_view, 5> kDestinations{"api_base", "base_url", "model_list", "fallbacks",
                                                        "custom_llm_provider"};

bool is_destination(std::string_view key) {
  return std::find(kDestinations.begin(), kDestinations.end(), key) != kDestinations.end();
}

/// The first option anywhere in `options` that chooses a host; a list of two, the first a text, counts as an option.
std::optional<std::string> find_destination(const Json& options) {
  for (const auto& [key, value] : options.object()) {
    if (is_destination(key)) return key;
    if (auto found = find_destination(value)) return found;
  }
  for (const Json& item : options.array()) {
    if (item.array().size() == 2 && is_destination(item.array()[0].string())) return item.array()[0].string();
    if (auto found = find_destination(item)) return found;
  }
  return std::nullopt;
}

Result<void> check_third_party(const Json& data) {
  const Json& options = data["kwargs"];
  if (!options.is_null() && !options.is_object()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("{}.kwargs must be a JSON object, got {}.", kThirdParty, options.type_name())};
  }
  if (const auto found = find_destination(options)) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("{}.kwargs must not contain '{}': it chooses where the scorer sends its requests, and "
                    "everybody who loads the scorer would follow; set it in the environment of whoever runs it",
                    kThirdParty, *found)};
  }
  return {};
}

Result<void> check_model(const Json& model) {
  if (!model.string().starts_with(kGatewayScheme)) return {};
  return Error{
      ErrorCode::not_found,
      fmt::format("GatewayEndpoint not found (name='{}'): this server has no gateway; name the judge's model by "
                  "its provider, for example openai:/gpt-4o",
                  clean_utf8(model.string().substr(kGatewayScheme.size()), 100))};
}

Result<void> check_part(const Json& part) {
  for (const auto& [key, value] : part.object()) {
    if (key == kSource && !value.is_null()) {
      return Error{ErrorCode::invalid_argument,
                   "Custom scorer registration (a function under @scorer) is not offered: whoever loads such a scorer "
                   "runs the code that somebody else stored. Keep the function in your repository and import it, or "
                   "register a built-in scorer or one of make_judge()."};
    }
    if (key == kThirdParty) TRY(check_third_party(value));
    if (key == "model") TRY(check_model(value));
    TRY(check_part(value));
  }
  for (const Json& item : part.array()) TRY(check_part(item));
  return {};
}

}  // namespace

Result<void> check_scorer_name(std::string_view name) {
  if (trim(name).empty())
    return Error{ErrorCode::invalid_argument, "Scorer name cannot be empty or contain only whitespace."};
  const auto characters = std::count_if(name.begin(), name.end(), [](char c) { return (c & 0xc0) != 0x80; });
  if (static_cast<size_t>(characters) <= kScorerNameMax) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("the scorer's name has {} characters; at most {} are taken", characters, kScorerNameMax)};
}

Result<void> check_scorer_body(std::string_view body) {
  if (body.size() > kScorerBodyBytesMax) {
    return Error{ErrorCode::too_large, fmt::format("serialized_scorer has {}; at most {} are taken",
                                                   render_bytes(body.size()), render_bytes(kScorerBodyBytesMax))};
  }
  const auto json = Json::parse(body);
  if (!json.ok())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("serialized_scorer must be valid JSON: {}", json.error().message)};
  if (!json->is_object())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("serialized_scorer must be a JSON object, got {}", json->type_name())};
  return check_part(*json);
}

}  // namespace slipway
