#include "inference/worker.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <spng.h>
#include <sys/socket.h>

#include <thread>

#include "base/file.h"
#include "inference/onnx_writer.h"
#include "inference/preprocess.h"

namespace slipway::inference {
namespace {

std::string float_bytes(std::vector<float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string png(int width, int height, const std::vector<unsigned char>& gray) {
  spng_ctx* context = spng_ctx_new(SPNG_CTX_ENCODER);
  spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.bit_depth = 8;
  header.color_type = SPNG_COLOR_TYPE_GRAYSCALE;
  spng_set_ihdr(context, &header);
  EXPECT_EQ(spng_encode_image(context, gray.data(), gray.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
  size_t size = 0;
  int code = 0;
  void* bytes = spng_get_png_buffer(context, &size, &code);
  std::string out(static_cast<char*>(bytes), size);
  std::free(bytes);
  spng_ctx_free(context);
  return out;
}

/// A worker on a thread of this process: the same code as the program, without its process.
class WorkerOnThread {
 public:
  explicit WorkerOnThread(const std::string& model, Json preprocess = {}) : path_(folder_.path() / "model.onnx") {
    EXPECT_TRUE(write_file_atomic(path_, model).ok());
    auto ends = socket_pair().value();
    auto memory = SharedMemory::create().value();
    auto theirs = SharedMemory::open(UniqueFd(::dup(memory.fd()))).value();
    channel_ = std::make_unique<Channel>(std::move(ends.first), std::move(memory), Channel::End::server);
    thread_ = std::thread([this, preprocess, socket = std::move(ends.second), shared = std::move(theirs)]() mutable {
      Channel channel(std::move(socket), std::move(shared), Channel::End::worker);
      (void)serve({path_, preprocess, 1}, channel);
    });
  }
  ~WorkerOnThread() {
    ::shutdown(channel_->socket(), SHUT_RDWR);
    thread_.join();
  }

  Channel& channel() { return *channel_; }
  Frame next() {
    pollfd ready{channel_->socket(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 20'000), 1);
    auto frame = channel_->receive();
    EXPECT_TRUE(frame.ok()) << frame.error().message;
    return frame.ok() && *frame ? **frame : Frame{};
  }

 private:
  TemporaryDirectory folder_;
  std::filesystem::path path_;
  std::unique_ptr<Channel> channel_;
  std::thread thread_;
};

TEST(Worker, says_when_it_is_ready_and_answers_a_batch_with_figures_for_each_request) {
  WorkerOnThread worker(onnx::scaling_model(2, 3));
  const Frame ready = worker.next();
  ASSERT_EQ(ready.kind, FrameKind::ready);
  const auto signature = parse_signature(Json::parse(ready.text).value());
  ASSERT_TRUE(signature.ok());
  EXPECT_EQ(signature->inputs[0].name, "x");

  FrameBuilder frame;
  frame.add_request(1);
  frame.add_request(2);
  frame.begin_tensor(0, DataType::fp32, {3, 2});
  const std::string first = float_bytes({1, 1}), second = float_bytes({2, 2, 4, 4});
  frame.add_bytes(first);
  frame.add_bytes(second);
  ASSERT_TRUE(worker.channel().send(FrameKind::infer, 42, 1, frame).ok());
  const Frame answer = worker.next();
  ASSERT_EQ(answer.kind, FrameKind::answer);
  EXPECT_EQ(answer.id, 42u);
  EXPECT_EQ(answer.slot, 1);
  ASSERT_EQ(answer.statistics.size(), 2u);
  EXPECT_EQ(answer.statistics[0].input_mean, 1);
  EXPECT_EQ(answer.statistics[1].input_mean, 3);
  ASSERT_EQ(answer.tensors.size(), 1u);
  EXPECT_EQ(answer.payload.substr(answer.tensors[0].offset, answer.tensors[0].length),
            float_bytes({3, 3, 6, 6, 12, 12}));
}

TEST(Worker, tensors_beyond_a_frame_travel_through_shared_memory) {
  const std::int64_t width = 1 << 20;
  WorkerOnThread worker(onnx::scaling_model(width, 2));
  ASSERT_EQ(worker.next().kind, FrameKind::ready);
  const std::string values = float_bytes(std::vector<float>(static_cast<size_t>(width), 21));
  for (int slot = 0; slot < kSlots; ++slot) {
    FrameBuilder frame;
    frame.add_request(1);
    frame.begin_tensor(0, DataType::fp32, {1, width});
    frame.add_bytes(values);
    ASSERT_TRUE(worker.channel().send(FrameKind::infer, 7, slot, frame).ok());
    const Frame answer = worker.next();
    ASSERT_EQ(answer.kind, FrameKind::answer);
    ASSERT_EQ(answer.payload.size(), values.size());
    EXPECT_EQ(answer.payload, float_bytes(std::vector<float>(static_cast<size_t>(width), 42)));
    worker.channel().release_pages(slot);
  }
}

TEST(Worker, a_corrupt_model_is_told_through_the_protocol) {
  WorkerOnThread worker("this is no model");
  const Frame failed = worker.next();
  EXPECT_EQ(failed.kind, FrameKind::failed);
  EXPECT_EQ(failed.code, ErrorCode::invalid_argument);
  EXPECT_NE(failed.text.find("model.onnx"), std::string::npos);
}

TEST(Worker, what_only_the_graph_can_refuse_fails_one_frame) {
  // The second input's size is open, and the graph needs it to be the first's.
  WorkerOnThread worker(
      onnx::render({{onnx::node("Add", {"a", "b"}, {"sum"})},
                    {},
                    {onnx::value_info("a", onnx::kFloat, {-1}), onnx::value_info("b", onnx::kFloat, {-1})},
                    {onnx::value_info("sum", onnx::kFloat, {-1})}}));
  ASSERT_EQ(worker.next().kind, FrameKind::ready);
  for (const std::int64_t size : {3, 2}) {
    FrameBuilder frame;
    frame.add_request(1);
    const std::string two = float_bytes({1, 2}), other = float_bytes(std::vector<float>(static_cast<size_t>(size), 1));
    frame.begin_tensor(0, DataType::fp32, {2});
    frame.add_bytes(two);
    frame.begin_tensor(1, DataType::fp32, {size});
    frame.add_bytes(other);
    ASSERT_TRUE(worker.channel().send(FrameKind::infer, 1, 0, frame).ok());
    EXPECT_EQ(worker.next().kind, size == 2 ? FrameKind::answer : FrameKind::refused);
  }
}

TEST(Worker, decodes_a_picture_by_declaration) {
  WorkerOnThread worker(onnx::flatten_model(1, 2, 2),
                        Json::parse(R"({"decode":"grayscale","scale":1,"invert":true})").value());
  ASSERT_EQ(worker.next().kind, FrameKind::ready);
  FrameBuilder frame;
  frame.add_request(1);
  const std::string picture = png(2, 2, {0, 100, 200, 255});
  frame.add_payload(picture);
  ASSERT_TRUE(worker.channel().send(FrameKind::infer_image, 1, 0, frame).ok());
  const Frame answer = worker.next();
  ASSERT_EQ(answer.kind, FrameKind::answer) << answer.text;
  EXPECT_EQ(answer.payload, float_bytes({255, 155, 55, 0}));
}

TEST(Worker, a_broken_picture_is_the_clients_mistake) {
  WorkerOnThread worker(onnx::flatten_model(1, 2, 2));
  ASSERT_EQ(worker.next().kind, FrameKind::ready);
  const std::string whole = png(2, 2, {0, 100, 200, 255});
  for (const std::string& picture : {std::string("GIF89a"), whole.substr(0, 40), std::string("\xff\xd8\xff garbage")}) {
    FrameBuilder frame;
    frame.add_request(1);
    frame.add_payload(picture);
    ASSERT_TRUE(worker.channel().send(FrameKind::infer_image, 1, 0, frame).ok());
    const Frame answer = worker.next();
    EXPECT_EQ(answer.kind, FrameKind::refused);
    EXPECT_EQ(answer.code, ErrorCode::invalid_argument) << answer.text;
  }
}

TEST(Preprocess, a_picture_of_another_size_is_resized_and_layouts_are_kept) {
  const Signature wide{{{"image", DataType::fp32, {-1, 2, 2, 3}}}, {}};
  const auto spec = parse_image_spec({}, wide);
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_TRUE(spec->channels_last);
  EXPECT_EQ(spec->channels, 3);
  const auto tensor = image_to_tensor(png(4, 4, std::vector<unsigned char>(16, 255)), *spec, wide);
  ASSERT_TRUE(tensor.ok()) << tensor.error().message;
  EXPECT_EQ(tensor->shape, (Shape{1, 2, 2, 3}));
  EXPECT_EQ(tensor->bytes, float_bytes(std::vector<float>(12, 1)));
}

TEST(Preprocess, a_flat_input_takes_a_picture_of_as_many_pixels) {
  const Signature flat{{{"x", DataType::fp32, {-1, 4}}}, {}};
  const auto spec = parse_image_spec(Json::parse(R"({"size":[2,2]})").value(), flat);
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(image_to_tensor(png(2, 2, {0, 51, 102, 255}), *spec, flat)->bytes, float_bytes({0, 0.2f, 0.4f, 1}));
  EXPECT_EQ(parse_image_spec(render(*spec, flat), flat).value(), *spec);
}

TEST(Preprocess, a_wrong_declaration_gets_a_sentence) {
  const Signature signature{{{"x", DataType::fp32, {-1, 1, 2, 2}}}, {}};
  const auto refused = [&](const char* json) {
    const auto spec = parse_image_spec(Json::parse(json).value(), signature);
    return spec.ok() ? "accepted" : spec.error().message;
  };
  EXPECT_EQ(refused(R"({"sclae":2})"), "preprocess: unknown key 'sclae'; did you mean 'scale'?");
  EXPECT_EQ(refused(R"({"size":[3,3]})").substr(0, 84),
            "preprocess: a picture of 1 x 3 x 3 (channels, height, width) does not fit input 'x' ");
  EXPECT_EQ(refused(R"({"mean":[1,2]})"), "preprocess: 'mean' needs 1 numbers, one per channel; found [1,2]");
  EXPECT_EQ(refused(R"({"deviation":0})"), "preprocess: 'deviation' must not be 0");
  EXPECT_EQ(refused("[]"), "preprocess: the declaration must be an object; found array");
}

TEST(Channel, a_frame_of_nonsense_is_refused_not_believed) {
  auto ends = socket_pair().value();
  Channel server(std::move(ends.first), SharedMemory::create().value(), Channel::End::server);
  for (const std::string& bytes :
       {std::string("x"), std::string(80, '\xff'), std::string("SLW1") + std::string(76, '\x7f'),
        std::string("SLW1") + std::string(76, '\0') + "more"}) {
    ASSERT_EQ(::send(ends.second.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    const auto frame = server.receive();
    ASSERT_FALSE(frame.ok());
    EXPECT_EQ(frame.error().code, ErrorCode::data_loss);
  }
  ends.second.reset();
  EXPECT_EQ(server.receive().error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace slipway::inference
