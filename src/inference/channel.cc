#include "inference/channel.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

#include "base/check.h"

namespace slipway::inference {
namespace {

constexpr std::uint32_t kMagic = 0x31574c53;  // "SLW1"
constexpr std::uint64_t kMemoryBytes = static_cast<std::uint64_t>(kSlots) * 2 * kAreaBytes;
constexpr size_t kAlignment = 64;  // what the runtime's kernels like best
constexpr int kSocketBufferBytes = 1 << 20;
constexpr size_t kPiecesMax = 900;  // below the system's limit of 1024 in one sendmsg
constexpr std::uint32_t kInShared = 1;
constexpr std::chrono::microseconds kAwakeMax{200};

struct Header {
  std::uint32_t magic = kMagic;
  FrameKind kind = FrameKind::ready;
  std::uint16_t slot = 0;
  std::uint64_t id = 0;
  std::uint32_t rows = 0, tensors = 0, statistics = 0, text_bytes = 0;
  std::uint32_t flags = 0, code = 0;
  std::uint64_t payload_bytes = 0;
  ComputeTimes times;
  std::uint64_t reserved = 0;
};
static_assert(sizeof(Header) == 80 && std::is_trivially_copyable_v<Header>);
static_assert(std::is_trivially_copyable_v<FrameTensor> && sizeof(FrameTensor) % 8 == 0);
static_assert(std::is_trivially_copyable_v<TensorStatistics> && sizeof(TensorStatistics) % 8 == 0);

constexpr char kZeros[kAlignment] = {};

size_t round_up(size_t size, size_t to) { return (size + to - 1) / to * to; }

/// Where each part of a message starts; the same arithmetic for writer and reader.
struct Layout {
  size_t rows, tensors, statistics, text, payload;

  Layout(const Header& header) {
    rows = sizeof(Header);
    tensors = rows + round_up(header.rows * sizeof(std::uint32_t), 8);
    statistics = tensors + header.tensors * sizeof(FrameTensor);
    text = statistics + header.statistics * sizeof(TensorStatistics);
    payload = round_up(text + header.text_bytes, kAlignment);
  }
};

Error broken(std::string what) { return Error{ErrorCode::data_loss, "a worker sent a frame that " + std::move(what)}; }

Error gone() { return Error{ErrorCode::unavailable, "the other end of a worker's socket is gone"}; }

Result<SharedMemory> map_failed() { return system_error("map shared memory of", "a worker", errno); }

}  // namespace

Result<SharedMemory> SharedMemory::create() {
  UniqueFd fd(::memfd_create("slipway-tensors", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("make shared memory for", "a worker", errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(kMemoryBytes)) != 0)
    return system_error("size shared memory of", "a worker", errno);
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return system_error("seal shared memory of", "a worker", errno);
  return open(std::move(fd));
}

Result<SharedMemory> SharedMemory::open(UniqueFd fd) {
  void* base = ::mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (base == MAP_FAILED) return map_failed();
  return SharedMemory(std::move(fd), static_cast<char*>(base));
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), base_(std::exchange(other.base_, nullptr)) {}

SharedMemory::~SharedMemory() {
  if (base_) ::munmap(base_, kMemoryBytes);
}

void SharedMemory::release_pages(int slot) {
  // Failure only means that the memory stays; there is nothing to be done about it.
  ::madvise(request_area(slot), 2 * kAreaBytes, MADV_REMOVE);
}

Shape FrameTensor::shape() const {
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push_back(sizes[static_cast<size_t>(i)]);
  return shape;
}

void FrameBuilder::clear() {
  text.clear();
  code = ErrorCode::internal;
  times = {};
  rows_.clear();
  tensors_.clear();
  statistics_.clear();
  pieces_.clear();
  payload_bytes_ = 0;
}

void FrameBuilder::begin_tensor(size_t index, DataType type, const Shape& shape) {
  const size_t padding = round_up(payload_bytes_, kAlignment) - payload_bytes_;
  if (padding > 0) add_payload({kZeros, padding});
  FrameTensor tensor;
  tensor.index = static_cast<std::uint16_t>(index);
  tensor.type = type;
  tensor.rank = static_cast<std::uint8_t>(shape.rank());
  for (int i = 0; i < shape.rank(); ++i) tensor.sizes[static_cast<size_t>(i)] = shape[i];
  tensor.offset = payload_bytes_;
  tensors_.push_back(tensor);
}

void FrameBuilder::add_bytes(std::string_view bytes) {
  CHECK(!tensors_.empty(), "bytes belong to a tensor that was begun");
  tensors_.back().length += bytes.size();
  add_payload(bytes);
}

void FrameBuilder::add_payload(std::string_view bytes) {
  if (bytes.empty()) return;
  pieces_.push_back(bytes);
  payload_bytes_ += bytes.size();
}

Channel::Channel(UniqueFd socket, SharedMemory memory, End end, std::uint64_t inline_bytes_max)
    : socket_(std::move(socket)),
      memory_(std::move(memory)),
      end_(end),
      inline_bytes_max_(std::min(inline_bytes_max, kInlineBytesFit)),
      buffer_(static_cast<char*>(::operator new[](kFrameBytesMax, std::align_val_t(kAlignment))),
              [](char* bytes) { ::operator delete[](bytes, std::align_val_t(kAlignment)); }) {}

Channel::~Channel() = default;

Result<void> Channel::send(FrameKind kind, std::uint64_t id, int slot, const FrameBuilder& frame) {
  CHECK(slot >= 0 && slot < kSlots, "a frame needs a slot");
  if (frame.payload_bytes_ > kAreaBytes)
    return Error{ErrorCode::too_large, "the tensors have " + std::to_string(frame.payload_bytes_) +
                                           " bytes; the limit is " + std::to_string(kAreaBytes)};
  CHECK(frame.text.size() <= kFrameTextBytesMax, "a frame's text is cut before it is sent");
  Header header;
  header.kind = kind;
  header.slot = static_cast<std::uint16_t>(slot);
  header.id = id;
  header.rows = static_cast<std::uint32_t>(frame.rows_.size());
  header.tensors = static_cast<std::uint32_t>(frame.tensors_.size());
  header.statistics = static_cast<std::uint32_t>(frame.statistics_.size());
  header.text_bytes = static_cast<std::uint32_t>(frame.text.size());
  header.code = static_cast<std::uint32_t>(frame.code);
  header.payload_bytes = frame.payload_bytes_;
  header.times = frame.times;
  const bool in_shared = frame.payload_bytes_ > inline_bytes_max_ || frame.pieces_.size() > kPiecesMax;
  if (in_shared) header.flags |= kInShared;
  const Layout layout(header);

  thread_local std::vector<iovec> parts;
  parts.clear();
  const auto add = [](const void* data, size_t size) {
    if (size > 0) parts.push_back({const_cast<void*>(data), size});
  };
  add(&header, sizeof header);
  add(frame.rows_.data(), frame.rows_.size() * sizeof(std::uint32_t));
  add(kZeros, layout.tensors - layout.rows - frame.rows_.size() * sizeof(std::uint32_t));
  add(frame.tensors_.data(), frame.tensors_.size() * sizeof(FrameTensor));
  add(frame.statistics_.data(), frame.statistics_.size() * sizeof(TensorStatistics));
  add(frame.text.data(), frame.text.size());
  if (in_shared) {
    char* to = end_ == End::server ? memory_.request_area(slot) : memory_.answer_area(slot);
    for (const std::string_view piece : frame.pieces_) {
      std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    }
  } else if (!frame.pieces_.empty()) {
    add(kZeros, layout.payload - layout.text - frame.text.size());
    for (const std::string_view piece : frame.pieces_) add(piece.data(), piece.size());
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const int flags = MSG_NOSIGNAL | (end_ == End::server ? MSG_DONTWAIT : 0);
  for (;;) {
    if (::sendmsg(socket_.get(), &message, flags) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) return Error{ErrorCode::busy, "a worker's socket is full"};
    if (errno == EPIPE || errno == ECONNRESET) return gone();
    return system_error("send a frame to", "a worker", errno);
  }
}

ssize_t Channel::next_message() {
  const auto receive = [this](int flags) { return ::recv(socket_.get(), buffer_.get(), kFrameBytesMax, flags); };
  if (end_ == End::server) return receive(MSG_DONTWAIT);
  const auto start = std::chrono::steady_clock::now();
  const auto waited = [&] { return std::chrono::steady_clock::now() - start; };
  ssize_t n = -1;
  errno = EAGAIN;
  while (is_hurried_ && n < 0 && errno == EAGAIN && waited() < kAwakeMax) {
    n = receive(MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) ::sched_yield();  // whoever else wants the processor may have it
  }
  if (n < 0 && errno == EAGAIN) n = receive(0);
  is_hurried_ = waited() < kAwakeMax;
  return n;
}

Result<std::optional<Frame>> Channel::receive() {
  for (;;) {
    const ssize_t n = next_message();
    if (n > 0) return std::optional(TRY(parse({buffer_.get(), static_cast<size_t>(n)})));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return std::optional<Frame>();
    if (end_ == End::worker && (n == 0 || errno == ECONNRESET)) return std::optional<Frame>();
    if (n == 0 || errno == ECONNRESET) return gone();
    return system_error("receive a frame from", "a worker", errno);
  }
}

Result<Frame> Channel::parse(std::string_view message) {
  Header header;
  if (message.size() < sizeof header) return broken("is shorter than its header");
  std::memcpy(&header, message.data(), sizeof header);
  if (header.magic != kMagic)
    return broken("was written by another version of slipway-worker; install server and worker together");
  if (header.slot >= kSlots) return broken("names slot " + std::to_string(header.slot));
  if (header.rows > kBatchRequestsMax || header.statistics > kBatchRequestsMax || header.tensors > kTensorsMax ||
      header.text_bytes > kFrameTextBytesMax)
    return broken("has more parts than a frame may have");
  if (header.payload_bytes > kAreaBytes) return broken("claims more tensor bytes than fit");
  const Layout layout(header);
  const bool in_shared = header.flags & kInShared;
  const bool has_inline = !in_shared && header.payload_bytes > 0;
  const size_t expected = has_inline ? layout.payload + header.payload_bytes : layout.text + header.text_bytes;
  if (message.size() != expected)
    return broken("has " + std::to_string(message.size()) + " bytes where its header says " + std::to_string(expected));

  Frame frame;
  frame.kind = header.kind;
  frame.id = header.id;
  frame.slot = header.slot;
  frame.code = header.code <= static_cast<std::uint32_t>(ErrorCode::internal) ? static_cast<ErrorCode>(header.code)
                                                                              : ErrorCode::internal;
  frame.times = header.times;
  // The buffer is aligned, and so is every part in it.
  const char* base = message.data();
  frame.rows = {reinterpret_cast<const std::uint32_t*>(base + layout.rows), header.rows};
  frame.tensors = {reinterpret_cast<const FrameTensor*>(base + layout.tensors), header.tensors};
  frame.statistics = {reinterpret_cast<const TensorStatistics*>(base + layout.statistics), header.statistics};
  frame.text = message.substr(layout.text, header.text_bytes);
  if (in_shared) {
    const char* area = end_ == End::server ? memory_.answer_area(header.slot) : memory_.request_area(header.slot);
    frame.payload = {area, header.payload_bytes};
  } else if (has_inline) {
    frame.payload = message.substr(layout.payload, header.payload_bytes);
  }
  for (const FrameTensor& tensor : frame.tensors) {
    if (tensor.rank > kRankMax || static_cast<size_t>(tensor.type) > static_cast<size_t>(DataType::bytes))
      return broken("has a tensor of no known type");
    if (tensor.offset > header.payload_bytes || tensor.length > header.payload_bytes - tensor.offset)
      return broken("has a tensor outside its bytes");
    const auto count = element_count(tensor.shape());
    if (!count || (tensor.type != DataType::bytes && tensor.length != *count * element_bytes(tensor.type)))
      return broken("has a tensor whose bytes do not fit its shape");
  }
  return frame;
}

Result<std::pair<UniqueFd, UniqueFd>> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error("make a socket for", "a worker", errno);
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

}  // namespace slipway::inference
