// Event files as TensorBoard's own writer made them, and as a crash or a bad disk leaves them.
#include "imports/event_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/text.h"
#include "imports/csv.h"
#include "imports/series.h"

namespace slipway::imports {
namespace {

/// Written by TensorBoard 2.21: the version, loss = 0.5 and acc = NaN at step 1; a float, a double and an integer as
/// tensors at step 2; a text and a picture at step 3.
constexpr const char* kFile =
    "1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d2600000000000000734f"
    "e3000900006040fc54d94110012a190a0b0a046c6f7373150000003f0a0a0a03616363150000c07f9d20a6db7c0000000000"
    "0000c9e3c7c80900009040fc54d94110022a6f0a200a07742f666c6f6174420808012a040000a03f4a0b0a090a077363616c"
    "6172730a250a08742f646f75626c65420c0802220800000000000004404a0b0a090a077363616c6172730a240a05742f696e"
    "74420e0809520af9ffffffffffffffff014a0b0a090a077363616c6172739d01c0df3f0000000000000051657661090000c0"
    "40fc54d94110032a320a1e0a046e6f7465420c0807120412020801420268694a080a060a04746578740a100a03696d672209"
    "080110011801220178dd5e27bc";

std::string file_bytes() {
  const auto bytes = from_hex(kFile).value();
  return {bytes.begin(), bytes.end()};
}

std::vector<Event> events_of(std::string_view bytes, size_t& used) {
  std::vector<Event> events;
  used = 0;
  while (true) {
    const auto record = next_event_record(bytes.substr(used));
    if (!record.ok() || !*record) return events;
    events.push_back(read_event((*record)->data).value());
    used += (*record)->used;
  }
}

TEST(EventFile, scalars_of_both_kinds_are_read) {
  size_t used = 0;
  const std::string bytes = file_bytes();
  const auto events = events_of(bytes, used);
  EXPECT_EQ(used, bytes.size());
  ASSERT_EQ(events.size(), 4u);
  EXPECT_TRUE(events[0].scalars.empty());
  ASSERT_EQ(events[1].scalars.size(), 2u);
  EXPECT_EQ(events[1].scalars[0].key, "loss");
  EXPECT_EQ(events[1].scalars[0].value, 0.5);
  EXPECT_EQ(events[1].scalars[0].step, 1);
  EXPECT_EQ(events[1].scalars[0].at_ms, 1'700'000'001'500);
  EXPECT_TRUE(std::isnan(events[1].scalars[1].value));
  ASSERT_EQ(events[2].scalars.size(), 3u);
  EXPECT_EQ(events[2].scalars[0].value, 1.25);
  EXPECT_EQ(events[2].scalars[1].value, 2.5);
  EXPECT_EQ(events[2].scalars[2].value, -7);
  EXPECT_TRUE(events[3].scalars.empty());
  EXPECT_EQ(events[3].others, 2u);
}

TEST(EventFile, a_file_that_is_cut_off_ends_before_the_cut) {
  const std::string bytes = file_bytes();
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    size_t used = 0;
    const auto events = events_of(std::string_view(bytes).substr(0, cut), used);
    EXPECT_LT(events.size(), 4u) << cut;
    EXPECT_TRUE(next_event_record(std::string_view(bytes).substr(used, cut - used)).ok()) << cut;
  }
}

TEST(EventFile, a_changed_byte_is_noticed) {
  const std::string bytes = file_bytes();
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    size_t used = 0;
    (void)events_of(changed, used);
    EXPECT_LE(used, at) << "a record with a changed byte was taken";
  }
}

TEST(Keys, become_what_the_protocol_takes) {
  EXPECT_EQ(clean_key("train/loss"), "train/loss");
  EXPECT_EQ(clean_key("/a//b/"), "a/b");
  EXPECT_EQ(clean_key("a/../b"), "a/__/b");
  EXPECT_EQ(clean_key("acc (top-5)%"), "acc _top-5__");
  EXPECT_EQ(clean_key(""), "_");
  EXPECT_EQ(clean_key(std::string(1000, 'x')).size(), 250u);
}

TEST(Origins, give_the_same_id_again) {
  EXPECT_EQ(id_of_origin("a"), id_of_origin("a"));
  EXPECT_NE(id_of_origin("a"), id_of_origin("b"));
  EXPECT_EQ(id_of_origin("a").size(), 32u);
}

TEST(Csv, is_read_with_quotes_and_line_breaks_in_them) {
  std::istringstream in("step,\"a \"\"b\"\"\",c\r\n1,\"2\n3\",\n\n4,5,6");
  std::vector<std::string> cells;
  const auto next = [&] { return read_csv_record(in, cells).value() ? cells : std::vector<std::string>{"end"}; };
  EXPECT_EQ(next(), (std::vector<std::string>{"step", "a \"b\"", "c"}));
  EXPECT_EQ(next(), (std::vector<std::string>{"1", "2\n3", ""}));
  EXPECT_EQ(next(), (std::vector<std::string>{""}));
  EXPECT_EQ(next(), (std::vector<std::string>{"4", "5", "6"}));
  EXPECT_EQ(next(), (std::vector<std::string>{"end"}));
}

}  // namespace
}  // namespace slipway::imports
