// meta.yaml: how MLflow's folder describes each thing, as "key: value" lines. Private to the room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "imports/source.h"

namespace slipway::imports {

/// The text in double quotes as YAML 1.1 reads it, with everything escaped that PyYAML refuses to see as it is (DEL,
/// C1 controls, U+FFFE, U+FFFF). Bytes that are no UTF-8 become U+FFFD.
std::string yaml_quoted(std::string_view text);

class MetaFile {
 public:
  MetaFile& text(std::string_view key, std::string_view value);
  /// null when it is empty.
  MetaFile& text_or_null(std::string_view key, std::string_view value);
  MetaFile& integer(std::string_view key, std::int64_t value);
  MetaFile& null(std::string_view key);
  MetaFile& texts(std::string_view key, const Pairs& values);
  const std::string& content() const { return content_; }

 private:
  MetaFile& line(std::string_view key, std::string_view value);

  std::string content_;
};

}  // namespace slipway::imports
