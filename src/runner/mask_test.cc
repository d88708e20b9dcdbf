#include "runner/mask.h"

#include <gtest/gtest.h>

namespace slipway::runner {
namespace {

TEST(Mask, secrets_in_a_diff_are_masked_and_the_diff_stays_a_diff) {
  const std::string key = "AKIA" + std::string(16, 'Q');
  const std::string masked = mask_secrets(
      "diff --git a/x b/x\n"
      "+API_KEY = \"abc123def\"\n"
      "+  password: hunter2\n"
      "-url = 'https://me:s3cret@host/x'\n"
      "+aws = " +
      key +
      "\n"
      "+headers = {\"Authorization\": \"Bearer abcdef\"}\n"
      "+-----BEGIN RSA PRIVATE KEY-----\n"
      "+MIIEabc\n"
      "+-----END RSA PRIVATE KEY-----\n"
      " lr = 0.1\n");
  EXPECT_EQ(masked,
            "diff --git a/x b/x\n"
            "+API_KEY = \"***\"\n"
            "+  password: ***\n"
            "-url = 'https://***@host/x'\n"
            "+aws = ***\n"
            "+headers = {\"Authorization\": \"Bearer ***\"}\n"
            "+-----BEGIN RSA PRIVATE KEY-----\n"
            "+***\n"
            "+-----END RSA PRIVATE KEY-----\n"
            " lr = 0.1\n");
}

TEST(Mask, ordinary_code_stays_as_it_is) {
  for (const char* line :
       {"tokenizer = load('x')", "max_tokens: 512", "password = os.environ[\"PW\"]", "token = get_token()",
        "password = None", "if secret == other:", "git@github.com:a/b.git", "secret: ${{ secrets.X }}",
        "the secret of success", "", "https://host/path?x=1", "ssh://git@host/x"}) {
    EXPECT_EQ(mask_secrets(line), line);
  }
}

TEST(Mask, a_text_of_any_bytes_is_taken) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 7);
  EXPECT_FALSE(mask_secrets(bytes).empty());
  EXPECT_EQ(mask_secrets(std::string(1 << 20, '=')).size(), size_t{1} << 20);
}

TEST(Mask, remotes_lose_their_credentials) {
  EXPECT_EQ(strip_credentials("https://user:tok@host/x.git"), "https://host/x.git");
  EXPECT_EQ(strip_credentials("https://tok@host/x.git"), "https://host/x.git");
  EXPECT_EQ(strip_credentials("git@host:x.git"), "git@host:x.git");
  EXPECT_EQ(strip_credentials("/srv/x@y.git"), "/srv/x@y.git");
}

TEST(Mask, names_that_hold_secrets) {
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "db_password", "api-key", "HF_TOKEN", "token"})
    EXPECT_TRUE(is_secret_name(name)) << name;
  for (const char* name : {"tokenizer", "max_tokens", "keyboard", "lr"}) EXPECT_FALSE(is_secret_name(name)) << name;
  for (const char* name : {".env", "a/.env.local", "x.pem", "keys/id_rsa"}) EXPECT_TRUE(is_secret_file(name)) << name;
  for (const char* name : {".env.example", "train.py", "monkey"}) EXPECT_FALSE(is_secret_file(name)) << name;
}

}  // namespace
}  // namespace slipway::runner
