// Blobs between this machine and the server: only what the other side lacks, small ones many at once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli.h"
#include "domain/tree.h"

namespace slipway::cli {

/// An answer with an error status as an error, in the server's own sentence where it has one.
Result<void> check_answer(const http::ClientResponse& response, std::string_view attempted);

/// Bytes that the server should have: of a file, or held here.
struct Outgoing {
  Hash hash;
  std::uint64_t size = 0;
  std::filesystem::path file;  // empty: `bytes`
  std::string bytes;
};

struct Sent {
  std::uint64_t blobs = 0, bytes = 0;  // that the server did not have
};

/// Sends what is missing. A file that changed since it was hashed is failed_precondition and named.
Result<Sent> send_blobs(Context& context, const std::vector<Outgoing>& blobs, const std::string& what);

/// The whole blob, held against its name.
Result<std::string> fetch_blob(Context& context, const Hash& hash);

/// Writes the tree's files below `folder`. A file that is there with other bytes is already_exists, before anything is
/// written, unless `force`; one with the same bytes is left alone.
struct Received {
  std::uint64_t files = 0, bytes = 0, kept = 0;
};
Result<Received> fetch_tree(Context& context, const Tree& tree, const std::filesystem::path& folder, bool force,
                            const std::string& what);

}  // namespace slipway::cli
