#include "api/native/runs_execution.h"
#include "base/text.h"

namespace slipway::api {
namespace {

constexpr Duration kRoundInterval = std::chrono::milliseconds(250);
constexpr std::uint64_t kPieceBytes = 256 << 10;
constexpr int kIdleRoundsBeforeComment = 60;  // 15 s: dead connections are noticed

/// How many bytes at the end belong to a character whose rest has not come yet.
size_t cut_character(std::string_view bytes) {
  for (size_t back = 1; back <= std::min<size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

}  // namespace

LogFollowers::LogFollowers(runs::Runs& runs) : runs_(runs), thread_("log-followers", [this] { work(); }) {}

LogFollowers::~LogFollowers() {
  close();
  thread_.join();
}

void LogFollowers::close() {
  state_.lock()->closed = true;
  changed_.notify_all();
}

Result<void> LogFollowers::follow(const ProjectId& project, const RunId& run, std::uint64_t offset,
                                  const http::Responder& responder) {
  TRY(runs_.get(project, run));
  {
    auto state = state_.lock();
    if (state->closed || state->count >= kLogFollowersMax) {
      return Error{ErrorCode::busy,
                   "too many are following logs already (limit 1,000); read the log by offset instead"};
    }
    ++state->count;
  }
  http::Response head;
  head.headers.set("Content-Type", "text/event-stream").set("Cache-Control", "no-store");
  head.compressible = false;
  Follower follower{project, run, offset, 0, responder.stream(std::move(head))};
  state_.lock()->joining.push_back(std::move(follower));
  changed_.notify_all();
  return {};
}

bool LogFollowers::serve(Follower& follower) {
  if (follower.writer->client_gone()) return false;
  // The state is read before the log: once the run is over, what we read next is all there is.
  const auto execution = runs_.get(follower.project, follower.run);
  const auto piece = runs_.log().read(follower.run, static_cast<std::int64_t>(follower.offset), kPieceBytes);
  if (!execution.ok() || !piece.ok()) return execution.ok() || execution.error().code != ErrorCode::not_found;
  const bool over = is_over(execution->state) && execution->is_told;
  std::string_view bytes = piece->bytes;
  if (!over || piece->next_offset < piece->size) bytes.remove_suffix(cut_character(bytes));
  if (!bytes.empty()) {
    JsonWriter json;
    json.begin_object().member("offset", piece->offset).member("text", clean_utf8(bytes)).end_object();
    // A client that does not read gets it next time.
    if (follower.writer->try_write("data: " + json.take() + "\n\n")) follower.offset = piece->offset + bytes.size();
    follower.rounds_idle = 0;
    return true;
  }
  if (over) {
    JsonWriter json;
    json.begin_object().member("state", name(execution->state)).member("offset", piece->next_offset).end_object();
    follower.writer->try_write("event: end\ndata: " + json.take() + "\n\n");
    return false;
  }
  if (++follower.rounds_idle >= kIdleRoundsBeforeComment) {
    follower.writer->try_write(": still here\n\n");
    follower.rounds_idle = 0;
  }
  return true;
}

void LogFollowers::work() {
  std::vector<Follower> followers;
  while (true) {
    {
      auto state = state_.lock();
      state->count = followers.size() + state->joining.size();
      state.wait_until(changed_, std::chrono::steady_clock::now() + kRoundInterval,
                       [&] { return state->closed || !state->joining.empty(); });
      if (state->closed) return;
      for (Follower& each : state->joining) followers.push_back(std::move(each));
      state->joining.clear();
    }
    std::erase_if(followers, [&](Follower& each) { return !serve(each); });
  }
}

}  // namespace slipway::api
