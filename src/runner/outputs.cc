#include "runner/outputs.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash_file.h"
#include "base/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallBytes = 256 << 10;
constexpr std::uint64_t kBatchBytesMax = 8 << 20;
constexpr size_t kBatchBlobsMax = 1000;

Error changed(const fs::path& path) {
  return Error{ErrorCode::failed_precondition,
               fmt::format("{} changed while it was being read; try again when it stands still", path.string())};
}

/// The file inside `folder` that the link leads to, if it does.
const TreeEntry* target_inside(const Tree& tree, const fs::path& folder, const std::string& path) {
  std::error_code problem;
  const fs::path target = fs::canonical(folder / path, problem), top = fs::canonical(folder, problem);
  if (problem) return nullptr;
  const TreeEntry* entry = tree.find(target.lexically_relative(top).generic_string());
  return entry && entry->kind != TreeEntryKind::link ? entry : nullptr;
}

/// Outputs are read by others, elsewhere: a link means nothing there.
std::vector<std::string> follow_links(Snapshot& folder) {
  std::vector<std::string> left_out;
  std::vector<TreeEntry> entries;
  for (const TreeEntry& entry : folder.tree.entries) {
    if (entry.kind != TreeEntryKind::link) {
      entries.push_back(entry);
    } else if (const TreeEntry* target = target_inside(folder.tree, folder.folder, entry.path)) {
      entries.push_back({entry.path, target->hash, target->size, target->kind});
    } else {
      left_out.push_back(fmt::format("the link {} leads out of the folder", clean_utf8(entry.path)));
    }
  }
  folder.tree.entries = std::move(entries);
  return left_out;
}

}  // namespace

Result<Hash> upload_bytes(Link& link, std::string bytes) {
  const Hash hash = hash_of(bytes);
  const auto missing = TRY(link.missing_blobs(std::vector<Hash>{hash}));
  if (!missing.empty()) TRY(link.put_blobs(std::vector<std::string>{std::move(bytes)}));
  return hash;
}

Result<Hash> upload_tree(Link& link, const Snapshot& snapshot, const UploadProgress& progress) {
  std::map<Hash, std::uint64_t> sizes;
  for (const TreeEntry& entry : snapshot.tree.entries) sizes[entry.hash] = entry.size;
  std::vector<Hash> hashes;
  for (const auto& [hash, size] : sizes) hashes.push_back(hash);
  const std::vector<Hash> missing = TRY(link.missing_blobs(hashes));
  std::uint64_t all = 0, sent = 0, batch_bytes = 0;
  for (const Hash& hash : missing) all += sizes[hash];

  std::vector<std::string> batch;
  const auto flush = [&]() -> Result<void> {
    if (batch.empty()) return {};
    TRY(link.put_blobs(batch));
    sent += batch_bytes;
    batch.clear();
    batch_bytes = 0;
    if (progress) progress(sent, all);
    return {};
  };
  for (const Hash& hash : missing) {
    const auto target = snapshot.link_targets.find(hash);
    if (sizes[hash] > kSmallBytes) {
      TRY(link.put_file(hash, snapshot.files.at(hash)));
      sent += sizes[hash];
      if (progress) progress(sent, all);
      continue;
    }
    std::string bytes =
        target != snapshot.link_targets.end() ? target->second : TRY(read_file(snapshot.files.at(hash)));
    if (hash_of(bytes) != hash) return changed(snapshot.files.at(hash));
    batch_bytes += bytes.size();
    batch.push_back(std::move(bytes));
    if (batch.size() >= kBatchBlobsMax || batch_bytes >= kBatchBytesMax) TRY(flush());
  }
  TRY(flush());
  return upload_bytes(link, render(snapshot.tree));
}

Result<std::optional<UploadedOutput>> upload_output(Link& link, std::string_view name, const StepOutput& output,
                                                    const fs::path& code, const fs::path& outputs) {
  const fs::path path = output.path.empty() ? outputs / name : code / output.path;
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  UploadedOutput uploaded;
  OutputReport& report = uploaded.report;
  report.name = std::string(name);
  report.path = output.path.empty() ? std::string(name) : output.path;
  if (fs::is_directory(status)) {
    Snapshot folder = TRY(read_folder(path));
    uploaded.left_out = follow_links(folder);
    for (const OmittedFile& file : folder.manifest.omitted) uploaded.left_out.push_back(file.path + ": " + file.why);
    report.is_tree = true;
    report.bytes = folder.tree.bytes();
    report.hash = TRY(upload_tree(link, folder));
    return std::optional(uploaded);
  }
  if (fs::is_regular_file(status)) {
    report.bytes = fs::file_size(path, ignored);
    report.hash = TRY(hash_file(path)).hash;
    if (!TRY(link.missing_blobs(std::vector<Hash>{report.hash})).empty()) TRY(link.put_file(report.hash, path));
    return std::optional(uploaded);
  }
  if (output.optional) return std::optional<UploadedOutput>();
  return Error{ErrorCode::not_found,
               fmt::format("the output '{}' is missing: the command ended well but wrote no {}", name,
                           output.path.empty() ? "$SLIPWAY_OUTPUTS/" + std::string(name) : output.path)};
}

}  // namespace slipway::runner
