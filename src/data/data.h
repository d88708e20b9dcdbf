// The front door of data: from a folder of files to the samples and the tree of a commit.
//
//   list_files -> join (pure: which file is which stream of which sample) -> measure (read, hash, decode, check; by
//   threads)
//   -> Prepared: a SampleTable, a Tree, and the folder they can be uploaded from
//
// Nothing is written and nothing is sent. Anything wrong with a file is an error that names it, so a commit is whole or
// is not made. Pictures of strangers are decoded here, so the server never calls this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/project_file.h"
#include "domain/sample.h"
#include "domain/tree.h"

namespace slipway::data {

struct PrepareOptions {
  size_t threads = 0;         // 0: one per core
  size_t problems_named = 5;  // in the error's sentence; all are counted
  /// Called with samples done and all samples, from one thread at a time; false stops with `cancelled`.
  std::function<bool(std::uint64_t done, std::uint64_t total)> progress;
};

struct Prepared {
  SampleTable samples;
  Tree tree;                       // of the samples' files; the paths are those below the folder
  std::uint64_t files_unused = 0;  // match no stream's pattern
  std::vector<std::string> unused_examples;
};

inline constexpr size_t kFilesMax = 20'000'000;
inline constexpr std::uint64_t kDecodedFileBytesMax = 512ull << 20;  // a picture, a label or a text is read whole
inline constexpr size_t kLabelBytesMax = 1024;

/// Relative paths of the regular files below a folder, sorted. Names that begin with a dot are left out, links to
/// folders are not followed.
Result<std::vector<std::string>> list_files(const std::filesystem::path& folder);

/// invalid_argument when the declaration cannot be obeyed (an unknown check, a stream without the key's fields), or
/// when files are missing, broken or contradict it; the sentence counts them and names the first.
Result<Prepared> prepare(const DatasetDeclaration& declaration, const std::filesystem::path& folder,
                         const PrepareOptions& options = {});

/// A declaration for a folder that has none: images/NAME.png with labels/NAME.txt, or CLASS/NAME.png, or pictures just
/// so. invalid_argument when it looks like none of them.
Result<DatasetDeclaration> infer_declaration(const std::vector<std::string>& paths);

}  // namespace slipway::data
