// Messages of gRPC and what the inference room works with, either way.
#pragma once

#include <api/inference/grpc.pb.h>

#include <memory>
#include <string>

#include "inference/inference.h"

namespace slipway::api::oip {

/// The request as the HTTP route takes it: JSON with raw tensors behind it, so that one decoder checks both, and a
/// captured request is asked again the same way wherever it came from. Outputs are wanted raw. invalid_argument for
/// tensors that cannot be put like this; everything else is the decoder's to refuse.
Result<::slipway::inference::EncodedBody> http_body(const ::inference::ModelInferRequest& request);

/// The answer, its tensors raw and in the order that `asked` wants. Its id is the parameter slipway_answer_id.
Result<::inference::ModelInferResponse> response_message(const ::slipway::inference::InferRequest& asked,
                                                         const ::slipway::inference::InferResponse& response);

/// What the HTTP routes answer with, as the message that has the same members; internal when it has not.
Result<void> fill(google::protobuf::Message& message, const std::string& json);

}  // namespace slipway::api::oip
