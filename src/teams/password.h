// Password hashes: Argon2id (RFC 9106) with the second recommended parameter set, 64 MiB and three passes.
#pragma once

#include <string>
#include <string_view>

namespace slipway::teams {

/// The encoded hash with its parameters and a fresh salt.
std::string hash_password(std::string_view password);

/// Takes as long for a wrong password as for a right one.
bool verify_password(const std::string& encoded, std::string_view password);

}  // namespace slipway::teams
