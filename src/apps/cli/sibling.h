// The other programs of Slipway, which are installed together.
#pragma once

#include <string>

namespace slipway::cli {

/// The program of that name beside this one, else its name alone, for PATH to find.
std::string sibling(const std::string& program);

}  // namespace slipway::cli
