#include "monitor/request_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>

#include "monitor/captured.h"
#include "monitor/recent.h"

namespace slipway::monitor {
namespace {

PredictionServed request(const std::string& answer, std::string body = "a body") {
  PredictionServed made;
  made.answer = AnswerId(answer);
  made.project = kDefaultProject;
  made.deployment = DeploymentId("01DEPLOYMENT");
  made.deployment_name = "digits";
  made.revision = RevisionId("01REVISION");
  made.model = "digits";
  made.version = 3;
  made.at = {1'700'000'000'000'001};
  made.latency = std::chrono::microseconds(900);
  made.rows = 2;
  made.statistics = {0.1, 0.2, -1, std::numeric_limits<double>::infinity(), std::nan(""), 0.6, 0.7, 0.8, 4};
  made.label = "four";
  made.request = std::make_shared<const std::string>(std::move(body));
  made.media_type = "image/png";
  made.request_json_bytes = 17;
  return made;
}

std::string bytes_of(const PredictionServed& prediction, std::optional<CaseReason> reason) {
  std::string bytes;
  append_record(bytes, prediction, reason);
  return bytes;
}

RecordBatch batch_of(const std::vector<PredictionServed>& predictions) {
  RecordBatch batch;
  for (const auto& one : predictions) batch.add(one, CaseReason::sampled);
  return batch;
}

std::vector<std::string> replayed(RequestLog& log) {
  std::vector<std::string> answers;
  log.replay([&](const Place&, const RequestRecord& record) { answers.push_back(record.prediction.answer.text); });
  return answers;
}

std::vector<std::filesystem::path> segments_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Record, is_read_back_as_it_was) {
  auto failed = request("a2");
  failed.ok = false;
  failed.error = "the worker ended";
  failed.request = nullptr;
  for (const auto& [prediction, reason] :
       {std::pair(request("a1", std::string("\0\xff", 2)), std::optional(CaseReason::drift)),
        std::pair(failed, std::optional<CaseReason>())}) {
    const std::string bytes = bytes_of(prediction, reason);
    const auto read = parse_record(bytes);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->reason, reason);
    EXPECT_EQ(read->prediction.error, prediction.error);
    EXPECT_EQ(read->prediction.request != nullptr, prediction.request != nullptr);
    EXPECT_EQ(bytes_of(read->prediction, read->reason), bytes);
  }
}

TEST(Record, that_is_cut_or_continued_is_refused) {
  const std::string bytes = bytes_of(request("a1"), CaseReason::error);
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(parse_record(std::string_view(bytes).substr(0, length)).ok()) << length;
  EXPECT_FALSE(parse_record(bytes + "x").ok());
}

TEST(RequestLog, gives_the_next_process_what_was_appended_in_its_order) {
  TemporaryDirectory folder;
  {
    auto log = RequestLog::open(folder.path()).value();
    ASSERT_TRUE(log.append(batch_of({request("a1"), request("a2")})).ok());
    ASSERT_TRUE(log.append(batch_of({request("a3")})).ok());
  }
  auto log = RequestLog::open(folder.path()).value();
  EXPECT_EQ(replayed(log), (std::vector<std::string>{"a1", "a2", "a3"}));
}

TEST(RequestLog, reads_one_record_where_it_lies) {
  TemporaryDirectory folder;
  auto log = RequestLog::open(folder.path()).value();
  const auto places = log.append(batch_of({request("a1"), request("a2", "second")})).value();
  const auto segment = log.find(places[1].segment);
  EXPECT_EQ(*segment->read(places[1])->prediction.request, "second");
  EXPECT_FALSE(segment->read({places[1].segment, places[1].offset + 1, places[1].length}).ok());
}

TEST(RequestLog, a_torn_end_costs_only_the_record_that_was_being_written) {
  TemporaryDirectory folder;
  std::uint64_t whole = 0;
  {
    auto log = RequestLog::open(folder.path()).value();
    whole = log.append(batch_of({request("a1")})).value()[0].length + 16;
    ASSERT_TRUE(log.append(batch_of({request("a2")})).ok());
  }
  const auto segment = segments_in(folder.path()).at(0);
  const auto size = std::filesystem::file_size(segment);
  for (std::uint64_t cut : {size - 1, whole + 11, whole + 1}) {
    std::filesystem::resize_file(segment, cut);
    auto log = RequestLog::open(folder.path()).value();
    EXPECT_EQ(replayed(log), std::vector<std::string>{"a1"}) << cut;
  }
}

TEST(RequestLog, a_flipped_bit_ends_the_segment_there) {
  TemporaryDirectory folder;
  std::uint32_t second = 0;
  {
    auto log = RequestLog::open(folder.path()).value();
    second = log.append(batch_of({request("a1"), request("a2"), request("a3")})).value()[1].offset;
  }
  const auto segment = segments_in(folder.path()).at(0);
  const UniqueFd file = open_file(segment, O_WRONLY).value();
  ASSERT_EQ(::pwrite(file.get(), "\x55", 1, second + 40), 1);
  auto log = RequestLog::open(folder.path()).value();
  EXPECT_EQ(replayed(log), std::vector<std::string>{"a1"});
}

TEST(RequestLog, a_segment_of_another_version_is_left_where_it_is) {
  TemporaryDirectory folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "7.requests", "slipreq9 and something unknown").ok());
  auto log = RequestLog::open(folder.path()).value();
  EXPECT_TRUE(replayed(log).empty());
  EXPECT_EQ(log.append(batch_of({request("a1")})).value()[0].segment, 8u);
  EXPECT_EQ(segments_in(folder.path()).size(), 2u);
}

TEST(RequestLog, a_segment_goes_when_all_its_records_are_released_and_it_takes_no_more) {
  TemporaryDirectory folder;
  auto log = RequestLog::open(folder.path()).value();
  const auto places = log.append(batch_of({request("a1"), request("a2")})).value();
  log.release(places[0]);
  log.roll();
  EXPECT_EQ(segments_in(folder.path()).size(), 1u);
  log.release(places[1]);
  EXPECT_TRUE(segments_in(folder.path()).empty());
  EXPECT_EQ(log.bytes(), 0u);
}

TEST(RequestLog, an_append_that_fails_leaves_nothing_behind) {
  TemporaryDirectory folder;
  auto log = RequestLog::open(folder.path()).value();
  ASSERT_TRUE(log.append(batch_of({request("a1")})).ok());
  const rlimit none{16, RLIM_INFINITY};
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &none);
  EXPECT_FALSE(log.append(batch_of({request("a2")})).ok());
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_TRUE(log.append(batch_of({request("a3")})).ok());
  auto next = RequestLog::open(folder.path()).value();
  EXPECT_EQ(replayed(next), (std::vector<std::string>{"a1", "a3"}));
}

TEST(Captured, is_busy_when_it_is_full_and_takes_more_once_something_is_released) {
  TemporaryDirectory folder;
  auto captured = CapturedRequests::open({.folder = folder.path(), .bytes_max = 10 << 20}).value();
  const auto first = captured->accept(request("a1", std::string(8 << 20, 'x')), CaseReason::sampled);
  ASSERT_TRUE(first.ok());
  const auto second = captured->accept(request("a2", std::string(8 << 20, 'x')), CaseReason::sampled);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  captured->release(*first);
  // The segment goes when the next one is begun.
  ASSERT_TRUE(captured->accept(request("a3"), CaseReason::sampled).ok());
  EXPECT_TRUE(captured->accept(request("a4", std::string(8 << 20, 'x')), CaseReason::sampled).ok());
}

TEST(Captured, releases_what_a_former_process_left) {
  TemporaryDirectory folder;
  {
    auto captured = CapturedRequests::open({.folder = folder.path(), .sync_first = true}).value();
    ASSERT_TRUE(captured->accept(request("a1"), CaseReason::error).ok());
  }
  auto captured = CapturedRequests::open({.folder = folder.path()}).value();
  std::vector<Place> places;
  captured->replay([&](const Place& place, const RequestRecord& record) {
    EXPECT_EQ(record.reason, CaseReason::error);
    places.push_back(place);
  });
  ASSERT_EQ(places.size(), 1u);
  captured->release(places[0]);
  EXPECT_TRUE(segments_in(folder.path()).empty());
}

TEST(RecentRequests, lets_the_oldest_go_when_it_is_full) {
  TemporaryDirectory folder;
  auto recent = RecentRequests::open(folder.path(), 20 << 20).value();
  for (int i = 0; i < 6; ++i) {
    const PredictionServed one = request("a" + std::to_string(i), std::string(5 << 20, 'x'));
    const PredictionServed* const pointer = &one;
    recent.add({&pointer, 1});
  }
  EXPECT_FALSE(recent.find(AnswerId("a0")));
  EXPECT_FALSE(recent.find(AnswerId("a1")));
  const auto found = recent.find(AnswerId("a5"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->read()->request->size(), 5u << 20);
  EXPECT_LE(recent.bytes(), 21u << 20);
}

TEST(RecentRequests, forgets_the_oldest_of_too_many_and_remembers_the_rest_after_a_restart) {
  TemporaryDirectory folder;
  {
    auto recent = RecentRequests::open(folder.path(), kRecentBytesMax, 3).value();
    const std::vector<PredictionServed> made = {request("a1"), request("a2"), request("a3"), request("a4")};
    std::vector<const PredictionServed*> pointers;
    for (const auto& one : made) pointers.push_back(&one);
    recent.add(pointers);
    EXPECT_EQ(recent.size(), 3u);
    EXPECT_FALSE(recent.find(AnswerId("a1")));
  }
  auto recent = RecentRequests::open(folder.path(), kRecentBytesMax, 3).value();
  std::vector<std::string> seen;
  recent.replay([&](const PredictionServed& one) { seen.push_back(one.answer.text); });
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_EQ(recent.size(), 3u);
  EXPECT_EQ(*recent.find(AnswerId("a2"))->read()->request, "a body");
}

}  // namespace
}  // namespace slipway::monitor
