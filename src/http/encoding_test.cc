#include "http/encoding.h"

#include <gtest/gtest.h>

namespace slipway::http {
namespace {

std::string text_of(size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "step " + std::to_string(text.size()) + " loss 0.25\n";
  text.resize(bytes);
  return text;
}

TEST(Encoding, what_is_encoded_decodes_to_the_same_bytes) {
  for (size_t bytes : {0u, 1u, 1000u, 1'000'000u}) {
    for (Encoding encoding : {Encoding::identity, Encoding::gzip, Encoding::zstd}) {
      const std::string text = text_of(bytes), packed = encode_body(encoding, text);
      EXPECT_EQ(decode_body(name(encoding), packed, 2'000'000).value(), text) << name(encoding) << ' ' << bytes;
    }
  }
}

TEST(Encoding, the_limit_is_on_the_decompressed_size) {
  for (Encoding encoding : {Encoding::gzip, Encoding::zstd}) {
    const std::string bomb = encode_body(encoding, std::string(10 << 20, '0'));
    ASSERT_LT(bomb.size(), 100'000u);
    const auto decoded = decode_body(name(encoding), bomb, 1 << 20);
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::too_large);
  }
}

TEST(Encoding, cut_or_broken_bytes_are_an_error) {
  for (Encoding encoding : {Encoding::gzip, Encoding::zstd}) {
    const std::string packed = encode_body(encoding, text_of(5000));
    for (const std::string& broken :
         {packed.substr(0, packed.size() / 2), packed.substr(0, 3), std::string(), std::string("no such thing")}) {
      const auto decoded = decode_body(name(encoding), broken, 1 << 20);
      ASSERT_FALSE(decoded.ok());
      EXPECT_EQ(decoded.error().code, ErrorCode::invalid_argument);
    }
  }
}

TEST(Encoding, an_unknown_one_is_unsupported) {
  EXPECT_EQ(decode_body("br", "x", 10).error().code, ErrorCode::unsupported);
}

TEST(Encoding, the_client_chooses) {
  EXPECT_EQ(choose_encoding(""), Encoding::identity);
  EXPECT_EQ(choose_encoding("gzip, deflate, br"), Encoding::gzip);
  EXPECT_EQ(choose_encoding("gzip, deflate, br, zstd"), Encoding::zstd);
  EXPECT_EQ(choose_encoding("GZIP;q=1.0"), Encoding::gzip);
  EXPECT_EQ(choose_encoding("gzip;q=0, zstd;q=0"), Encoding::identity);
  EXPECT_EQ(choose_encoding("identity"), Encoding::identity);
}

}  // namespace
}  // namespace slipway::http
