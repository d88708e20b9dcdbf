// Where files of runs and logged models lie behind Slipway's artifact proxy. Private to the room.
#pragma once

#include "base/text.h"
#include "http/http.h"
#include "imports/source.h"

namespace slipway::imports {

/// Every part of a path by itself, so that its slashes stay.
inline std::string encode_path(const std::string& path) {
  std::vector<std::string> parts;
  for (const std::string& part : split(path, '/')) parts.push_back(http::url_encode(part));
  return join(parts, "/");
}

/// The folder of the owner's files. The first part is not looked at.
inline std::string proxy_folder(const Owner& owner) {
  return owner.kind == OwnerKind::run ? "imports/" + owner.id + "/artifacts"
                                      : "imports/models/" + owner.id + "/artifacts";
}

}  // namespace slipway::imports
