// ONNX Runtime's C interface, found at run time. Only model.cc includes this.
#pragma once

#include <onnxruntime_c_api.h>

#include <memory>

#include "base/result.h"

namespace slipway::inference {

/// The interface of the loaded library and its one environment; the same for all callers. Never unloaded.
struct Runtime {
  const OrtApi* api = nullptr;
  OrtEnv* environment = nullptr;
};
Result<const Runtime*> runtime();

/// Owns one object of the C interface and releases it with the matching function.
template <typename T>
class OrtOwned {
 public:
  using Release = void(ORT_API_CALL*)(T*);

  OrtOwned() = default;
  OrtOwned(T* object, Release release) : object_(object), release_(release) {}
  OrtOwned(OrtOwned&& other) noexcept : object_(std::exchange(other.object_, nullptr)), release_(other.release_) {}
  OrtOwned& operator=(OrtOwned&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(release_, other.release_);
    return *this;
  }
  ~OrtOwned() {
    if (object_) release_(object_);
  }
  T* get() const { return object_; }

 private:
  T* object_ = nullptr;
  Release release_ = nullptr;
};

/// Consumes the status. What the runtime says was wrong with a model or an input is invalid_argument, what it says of
/// itself internal.
Result<void> check_status(const OrtApi& api, OrtStatus* status, std::string_view attempted);

}  // namespace slipway::inference
