// A running MLflow tracking server, over its REST protocol (2.x and 3.x).
#pragma once

#include <memory>
#include <string>

#include "imports/rest.h"
#include "imports/source.h"

namespace slipway::imports {

struct ServerOptions {
  http::Headers headers;    // sent with every request
  std::string filter;       // of runs, as a search takes it; empty: all
  bool is_slipway = false;  // files of logged models come from the artifact proxy
};

/// `unsupported` when what answers there is no MLflow server.
Result<std::unique_ptr<Source>> open_mlflow_server(const std::string& url, const Credentials& credentials,
                                                   const ServerOptions& options = {});

}  // namespace slipway::imports
