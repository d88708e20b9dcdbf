#include "inference/runtime.h"

#include <dlfcn.h>

#include <filesystem>
#include <mutex>

#include "base/library.h"
#include "base/text.h"
#include "inference/model.h"

namespace slipway::inference {
namespace {

constexpr const char* kLibrary = "libonnxruntime.so.1";

Result<const OrtApi*> open_library() {
  std::string tried;
  for (const std::filesystem::path& candidate : library_candidates("SLIPWAY_ONNXRUNTIME", kLibrary)) {
    void* library = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      tried += "\n  " + std::string(::dlerror());
      continue;
    }
    const auto base = reinterpret_cast<const OrtApiBase* (*)()>(::dlsym(library, "OrtGetApiBase"));
    if (!base)
      return Error{ErrorCode::unavailable, candidate.string() + " is no ONNX Runtime: it has no OrtGetApiBase"};
    // A newer library answers for every older interface.
    const OrtApi* api = base()->GetApi(ORT_API_VERSION);
    if (!api)
      return Error{ErrorCode::unavailable, candidate.string() + " is ONNX Runtime " + base()->GetVersionString() +
                                               "; version 1." + std::to_string(ORT_API_VERSION) +
                                               " or newer is needed"};
    return api;
  }
  return Error{ErrorCode::unavailable,
               "ONNX Runtime (" + std::string(kLibrary) +
                   ") could not be loaded; set SLIPWAY_ONNXRUNTIME to its path. Tried:" + tried};
}

Result<Runtime> load_runtime() {
  Runtime loaded;
  loaded.api = TRY(open_library());
  // Sessions say in their errors what went wrong; the runtime's own log would go to standard error.
  TRY(check_status(*loaded.api, loaded.api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "slipway", &loaded.environment),
                   "start ONNX Runtime"));
  (void)check_status(*loaded.api, loaded.api->DisableTelemetryEvents(loaded.environment), "switch telemetry off");
  return loaded;
}

}  // namespace

Result<const Runtime*> runtime() {
  static const Result<Runtime> loaded = load_runtime();
  if (!loaded.ok()) return loaded.error();
  return &loaded.value();
}

Result<void> check_status(const OrtApi& api, OrtStatus* status, std::string_view attempted) {
  if (!status) return {};
  const OrtErrorCode code = api.GetErrorCode(status);
  const std::string message = clean_utf8(api.GetErrorMessage(status), 2000);
  api.ReleaseStatus(status);
  const bool ours =
      code == ORT_ENGINE_ERROR || code == ORT_RUNTIME_EXCEPTION || code == ORT_FAIL || code == ORT_EP_FAIL;
  return Error{ours ? ErrorCode::internal : ErrorCode::invalid_argument,
               "could not " + std::string(attempted) + ": " + message};
}

}  // namespace slipway::inference
