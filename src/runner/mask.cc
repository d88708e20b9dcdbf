#include "runner/mask.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace slipway::runner {
namespace {

constexpr std::string_view kMask = "***";

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool is_token_char(char c) { return is_word(c) || c == '+' || c == '/' || c == '='; }

/// Prefixes that issuers chose so that scanners can find their tokens, with the least length of the whole.
struct Known {
  std::string_view prefix;
  size_t length_min;
};
constexpr std::array<Known, 14> kKnown = {{{"AKIA", 20},
                                           {"ASIA", 20},
                                           {"ghp_", 30},
                                           {"gho_", 30},
                                           {"ghs_", 30},
                                           {"github_pat_", 40},
                                           {"glpat-", 20},
                                           {"hf_", 30},
                                           {"sk-", 30},
                                           {"xoxb-", 20},
                                           {"xoxp-", 20},
                                           {"AIza", 35},
                                           {"eyJ", 60},
                                           {"npm_", 30}}};

/// Replaces `user:password@` behind every "://".
std::string mask_urls(std::string_view line) {
  std::string out;
  size_t from = 0;
  for (size_t at = line.find("://"); at != std::string_view::npos; at = line.find("://", from)) {
    const size_t host = at + 3;
    out += line.substr(from, host - from);
    from = host;
    const size_t end = std::min(line.find_first_of("/ \t\"'<>", host), line.size());
    const std::string_view authority = line.substr(host, end - host);
    const size_t sign = authority.rfind('@');
    if (sign == std::string_view::npos || sign == 0) continue;
    // A user name alone is no secret, except where a token is the user name.
    const std::string_view credentials = authority.substr(0, sign);
    if (credentials.find(':') == std::string_view::npos && credentials.size() < 20) continue;
    out += kMask;
    from = host + sign;
  }
  out += line.substr(from);
  return out;
}

std::string mask_known_tokens(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size();) {
    const bool starts = is_token_char(line[i]) && (i == 0 || !is_word(line[i - 1]));
    if (!starts) {
      out += line[i++];
      continue;
    }
    size_t end = i;
    while (end < line.size() && is_word(line[end])) ++end;
    if (end == i) end = i + 1;
    const std::string_view word = line.substr(i, end - i);
    const bool secret = std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& known) {
      return word.starts_with(known.prefix) && word.size() >= known.length_min;
    });
    out += secret ? std::string_view(kMask) : word;
    i = end;
  }
  return out;
}

bool is_harmless_value(std::string_view value) {
  const std::string word = lower(value);
  return word.empty() || word == "none" || word == "null" || word == "true" || word == "false" || word == "nil" ||
         value == kMask || value.front() == '$' || value.front() == '{' || value.front() == '<' || value.ends_with('(');
}

/// `name = value`, `name: value`, `"name": "value"`, `--name value`, `Authorization: Bearer value`.
std::string mask_assignments(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size();) {
    if (!is_word(line[i])) {
      out += line[i++];
      continue;
    }
    size_t end = i;
    while (end < line.size() && is_word(line[end])) ++end;
    const std::string_view word = line.substr(i, end - i);
    out += word;
    i = end;
    const bool flag = word.starts_with("--");
    if (!is_secret_name(word) && lower(word) != "bearer") continue;
    size_t value = i;
    while (value < line.size() && (line[value] == '"' || line[value] == '\'' || line[value] == ']')) ++value;
    while (value < line.size() && line[value] == ' ') ++value;
    const bool assigned = value < line.size() && (line[value] == '=' || line[value] == ':');
    if (assigned && value + 1 < line.size() && line[value + 1] == '=') continue;  // a comparison
    if (!assigned && !flag && lower(word) != "bearer") continue;
    if (assigned) ++value;
    while (value < line.size() && (line[value] == ' ' || line[value] == '"' || line[value] == '\'')) ++value;
    size_t stop = value;
    while (stop < line.size() && line[stop] != '"' && line[stop] != '\'' && line[stop] != ' ' && line[stop] != ',' &&
           line[stop] != ';' && line[stop] != ')' && line[stop] != '\r' && line[stop] != '&') {
      ++stop;
    }
    const std::string_view secret = line.substr(value, stop - value);
    // Calls and attribute chains are code that fetches a secret, not the secret.
    const bool is_code = secret.find('(') != std::string_view::npos || secret.find('[') != std::string_view::npos;
    out += line.substr(i, value - i);
    i = value;
    if (is_harmless_value(secret) || is_code || lower(secret) == "bearer" || lower(secret) == "basic") continue;
    out += kMask;
    i = stop;
  }
  return out;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::string word = lower(name);
  if (word.find("tokenizer") != std::string::npos || word.find("tokens") != std::string::npos) return false;
  for (std::string_view part :
       {"password", "passwd", "passphrase", "secret", "api_key", "apikey", "api-key", "access_key", "accesskey",
        "access-key", "private_key", "private-key", "credential", "authorization"}) {
    if (word.find(part) != std::string::npos) return true;
  }
  return word == "token" || word.ends_with("_token") || word.ends_with("-token") || word.ends_with(".token") ||
         word.starts_with("token_") || word == "pwd" || word.ends_with("_pwd") || word == "--token";
}

std::string mask_secrets(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_private_key = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool begins =
        line.find("-----BEGIN ") != std::string_view::npos && line.find("PRIVATE KEY-----") != std::string_view::npos;
    const bool ends = line.find("-----END ") != std::string_view::npos;
    if (in_private_key && !ends) {
      if (!line.empty() && (line[0] == '+' || line[0] == '-' || line[0] == ' ')) out += line[0];
      out += kMask;
    } else {
      out += mask_assignments(mask_known_tokens(mask_urls(line)));
    }
    if (begins) in_private_key = true;
    if (ends) in_private_key = false;
    if (end == text.size()) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string strip_credentials(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);  // git@host:path names a user, no secret
  const size_t host = scheme + 3;
  const size_t end = std::min(url.find('/', host), url.size());
  const size_t sign = url.substr(host, end - host).rfind('@');
  if (sign == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, host)) + std::string(url.substr(host + sign + 1));
}

bool is_secret_file(std::string_view path) {
  const std::string file = lower(path.substr(path.rfind('/') + 1));
  for (std::string_view name :
       {".env", ".netrc", ".pgpass", "id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", "credentials.json", ".pypirc",
        ".npmrc", ".htpasswd", "secrets.yaml", "secrets.yml", "secrets.json", "secrets.toml"}) {
    if (file == name) return true;
  }
  if (file.starts_with(".env."))
    return !file.ends_with(".example") && !file.ends_with(".sample") && !file.ends_with(".template");
  return file.ends_with(".pem") || file.ends_with(".p12") || file.ends_with(".pfx") || file.ends_with(".key") ||
         file.ends_with(".keystore");
}

}  // namespace slipway::runner
