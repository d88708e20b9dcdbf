#include "base/hash.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "base/text.h"

namespace slipway {
namespace {

std::string hex(const std::string& bytes) {
  return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

TEST(Hash, blake3_matches_its_published_vectors) {
  EXPECT_EQ(render(hash_of("")), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  // The vectors' input of n bytes is 0, 1, … 250, 0, 1, …
  std::string input;
  for (int i = 0; i < 1024; ++i) input += static_cast<char>(i % 251);
  EXPECT_EQ(render(hash_of(input)), "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7");
}

TEST(Hash, pieces_hash_like_the_whole) {
  const std::string whole(100'000, 'x');
  Hasher hasher;
  for (size_t at = 0; at < whole.size(); at += 777) hasher.update(std::string_view(whole).substr(at, 777));
  EXPECT_EQ(hasher.finish(), hash_of(whole));
  hasher.update("more");
  EXPECT_EQ(hasher.finish(), hash_of(whole + "more"));
}

TEST(Hash, parse_and_render_are_inverse) {
  const Hash hash = hash_of("x");
  EXPECT_EQ(parse_hash(render(hash)).value(), hash);
  for (const std::string& wrong :
       {std::string(), std::string("abc"), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g')}) {
    ASSERT_FALSE(parse_hash(wrong).ok());
    EXPECT_EQ(parse_hash(wrong).error().code, ErrorCode::invalid_argument);
  }
}

TEST(Hash, can_be_a_key) {
  const std::unordered_set<Hash> set = {hash_of("a"), hash_of("b"), hash_of("a")};
  EXPECT_EQ(set.size(), 2u);
}

TEST(Hash, what_protocols_ask_for_matches_their_vectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(hmac_sha256("key", "The quick brown fox jumps over the lazy dog")),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
  EXPECT_EQ(hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace slipway
