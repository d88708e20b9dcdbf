// The protocol between the server and one worker: frames over a Unix socket that keeps message borders
// (SOCK_SEQPACKET), tensor bytes inside the frame up to kInlineBytesMax, in shared memory beyond.
//
// Both ends are the same build on the same machine, so frames are plain structs in native order; a version number in
// every header catches the rest. What comes from a worker is still checked field by field: it runs models of strangers,
// and a worker that writes nonsense must cost one replica, not the server.
//
//   header | rows of each request in the batch | tensors | statistics | text | padding to 64 | tensor bytes
//
// Shared memory is one memfd of kSlots slots; a slot has an area that the server writes (requests) and one that the
// worker writes (answers). Its size is sealed, so no end can make the other one fault. A slot belongs to one frame in
// flight: the server picks it with the request, the answer uses the same number, and it is free when the answer was
// read. Pages exist only once they were touched.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "domain/prediction.h"
#include "inference/message.h"
#include "inference/tensor.h"

namespace slipway::inference {

enum class FrameKind : std::uint16_t {
  ready = 1,    // worker: the model is loaded and warm; text: {"inputs","outputs","run_us","threads","image"}
  failed,       // worker: it could not load; text: the sentence; the worker ends
  infer,        // server: tensors to run
  infer_image,  // server: one picture to run
  answer,       // worker: tensors, statistics of each request in the batch, times
  refused,      // worker: this one frame failed; text: the sentence
};

inline constexpr int kSlots = 2;                               // frames in flight: one runs, one waits in the socket
inline constexpr std::uint64_t kAreaBytes = kRequestBytesMax;  // of tensors in one frame
inline constexpr std::uint64_t kInlineBytesMax = 2 << 10;      // beyond, shared memory is faster (docs/decisions)
inline constexpr std::uint64_t kInlineBytesFit = 64 << 10;     // what a frame could hold at most
inline constexpr size_t kBatchRequestsMax = 256;
inline constexpr size_t kFrameTextBytesMax = 64 << 10;
inline constexpr size_t kFrameBytesMax = 192 << 10;

/// The tensor bytes that do not fit into frames.
class SharedMemory {
 public:
  static Result<SharedMemory> create();
  /// The other end's view of a memfd that create() made.
  static Result<SharedMemory> open(UniqueFd fd);
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  int fd() const { return fd_.get(); }
  char* request_area(int slot) const { return base_ + static_cast<std::uint64_t>(slot) * 2 * kAreaBytes; }
  char* answer_area(int slot) const { return request_area(slot) + kAreaBytes; }
  /// Gives the pages of a slot back to the machine; the slot must be free.
  void release_pages(int slot);

 private:
  SharedMemory(UniqueFd fd, char* base) : fd_(std::move(fd)), base_(base) {}

  UniqueFd fd_;
  char* base_ = nullptr;
};

/// One tensor of a frame: which input or output of the signature, and where its bytes lie in the payload.
struct FrameTensor {
  std::uint16_t index = 0;
  DataType type = DataType::fp32;
  std::uint8_t rank = 0;
  std::uint32_t reserved = 0;
  std::array<std::int64_t, kRankMax> sizes{};
  std::uint64_t offset = 0, length = 0;

  Shape shape() const;
};

/// Collects what goes into one frame. Bytes are referred to, not copied, until send(); clear() keeps the memory.
class FrameBuilder {
 public:
  void clear();
  /// Another request of the batch, with so many rows.
  void add_request(std::uint32_t rows) { rows_.push_back(rows); }
  void add_statistics(const TensorStatistics& statistics) { statistics_.push_back(statistics); }
  /// Starts a tensor, aligned to 64 bytes; add_bytes() fills it.
  void begin_tensor(size_t index, DataType type, const Shape& shape);
  void add_bytes(std::string_view bytes);
  /// Bytes that are no tensor (a picture).
  void add_payload(std::string_view bytes);

  std::uint64_t payload_bytes() const { return payload_bytes_; }

  std::string text;
  ErrorCode code = ErrorCode::internal;  // of failed and refused
  ComputeTimes times;

 private:
  friend class Channel;

  std::vector<std::uint32_t> rows_;
  std::vector<FrameTensor> tensors_;
  std::vector<TensorStatistics> statistics_;
  std::vector<std::string_view> pieces_;
  std::uint64_t payload_bytes_ = 0;
};

/// A frame as it came; the views hold until the next receive().
struct Frame {
  FrameKind kind = FrameKind::ready;
  std::uint64_t id = 0;
  int slot = 0;
  std::span<const std::uint32_t> rows;
  std::span<const FrameTensor> tensors;
  std::span<const TensorStatistics> statistics;
  std::string_view text;
  std::string_view payload;
  ErrorCode code = ErrorCode::internal;
  ComputeTimes times;
};

/// One end. send() may be called by several threads at once as long as they use different slots; receive() by one.
class Channel {
 public:
  enum class End { server, worker };

  /// Tensors of more than `inline_bytes_max` (at most kInlineBytesFit) travel through shared memory.
  Channel(UniqueFd socket, SharedMemory memory, End end, std::uint64_t inline_bytes_max = kInlineBytesMax);
  ~Channel();

  /// Never waits at the server's end (busy when the socket is full), waits at the worker's. too_large when the tensors
  /// do not fit into kAreaBytes, unavailable when the other end is gone.
  Result<void> send(FrameKind kind, std::uint64_t id, int slot, const FrameBuilder& frame);

  /// The next frame; nullopt when there is none now (server) or the other end closed (worker). unavailable at the
  /// server's end when the worker is gone; data_loss when a frame is not what it should be.
  Result<std::optional<Frame>> receive();

  int socket() const { return socket_.get(); }
  void release_pages(int slot) { memory_.release_pages(slot); }

 private:
  Result<Frame> parse(std::string_view message);
  /// The next message into the buffer, as recv() answers. A worker that has been asked in quick succession looks for
  /// the next request for a moment before it sleeps: to wake a sleeping processor costs more than a small model does.
  ssize_t next_message();

  UniqueFd socket_;
  SharedMemory memory_;
  const End end_;
  const std::uint64_t inline_bytes_max_;
  std::unique_ptr<char[], void (*)(char*)> buffer_;
  bool is_hurried_ = false;  // the last message came within kAwakeMax; only the receiving thread
};

/// A connected pair of sockets for a server and its worker.
Result<std::pair<UniqueFd, UniqueFd>> socket_pair();

}  // namespace slipway::inference
