// What a frame to a worker and back costs, with the tensors in the frame and in shared memory: the measurement behind
// kInlineBytesMax (docs/decisions/0006-frames-to-workers.md). The other end is a process that answers every frame with as many bytes.
//
//   bench_channel
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/check.h"
#include "inference/channel.h"

namespace slipway::inference {
namespace {

constexpr int kRounds = 4000;

void echo(Channel& channel) {
  FrameBuilder frame;
  for (;;) {
    const auto came = channel.receive();
    if (!came.ok() || !*came) return;
    // Through the bytes once, as a model does.
    const std::string bytes((*came)->payload);
    frame.clear();
    frame.add_request(1);
    frame.begin_tensor(0, DataType::uint8, {static_cast<std::int64_t>(bytes.size())});
    frame.add_bytes(bytes);
    if (!channel.send(FrameKind::answer, (*came)->id, (*came)->slot, frame).ok()) return;
  }
}

/// The median round trip in microseconds.
double round_trip(size_t bytes, std::uint64_t inline_bytes_max) {
  auto ends = socket_pair().value();
  auto memory = SharedMemory::create().value();
  const pid_t child = ::fork();
  CHECK(child >= 0, "the machine can start a process");
  if (child == 0) {
    ends.first.reset();
    Channel channel(std::move(ends.second), SharedMemory::open(UniqueFd(::dup(memory.fd()))).value(), Channel::End::worker, inline_bytes_max);
    echo(channel);
    ::_exit(0);
  }
  ends.second.reset();
  double median = 0;
  {
    Channel channel(std::move(ends.first), std::move(memory), Channel::End::server, inline_bytes_max);
    const std::string payload(bytes, 'x');
    std::vector<double> times;
    FrameBuilder frame;
    for (int i = 0; i < kRounds; ++i) {
      frame.clear();
      frame.add_request(1);
      frame.begin_tensor(0, DataType::uint8, {static_cast<std::int64_t>(bytes)});
      frame.add_bytes(payload);
      const auto start = std::chrono::steady_clock::now();
      CHECK(channel.send(FrameKind::infer, 1, 0, frame).ok(), "one frame fits into an empty socket");
      pollfd ready{channel.socket(), POLLIN, 0};
      ::poll(&ready, 1, -1);
      const auto answer = channel.receive();
      CHECK(answer.ok() && *answer, "the other end answers");
      const std::string copy((*answer)->payload);
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
    std::ranges::sort(times);
    median = times[times.size() / 2];
  }
  ::waitpid(child, nullptr, 0);
  return median;
}

}  // namespace
}  // namespace slipway::inference

int main() {
  using namespace slipway::inference;
  std::printf("%10s  %12s  %12s\n", "bytes", "in the frame", "shared");
  for (const size_t bytes : {64u, 1024u, 4096u, 16384u, 32768u, 65536u, 262144u, 1048576u, 4194304u}) {
    const double shared = round_trip(bytes, 0);
    if (bytes <= kInlineBytesFit) std::printf("%10zu  %9.1f us  %9.1f us\n", bytes, round_trip(bytes, kInlineBytesFit), shared);
    else std::printf("%10zu  %12s  %9.1f us\n", bytes, "-", shared);
  }
}
