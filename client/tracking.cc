#include "slipway/tracking.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <vector>

#include "journal.h"
#include "sender.h"

namespace slipway::tracking {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kMetricsMax = 100'000;
constexpr std::uint32_t kNoMetric = UINT32_MAX;
constexpr std::size_t kMetricNameBytesMax = 250;
constexpr std::size_t kTextBytesMax = 6'000;
constexpr std::size_t kFramesWaitingBytesMax = 64u << 20;  // names, parameters and tags in memory
constexpr milliseconds kIntervalMax{100};
constexpr milliseconds kSyncInterval{1'000};
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kPauseMax{5'000};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

void fill(std::string& text, std::initializer_list<const char*> variables, const char* otherwise) {
  for (const char* variable : variables) {
    if (text.empty()) text = environment(variable);
  }
  if (text.empty()) text = otherwise;
}

/// A few milliseconds late at most, and several times as fast as the exact clock.
std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

/// 32 hex digits: 48 bits of milliseconds, 80 random bits.
std::string new_run_id() {
  std::random_device random;
  char text[33];
  std::snprintf(text, sizeof text, "%012llx%08x%08x%04x", static_cast<unsigned long long>(now_ms()), random(), random(),
                random() & 0xFFFF);
  return text;
}

bool is_relative_path(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string::npos) return false;
  for (const fs::path& part : fs::path(name)) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

RunOptions resolved(RunOptions options) {
  fill(options.url, {"SLIPWAY_URL", "MLFLOW_TRACKING_URI"}, "http://127.0.0.1:7070");
  fill(options.token, {"SLIPWAY_TOKEN"}, "");
  fill(options.project, {"SLIPWAY_PROJECT"}, "default");
  fill(options.folder, {"SLIPWAY_FOLDER"}, "slipway-runs");
  fill(options.run_id, {"SLIPWAY_RUN_ID"}, "");
  if (options.experiment.empty()) options.experiment = "Default";
  if (environment("SLIPWAY_OFFLINE") == "1") options.offline = true;
  if (options.journal_interval > kIntervalMax) options.journal_interval = kIntervalMax;
  return options;
}

RunFacts facts_of(const RunOptions& options) {
  RunFacts facts;
  facts.is_ours = options.run_id.empty();
  facts.id = facts.is_ours ? new_run_id() : options.run_id;
  facts.experiment = options.experiment;
  facts.name = options.name.empty() ? "run-" + facts.id.substr(facts.id.size() - 8) : options.name;
  facts.started_ms = now_ms();
  facts.folder = (fs::path(options.folder) / (facts.id + "-" + std::to_string(::getpid()))).string();
  return facts;
}

Connection::Headers headers_of(const RunOptions& options) {
  Connection::Headers headers{{"X-Slipway-Project", options.project}};
  if (!options.token.empty()) headers.emplace_back("Authorization", "Bearer " + options.token);
  return headers;
}

/// What `slipway sync` needs to make the run.
void write_facts(const RunFacts& facts, const std::string& project) {
  const std::string path = facts.folder + "/run.json";
  std::ofstream out(path);
  out << "{\"format\":1,\"run_id\":" << json_text(facts.id) << ",\"is_new\":" << (facts.is_ours ? "true" : "false")
      << ",\"experiment\":" << json_text(facts.experiment) << ",\"name\":" << json_text(facts.name)
      << ",\"project\":" << json_text(project) << ",\"started_ms\":" << facts.started_ms << "}\n";
  if (!out.flush()) throw std::runtime_error("slipway: cannot write " + path);
}

std::string make_folder(const std::string& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw std::runtime_error("slipway: cannot make the folder " + folder + ": " + problem.message());
  return folder;
}

}  // namespace

struct Run::Impl {
  explicit Impl(RunOptions given)
      : options(resolved(std::move(given))),
        facts(facts_of(options)),
        journal((write_facts_in(facts, options.project), facts.folder + "/journal")),
        sender(options.url, headers_of(options), facts) {
    waiting.reserve(options.points_waiting_max);
    taken.reserve(options.points_waiting_max);
    writer = std::thread([this] { write_journal(); });
    if (!options.offline) talker = std::thread([this] { send_journal(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    changed.notify_all();
    if (writer.joinable()) writer.join();
    if (talker.joinable()) talker.join();
  }

  static void write_facts_in(const RunFacts& facts, const std::string& project) {
    make_folder(facts.folder);
    write_facts(facts, project);
  }

  // --- what callers do: under the lock, never waiting for a disk or a server ----------------------------------------

  Metric metric(std::string_view name) {
    name = name.substr(0, kMetricNameBytesMax);
    const std::lock_guard lock(mutex);
    const auto known = numbers.find(name);
    if (known != numbers.end()) return {known->second};
    if (names.size() >= kMetricsMax || closed || frames.size() > kFramesWaitingBytesMax) return {kNoMetric};
    const auto number = static_cast<std::uint32_t>(names.size());
    names.emplace_back(name);
    numbers.emplace(names.back(), number);
    append_frame(frames, metric_payload(number, name));
    return {number};
  }

  bool log(Metric metric, double value, std::int64_t step) {
    const std::int64_t at_ms = now_ms();
    std::unique_lock lock(mutex);
    if (waiting.size() >= options.points_waiting_max && options.when_full == WhenFull::wait && !closed) {
      hurry = true;
      changed.notify_all();
      has_room.wait(lock, [&] { return waiting.size() < options.points_waiting_max || closed; });
    }
    if (closed || metric.number == kNoMetric || waiting.size() >= options.points_waiting_max) {
      ++dropped;
      return false;
    }
    waiting.push_back({metric.number, step, at_ms, value});
    ++logged;
    if (waiting.size() == options.points_waiting_max / 2) {
      hurry = true;
      changed.notify_all();
    }
    return true;
  }

  void text(char type, std::string_view key, std::string_view value) {
    const std::lock_guard lock(mutex);
    if (closed || frames.size() > kFramesWaitingBytesMax) return;
    append_frame(frames, pair_payload(type, key.substr(0, kMetricNameBytesMax), value.substr(0, kTextBytesMax)));
  }

  // --- the journal's thread -----------------------------------------------------------------------------------------

  void write_journal() {
    Clock::time_point synced = Clock::now();
    bool is_last = false;
    while (!is_last) {
      {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, options.journal_interval, [&] { return ending || hurry; });
        is_last = ending;
      }
      move_to_journal();
      if (Clock::now() - synced < kSyncInterval && !is_last) continue;
      journal.sync();
      synced = Clock::now();
    }
  }

  /// All that waits, as one write.
  void move_to_journal() {
    std::string bytes;
    {
      const std::lock_guard lock(mutex);
      hurry = false;
      moving = true;
      bytes.swap(frames);
      taken.clear();
      waiting.swap(taken);
    }
    has_room.notify_all();
    // Names have room beyond the limit: a point is nothing without its name.
    const bool named = bytes.empty() || journal.append(bytes, options.journal_bytes_max + kFramesWaitingBytesMax);
    bytes.clear();
    append_points(bytes, taken);
    const bool kept = named && (bytes.empty() || journal.append(bytes, options.journal_bytes_max));
    {
      const std::lock_guard lock(mutex);
      moving = false;
      (kept ? journaled : dropped) += taken.size();
      if (!kept) trouble = "the journal in " + facts.folder + " takes no more (limit or full disk)";
      journal_end = journal.size();
    }
    changed.notify_all();
  }

  // --- the server's thread ------------------------------------------------------------------------------------------

  void send_journal() {
    milliseconds pause = kFirstPause;
    Sender::Outcome outcome = Sender::Outcome::sent;
    while (true) {
      std::uint64_t end = 0;
      {
        std::unique_lock lock(mutex);
        if (outcome == Sender::Outcome::sent) {
          changed.wait(lock, [&] { return ending || journal_end > sent_end; });
        } else {
          changed.wait_for(lock, pause, [&] { return ending; });
          pause = std::min(pause * 2, kPauseMax);
        }
        if (ending) return;
        end = journal_end;
      }
      outcome = sender.send(journal.descriptor(), end);
      if (outcome == Sender::Outcome::sent) pause = kFirstPause;
      const std::lock_guard lock(mutex);
      sent_end = sender.offset();
      sent = sender.points_sent();
      refused = sender.points_refused();
      if (!sender.trouble().empty() || outcome == Sender::Outcome::sent) trouble = sender.trouble();
      is_refused = outcome == Sender::Outcome::refused;
      changed.notify_all();
    }
  }

  bool flush(milliseconds patience) {
    const Clock::time_point until = Clock::now() + patience;
    std::unique_lock lock(mutex);
    const auto is_journaled = [&] { return waiting.empty() && frames.empty() && !moving; };
    hurry = true;
    changed.notify_all();
    if (!changed.wait_until(lock, until, is_journaled)) return false;
    if (options.offline) return true;
    changed.wait_until(lock, until, [&] { return sent_end >= journal_end || is_refused; });
    return sent_end >= journal_end;
  }

  const RunOptions options;
  const RunFacts facts;
  JournalFile journal;  // written by the writer, read by the sender
  Sender sender;        // used by its thread alone

  std::mutex mutex;  // guards what follows
  std::condition_variable changed, has_room;
  std::vector<Point> waiting;
  std::string frames;  // names, parameters and tags, ready for the journal
  std::deque<std::string> names;
  std::unordered_map<std::string_view, std::uint32_t> numbers;  // into names
  std::uint64_t logged = 0, dropped = 0, journaled = 0, sent = 0, refused = 0;
  std::uint64_t journal_end = 0, sent_end = 0;
  std::size_t files = 0;
  std::string trouble;
  bool closed = false, ending = false, hurry = false, is_refused = false;
  bool moving = false;  // what was taken from the fields above is on its way to the journal

  std::vector<Point> taken;  // of the writer
  std::thread writer, talker;
};

Run::Run(RunOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Run::~Run() {
  if (!impl_->closed) finish("FAILED");
}

const std::string& Run::id() const { return impl_->facts.id; }
const std::string& Run::folder() const { return impl_->facts.folder; }
Metric Run::metric(std::string_view name) { return impl_->metric(name); }
bool Run::log(Metric metric, double value, std::int64_t step) { return impl_->log(metric, value, step); }
void Run::parameter(std::string_view key, std::string_view value) { impl_->text('A', key, value); }
void Run::tag(std::string_view key, std::string_view value) { impl_->text('T', key, value); }
bool Run::flush(milliseconds patience) { return impl_->flush(patience); }

bool Run::artifact(const std::string& file, const std::string& name) {
  if (!is_relative_path(name)) return false;
  std::size_t number = 0;
  {
    const std::lock_guard lock(impl_->mutex);
    number = impl_->files++;
  }
  const fs::path folder = fs::path(impl_->facts.folder) / "files";
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (!fs::copy_file(file, folder / std::to_string(number), problem)) return false;
  impl_->text('F', name, std::to_string(number));
  return true;
}

bool Run::finish(std::string_view status, milliseconds patience) {
  std::uint64_t dropped = 0;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed) return true;
    dropped = impl_->dropped;
  }
  if (dropped > 0) {
    tag("slipway.dropped_points", std::to_string(dropped));
    std::fprintf(stderr, "slipway: %llu points of run %s were dropped: more came than memory or the journal may hold\n",
                 static_cast<unsigned long long>(dropped), id().c_str());
  }
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closed = true;
    // Points that wait are written before the end: a frame of its own, behind them.
    impl_->hurry = true;
  }
  impl_->changed.notify_all();
  impl_->has_room.notify_all();
  impl_->flush(patience);
  {
    const std::lock_guard lock(impl_->mutex);
    append_frame(impl_->frames, end_payload(now_ms(), status));
  }
  const bool done = impl_->flush(patience);
  if (done && !impl_->options.offline) {
    std::error_code ignored;
    fs::remove_all(impl_->facts.folder, ignored);
  } else if (!done) {
    std::fprintf(stderr, "slipway: not all of run %s was sent (%s); `slipway sync %s` sends it\n", id().c_str(),
                 statistics().trouble.c_str(), folder().c_str());
  }
  return done;
}

Statistics Run::statistics() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->logged, impl_->dropped + impl_->refused, impl_->journaled, impl_->sent, impl_->trouble};
}

}  // namespace slipway::tracking
