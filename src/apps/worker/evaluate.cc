#include "evaluate.h"

#include <cstdio>
#include <map>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "inference/evaluate.h"

namespace slipway::worker {
namespace {

constexpr Duration kSayInterval = std::chrono::seconds(1);

/// `--details FILE` is what the registry knows of the version: {"preprocess": …, "labels": […]}.
Result<inference::EvaluateOptions> read_options(int argc, char** argv) {
  std::map<std::string, std::string> flags = {
      {"--model", ""},   {"--samples", ""}, {"--data", ""}, {"--out", ""}, {"--task", "classification"},
      {"--details", ""}, {"--threads", "1"}};
  for (int i = 0; i < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end())
      return Error{ErrorCode::invalid_argument, std::string("unknown argument '") + argv[i] + "'"};
    if (i + 1 == argc) return Error{ErrorCode::invalid_argument, flag->first + " needs a value"};
    flag->second = argv[i + 1];
  }
  for (const char* needed : {"--model", "--samples", "--data", "--out"}) {
    if (flags[needed].empty()) return Error{ErrorCode::invalid_argument, std::string(needed) + " is missing"};
  }
  inference::EvaluateOptions options;
  options.model = flags["--model"];
  options.samples = flags["--samples"];
  options.data = flags["--data"];
  options.out = flags["--out"];
  options.task = TRY(inference::parse_evaluation_task(flags["--task"]));
  options.threads = static_cast<int>(std::clamp<std::int64_t>(parse_i64(flags["--threads"]).value_or(1), 1, 64));
  if (!flags["--details"].empty()) {
    const Json details = TRY(Json::parse(TRY(read_file(flags["--details"], 16 << 20))));
    options.preprocess = details["preprocess"];
    for (const Json& label : details["labels"].array()) options.labels.push_back(label.string());
  }
  return options;
}

Result<void> run(int argc, char** argv) {
  const auto options = TRY(read_options(argc, argv));
  Time said = system_clock().steady();
  const auto report = TRY(inference::evaluate(options, [&](std::int64_t done, std::int64_t total) {
    if (system_clock().steady() - said < kSayInterval) return;
    said = system_clock().steady();
    std::printf("%lld of %lld samples\n", static_cast<long long>(done), static_cast<long long>(total));
    std::fflush(stdout);
  }));
  std::printf("%lld samples, %lld of them could not be read or run; mean score %.4f\n",
              static_cast<long long>(report.samples), static_cast<long long>(report.failed), report.score_mean);
  return {};
}

}  // namespace

int evaluate_main(int argc, char** argv) {
  const auto ended = run(argc, argv);
  if (ended.ok()) return 0;
  std::fprintf(stderr, "slipway-worker evaluate: %s\n", ended.error().message.c_str());
  return ended.error().code == ErrorCode::invalid_argument ? 2 : 1;
}

}  // namespace slipway::worker
