#include "domain/prediction.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(AnswerIds, name_their_revision_and_never_repeat) {
  FakeClock clock;
  const RevisionId revision = new_id<RevisionId>(clock);
  const AnswerId first = new_answer_id(revision, clock), second = new_answer_id(revision, clock);
  EXPECT_LT(first, second);
  EXPECT_EQ(revision_of(first).value(), revision);
  EXPECT_TRUE(looks_like_id(first.text));
}

TEST(AnswerIds, other_text_is_refused_with_a_sentence) {
  for (const char* text :
       {"", "-", "abc", "01HF7YAT00ZZZZZZZZZZZZZZZZ-", "01HF7YAT00ZZZZZZZZZZZZZZZZ-../../../../../etc"}) {
    const auto revision = revision_of(AnswerId(text));
    ASSERT_FALSE(revision.ok()) << text;
    EXPECT_EQ(revision.error().code, ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace slipway
