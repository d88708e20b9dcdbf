#include "base/seal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"

namespace slipway {
namespace {

TEST(Seal, what_is_sealed_opens_again) {
  const SealKey key = SealKey::from_text("k");
  for (const std::string& secret :
       {std::string(), std::string("whsec_x"), std::string(10'000, 's'), std::string("a\0b", 3)})
    EXPECT_EQ(key.open(key.seal(secret)).value(), secret);
}

TEST(Seal, the_same_secret_looks_different_each_time_and_never_like_itself) {
  const SealKey key = SealKey::from_text("k");
  EXPECT_NE(key.seal("topsecret"), key.seal("topsecret"));
  EXPECT_EQ(key.seal("topsecret").find("topsecret"), std::string::npos);
}

TEST(Seal, another_key_or_a_changed_letter_opens_nothing) {
  const SealKey key = SealKey::from_text("k");
  const std::string sealed = key.seal("topsecret42");  // a length whose base64 has no idle bits
  EXPECT_EQ(SealKey::from_text("other").open(sealed).error().code, ErrorCode::data_loss);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(key.open(changed).ok()) << i;
  }
  for (const char* none : {"", "s1.", "s1.AAAA", "topsecret", "s2.AAAA"}) EXPECT_FALSE(key.open(none).ok()) << none;
}

TEST(Seal, a_derived_secret_depends_on_key_and_purpose) {
  const SealKey key = SealKey::from_text("k");
  EXPECT_EQ(key.derive("urls"), key.derive("urls"));
  EXPECT_NE(key.derive("urls"), key.derive("other"));
  EXPECT_NE(key.derive("urls"), SealKey::from_text("l").derive("urls"));
}

TEST(Seal, a_key_file_is_made_once_and_is_the_owners_alone) {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "secret.key";
  const std::string sealed = SealKey::load_or_make(file).value().seal("x");
  EXPECT_EQ(SealKey::load_or_make(file).value().open(sealed).value(), "x");
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_TRUE(write_file_atomic(file, "no key\n").ok());
  EXPECT_EQ(SealKey::load_or_make(file).error().code, ErrorCode::failed_precondition);
}

}  // namespace
}  // namespace slipway
