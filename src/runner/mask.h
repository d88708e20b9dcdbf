// Secrets that slipped into text that is shown to others: diffs, recorded environments, remotes.
#pragma once

#include <string>
#include <string_view>

namespace slipway::runner {

/// Would a variable or key of this name hold a secret? ("AWS_SECRET_ACCESS_KEY", "db_password", "api-key", "HF_TOKEN")
bool is_secret_name(std::string_view name);

/// The text with every likely secret replaced by ***: values assigned to secret names, credentials inside URLs, tokens
/// with well-known prefixes, the body of PEM private keys. Lines stay lines, so a diff stays a diff. Linear in the
/// text.
std::string mask_secrets(std::string_view text);

/// "https://user:token@host/x.git" -> "https://host/x.git"; other remotes as they are.
std::string strip_credentials(std::string_view url);

/// Files that hold secrets by convention (.env, id_rsa, *.pem, .netrc, credentials.json): never taken up untracked.
bool is_secret_file(std::string_view path);

}  // namespace slipway::runner
