// Logging from C++ programs to a Slipway server: a C++17 header and the small library `slipway-tracking`, without other
// dependencies.
//
//     slipway::tracking::Run run({.experiment = "digits"});    // C++20; in C++17 fill a RunOptions
//     const auto loss = run.metric("loss");
//     for (int step = 0; step < 1'000'000; ++step) run.log(loss, value, step);
//     run.finish();
//
// log() puts the point into memory and returns: it never waits for the disk or the network. A thread writes what came
// to a journal at least every 100 ms, so a crash (also kill -9) loses at most the last 100 ms; another thread sends
// from the journal. A server that is away, or slower than the program, changes nothing but when the points arrive. What
// was not sent when the program ended lies in its folder: `slipway sync FOLDER` sends it later, exactly once.
//
// Memory is bounded by RunOptions::points_waiting_max, the journal by RunOptions::journal_bytes_max. Beyond them,
// points are dropped and counted, or log() waits, as RunOptions::when_full says. Dropped points are told on standard
// error, and to the server as the run's tag `slipway.dropped_points`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace slipway::tracking {

enum class WhenFull {
  drop,  // log() returns false, and the point is counted
  wait,  // log() waits until there is room
};

/// Empty texts are taken from the environment, as a run that Slipway executes has it.
struct RunOptions {
  std::string url;         // SLIPWAY_URL, else MLFLOW_TRACKING_URI, else http://127.0.0.1:7070; plain http only
  std::string token;       // SLIPWAY_TOKEN
  std::string project;     // SLIPWAY_PROJECT, else "default"
  std::string run_id;      // SLIPWAY_RUN_ID; without one a new run is made
  std::string experiment;  // of a new run; "Default"
  std::string name;        // of a new run
  std::string folder;      // where the run's folder is made: SLIPWAY_FOLDER, else ./slipway-runs
  bool offline = false;    // only write the folder; also with SLIPWAY_OFFLINE=1
  WhenFull when_full = WhenFull::drop;
  std::size_t points_waiting_max = 2'000'000;      // in memory, 28 bytes each
  std::uint64_t journal_bytes_max = 4ull << 30;    // on disk
  std::chrono::milliseconds journal_interval{50};  // at most 100
};

/// A metric of one run: its name, looked up once.
struct Metric {
  std::uint32_t number = 0;
};

struct Statistics {
  std::uint64_t logged = 0;     // points taken
  std::uint64_t dropped = 0;    // points refused because memory or the journal was full
  std::uint64_t journaled = 0;  // points that a crash does not lose
  std::uint64_t sent = 0;       // points that the server has
  std::string trouble;          // what the server or the disk said last; empty when all is well
};

/// One run of one program. All calls from any thread.
class Run {
 public:
  /// Makes the run's folder and starts two threads. Throws std::runtime_error when the folder cannot be made; a server
  /// that does not answer is no error.
  explicit Run(RunOptions options = {});
  /// As finish("FAILED") when nobody finished it: a program that leaves by an exception did not end well.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  const std::string& id() const;
  /// The folder that `slipway sync` takes.
  const std::string& folder() const;

  /// A metric by its name: up to 250 letters, digits, spaces and /_-.: characters. At most 100,000 names.
  Metric metric(std::string_view name);
  /// False when the point was dropped. The time is now.
  bool log(Metric metric, double value, std::int64_t step);
  bool log(std::string_view name, double value, std::int64_t step) { return log(metric(name), value, step); }

  /// Texts of at most 6,000 bytes; longer ones are cut.
  void parameter(std::string_view key, std::string_view value);
  void tag(std::string_view key, std::string_view value);
  /// Copies a file into the folder, to be sent as this artifact ("plots/loss.png"). Waits for the disk. False when it
  /// cannot be read or the name is no relative path.
  bool artifact(const std::string& file, const std::string& name);

  /// Waits until the journal (and, unless offline, the server) has everything logged before. False after `patience`.
  bool flush(std::chrono::milliseconds patience = std::chrono::seconds(10));
  /// Ends the run: FINISHED, FAILED or KILLED. A run that Slipway executes keeps the state that its attempt decides.
  /// Answers as flush(); what was not sent stays in the folder. Later calls of log() are dropped.
  bool finish(std::string_view status = "FINISHED", std::chrono::milliseconds patience = std::chrono::seconds(30));

  Statistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::tracking
