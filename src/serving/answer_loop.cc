#include "serving/answer_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "serving/generation.h"
#include "serving/replica.h"

namespace slipway::serving {
namespace {

constexpr int kEventsMax = 64;

void add(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "a fresh descriptor can be watched");
}

/// Whether serving-io is woken by what comes through a socket; it always is when the other end closes.
void listen(int epoll, int fd, bool on) {
  epoll_event event{};
  event.events = on ? static_cast<std::uint32_t>(EPOLLIN) : 0;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);  // fails for a replica that was forgotten meanwhile, which is as good
}

}  // namespace

AnswerLoop::AnswerLoop(const Clock& clock)
    : clock_(clock), epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(epoll_ && wakeup_, "the machine has no descriptors left");
  add(epoll_.get(), wakeup_.get());
  thread_ = Thread("serving-io", [this] { run(); });
}

AnswerLoop::~AnswerLoop() {
  state_.lock()->stop = true;
  ::eventfd_write(wakeup_.get(), 1);
  thread_.join();
}

void AnswerLoop::watch(std::shared_ptr<Generation> generation, std::shared_ptr<Replica> replica) {
  const int socket = replica->channel.socket();
  state_.lock()->watched[socket] = {std::move(generation), std::move(replica)};
  add(epoll_.get(), socket);
}

void AnswerLoop::forget(const Replica& replica) {
  const int socket = replica.channel.socket();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
  Watched last;  // dies after the lock is free
  auto state = state_.lock();
  if (const auto at = state->watched.find(socket); at != state->watched.end() && at->second.replica.get() == &replica) {
    last = std::move(at->second);
    state->watched.erase(at);
  }
}

void AnswerLoop::wake_at(Time time, std::weak_ptr<Generation> generation) {
  bool earlier = false;
  {
    auto state = state_.lock();
    earlier = state->alarms.empty() || time < state->alarms.begin()->first;
    state->alarms.emplace(time, std::move(generation));
  }
  if (earlier) ::eventfd_write(wakeup_.get(), 1);
}

int AnswerLoop::ring_alarms() {
  for (;;) {
    std::shared_ptr<Generation> due;
    {
      auto state = state_.lock();
      if (state->alarms.empty()) return -1;
      const auto first = state->alarms.begin();
      const Duration left = first->first - clock_.steady();
      // epoll counts whole milliseconds; the last part of one is spent looking again, which is rare and short.
      if (left > Duration(0)) return static_cast<int>(left.count() / 1000);
      due = first->second.lock();
      state->alarms.erase(first);
    }
    if (due) due->dispatch();
  }
}

void AnswerLoop::on_readable(int socket) {
  Watched watched;
  {
    auto state = state_.lock();
    const auto at = state->watched.find(socket);
    if (at == state->watched.end()) return;
    watched = at->second;
  }
  if (watched.replica->is_read.test_and_set(std::memory_order_acquire))
    return;  // whoever reads it listens again afterwards
  read_frames(watched);
  watched.replica->is_read.clear(std::memory_order_release);
}

int AnswerLoop::read_frames(const Watched& watched) {
  for (int count = 0;; ++count) {
    auto frame = watched.replica->channel.receive();
    if (!frame.ok()) {
      forget(*watched.replica);
      watched.generation->on_gone(watched.replica, frame.error());
      return -1;
    }
    if (!*frame) return count;
    watched.generation->on_frame(watched.replica, **frame);
  }
}

void AnswerLoop::ask_here(const std::shared_ptr<Generation>& generation, const std::shared_ptr<Replica>& replica,
                          Duration patience, const std::function<void()>& send) {
  if (replica->is_read.test_and_set(std::memory_order_acquire)) return send();
  const int socket = replica->channel.socket();
  listen(epoll_.get(), socket, false);
  send();
  const Time end = clock_.steady() + patience;
  int count = 0;
  while ((count = read_frames({generation, replica})) == 0 && clock_.steady() < end) {
  }
  replica->is_read.clear(std::memory_order_release);
  if (count >= 0) listen(epoll_.get(), socket, true);  // what came since the last look wakes serving-io now
}

void AnswerLoop::run() {
  epoll_event events[kEventsMax];
  for (;;) {
    const int timeout = ring_alarms();
    const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, timeout);
    if (count < 0 && errno != EINTR) CHECK(false, "waiting for workers cannot fail");
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wakeup_.get()) {
        eventfd_t ignored;
        ::eventfd_read(wakeup_.get(), &ignored);
      } else {
        on_readable(events[i].data.fd);
      }
    }
    if (state_.lock()->stop) return;
  }
}

}  // namespace slipway::serving
