#include "registry/artifacts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "registry/rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

// --- SQL -----------------------------------------------------------------------------------------------------------

constexpr std::string_view kUpsert =
    "INSERT INTO artifacts (owner_kind, owner_id, path, project_id, hash, size, content_type, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (owner_kind, owner_id, path) DO UPDATE SET hash = excluded.hash, size = excluded.size, "
    "content_type = excluded.content_type, created_at = excluded.created_at";
constexpr std::string_view kSelectOne =
    "SELECT path, hash, size, content_type, created_at FROM artifacts WHERE owner_kind = ? AND owner_id = ? AND path = ? AND project_id = ?";
constexpr std::string_view kSelectRange =
    "SELECT path, hash, size, content_type, created_at FROM artifacts "
    "WHERE owner_kind = ? AND owner_id = ? AND path >= ? AND path < ? AND project_id = ? ORDER BY path";
constexpr std::string_view kSelectRangePart =
    "SELECT path, hash, size, content_type, created_at FROM artifacts "
    "WHERE owner_kind = ? AND owner_id = ? AND path >= ? AND path < ? AND project_id = ? ORDER BY path LIMIT 500";
constexpr std::string_view kSelectRangeSome =
    "SELECT path, hash, size, content_type, created_at FROM artifacts "
    "WHERE owner_kind = ? AND owner_id = ? AND path >= ? AND path < ? AND project_id = ? ORDER BY path LIMIT ?";
constexpr std::string_view kSelectAnyOfRange =
    "SELECT path FROM artifacts WHERE owner_kind = ? AND owner_id = ? AND path >= ? AND path < ? AND project_id = ? LIMIT 1";
constexpr std::string_view kDeleteOne =
    "DELETE FROM artifacts WHERE owner_kind = ? AND owner_id = ? AND path = ? AND project_id = ?";
constexpr std::string_view kDeleteRange =
    "DELETE FROM artifacts WHERE owner_kind = ? AND owner_id = ? AND path >= ? AND path < ? AND project_id = ?";

/// After every path: the last character of Unicode, which is none that anybody writes.
const std::string kPathsEnd = "\xf4\x8f\xbf\xbf";

Artifact artifact_of(const Row& row) {
  return {std::string(row.text(0)), hash_of_row(row, 1), static_cast<std::uint64_t>(row.integer(2)),
          std::string(row.text(3)), Time{row.integer(4)}};
}

/// The range of paths below a folder: from "folder/" up to "folder0", because '0' follows '/'.
std::pair<std::string, std::string> range_of(std::string_view folder) {
  if (folder.empty()) return {"", kPathsEnd};
  return {std::string(folder) + "/", std::string(folder) + "0"};
}

Result<void> check_path(std::string_view path) {
  TRY(check_relative_path(path));
  if (!is_utf8(path))
    return Error{ErrorCode::invalid_argument, "the path '" + clean_utf8(path, 200) + "' is not valid UTF-8"};
  return {};
}

/// A path may not go through a file, nor be a folder.
Result<void> check_place(Connection& c, const Owner& owner, const std::string& path) {
  const auto exists = [&](const std::string& p) {
    return c.first(kSelectOne, {std::string(name(owner.kind)), owner.id, p, owner.project.text},
                   [](const Row&) { return true; });
  };
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (TRY(exists(path.substr(0, slash)))) {
      return Error{ErrorCode::invalid_argument,
                   "'" + path + "' cannot be kept, because '" + path.substr(0, slash) + "' is a file"};
    }
  }
  const auto [from, to] = range_of(path);
  const auto below =
      TRY(c.first(kSelectAnyOfRange, {std::string(name(owner.kind)), owner.id, from, to, owner.project.text},
                  [](const Row&) { return true; }));
  if (below)
    return Error{ErrorCode::invalid_argument, "'" + path + "' cannot be kept as a file, because it is a folder"};
  return {};
}

}  // namespace

// --- owners --------------------------------------------------------------------------------------------------------

std::string_view name(OwnerKind kind) {
  switch (kind) {
    case OwnerKind::run: return "run";
    case OwnerKind::logged_model: return "logged_model";
    case OwnerKind::model_version: return "model_version";
  }
  return "";
}

std::optional<OwnerKind> parse_owner_kind(std::string_view text) {
  for (const OwnerKind kind : {OwnerKind::run, OwnerKind::logged_model, OwnerKind::model_version}) {
    if (text == name(kind)) return kind;
  }
  return std::nullopt;
}

// --- in ------------------------------------------------------------------------------------------------------------

Result<void> put_artifact(Connection& c, const Owner& owner, const Artifact& artifact) {
  TRY(check_place(c, owner, artifact.path));
  TRY(c.run(kUpsert,
            {std::string(name(owner.kind)), owner.id, artifact.path, owner.project.text, render(artifact.hash),
             static_cast<std::int64_t>(artifact.size),
             artifact.content_type.empty() ? std::string(content_type_of(artifact.path)) : artifact.content_type,
             artifact.created_at.micros}));
  return {};
}

Result<void> Artifacts::put(const Owner& owner, std::span<const Artifact> artifacts) {
  if (artifacts.size() > kArtifactBatchMax) {
    return Error{ErrorCode::too_large, fmt::format("{} artifacts at once; at most {} are taken, send several batches",
                                                   artifacts.size(), kArtifactBatchMax)};
  }
  for (const Artifact& artifact : artifacts) {
    TRY(check_path(artifact.path));
    TRY(store_.lease(artifact.hash));
  }
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    for (Artifact artifact : artifacts) {
      artifact.created_at = now;
      TRY(put_artifact(c, owner, artifact));
    }
    return {};
  }));
  tell(owner);
  return {};
}

Result<void> Artifacts::put(const Owner& owner, std::string_view path, const store::BlobInfo& blob,
                            std::string_view content_type) {
  const Artifact artifact{std::string(path), blob.hash, blob.size, std::string(content_type), {}};
  return put(owner, {&artifact, 1});
}

// --- out -----------------------------------------------------------------------------------------------------------

Result<Artifact> Artifacts::get(const Owner& owner, std::string_view path) {
  TRY(check_path(path));
  auto found = TRY(database_.read_value([&](Connection& c) {
    return c.first(kSelectOne, {std::string(name(owner.kind)), owner.id, std::string(path), owner.project.text},
                   artifact_of);
  }));
  if (!found) {
    return Error{ErrorCode::not_found, fmt::format("the {} {} has no artifact '{}'", name(owner.kind), owner.id, path)};
  }
  return std::move(*found);
}

Result<ArtifactPage> Artifacts::list(const Owner& owner, std::string_view folder, size_t page_size,
                                     std::string_view page_token) {
  if (!folder.empty()) TRY(check_path(folder));
  if (!page_token.empty()) TRY(check_path(page_token));
  auto [from, to] = range_of(folder);
  const size_t prefix = folder.empty() ? 0 : folder.size() + 1;
  if (!page_token.empty() && page_token >= from) from = page_token;
  page_size = std::clamp<size_t>(page_size, 1, kArtifactPageMax);

  ArtifactPage page;
  TRY(database_.read([&](Connection& c) -> Result<void> {
    // A folder inside is one entry however much lies in it: the next look starts behind it.
    while (page.next_page_token.empty()) {
      bool again = false;
      TRY(c.run(kSelectRangePart, {std::string(name(owner.kind)), owner.id, from, to, owner.project.text},
                [&](const Row& row) {
                  const Artifact artifact = artifact_of(row);
                  again = true;
                  if (page.entries.size() >= page_size) {
                    page.next_page_token = artifact.path;
                    return false;
                  }
                  const size_t slash = artifact.path.find('/', prefix);
                  if (slash == std::string::npos) {
                    page.entries.push_back({artifact.path, false, artifact.size, artifact.hash});
                    from = artifact.path + '\x01';  // the smallest text after this path
                    return true;
                  }
                  page.entries.push_back({artifact.path.substr(0, slash), true, 0, std::nullopt});
                  from = range_of(artifact.path.substr(0, slash)).second;
                  return false;
                }));
      if (!again) break;
    }
    return {};
  }));
  return page;
}

Result<std::vector<Artifact>> all_artifacts(Connection& c, const Owner& owner, std::string_view folder) {
  const auto [from, to] = range_of(folder);
  auto files =
      TRY(c.rows(kSelectRange, {std::string(name(owner.kind)), owner.id, from, to, owner.project.text}, artifact_of));
  if (files.empty() && !folder.empty()) {
    return c.rows(kSelectOne, {std::string(name(owner.kind)), owner.id, std::string(folder), owner.project.text},
                  artifact_of);
  }
  return files;
}

Result<std::vector<Artifact>> Artifacts::all(const Owner& owner, std::string_view folder) {
  if (!folder.empty()) TRY(check_path(folder));
  return database_.read_value([&](Connection& c) { return all_artifacts(c, owner, folder); });
}

Result<std::vector<Artifact>> Artifacts::some(const Owner& owner, std::string_view folder, std::string_view after,
                                              size_t count) {
  if (!folder.empty()) TRY(check_path(folder));
  auto [from, to] = range_of(folder);
  if (!after.empty() && after >= from) from = std::string(after) + '\x01';  // the smallest text after this path
  return database_.read_value([&, from = from, to = to](Connection& c) {
    return c.rows(
        kSelectRangeSome,
        {std::string(name(owner.kind)), owner.id, from, to, owner.project.text, static_cast<std::int64_t>(count)},
        artifact_of);
  });
}

Result<std::int64_t> Artifacts::remove(const Owner& owner, std::string_view path) {
  TRY(check_path(path));
  const auto [from, to] = range_of(path);
  const auto count =
      TRY(database_.write_value(Durability::record, [&, from = from, to = to](Connection& c) -> Result<std::int64_t> {
        const std::string kind(name(owner.kind));
        const std::int64_t files = TRY(c.run(kDeleteOne, {kind, owner.id, std::string(path), owner.project.text}));
        const std::int64_t removed = files + TRY(c.run(kDeleteRange, {kind, owner.id, from, to, owner.project.text}));
        if (removed == 0)
          return Error{ErrorCode::not_found, fmt::format("the {} {} has no artifact '{}'", kind, owner.id, path)};
        return removed;
      }));
  tell(owner);
  return count;
}

void Artifacts::tell(const Owner& owner) {
  if (events_ && owner.kind == OwnerKind::run) events_->emit({EventKind::artifacts_changed, owner.project, owner.id});
}

// --- media types ---------------------------------------------------------------------------------------------------

std::string_view content_type_of(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 38> kTypes = {{
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"bmp", "image/bmp"},
      {"tif", "image/tiff"},
      {"tiff", "image/tiff"},
      {"svg", "image/svg+xml"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
      {"wav", "audio/wav"},
      {"mp3", "audio/mpeg"},
      {"flac", "audio/flac"},
      {"txt", "text/plain"},
      {"log", "text/plain"},
      {"md", "text/markdown"},
      {"csv", "text/csv"},
      {"html", "text/html"},
      {"py", "text/x-python"},
      {"yaml", "application/yaml"},
      {"yml", "application/yaml"},
      {"json", "application/json"},
      {"jsonl", "application/x-ndjson"},
      {"pdf", "application/pdf"},
      {"zip", "application/zip"},
      {"gz", "application/gzip"},
      {"tar", "application/x-tar"},
      {"ogg", "audio/ogg"},
      {"oga", "audio/ogg"},
      {"opus", "audio/ogg"},
      {"m4a", "audio/mp4"},
      {"m4v", "video/mp4"},
      {"ogv", "video/ogg"},
      {"mov", "video/quicktime"},
      {"htm", "text/html"},
      {"tsv", "text/tab-separated-values"},
      {"parquet", "application/vnd.apache.parquet"},
  }};
  const size_t dot = path.rfind('.');
  const size_t slash = path.rfind('/');
  if (dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash)) {
    const std::string extension = lower(path.substr(dot + 1));
    for (const auto& [known, type] : kTypes) {
      if (extension == known) return type;
    }
  }
  if (path == "MLmodel" || path.ends_with("/MLmodel")) return "text/plain";
  return "application/octet-stream";
}

}  // namespace slipway::registry
