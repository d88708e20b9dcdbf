#include "registry/uploads.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kCountOpen = "SELECT COUNT(*) FROM uploads WHERE project_id = ? AND state = 'open'";
constexpr std::string_view kInsert =
    "INSERT INTO uploads (id, project_id, owner_kind, owner_id, path, part_count, state, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, 'open', ?)";
constexpr std::string_view kSelect =
    "SELECT id, project_id, owner_kind, owner_id, path, part_count, state FROM uploads WHERE id = ?";
constexpr std::string_view kComplete = "UPDATE uploads SET state = 'complete', ended_at = ? WHERE id = ?";
constexpr std::string_view kDelete = "DELETE FROM uploads WHERE id = ? AND state = 'open'";
constexpr std::string_view kForget = "DELETE FROM uploads WHERE state = 'complete' AND ended_at < ?";

PartedUpload upload_of(const Row& row) {
  PartedUpload upload;
  upload.id = row.text(0);
  upload.owner = {ProjectId(row.text(1)), parse_owner_kind(row.text(2)).value_or(OwnerKind::run),
                  std::string(row.text(3))};
  upload.path = row.text(4);
  upload.part_count = row.integer(5);
  upload.is_complete = row.text(6) == "complete";
  return upload;
}

Error unknown(std::string_view id) {
  return {ErrorCode::not_found,
          fmt::format("there is no upload '{}'; it was aborted, or swept because nothing came for {} hours",
                      clean_utf8(id, 100), std::chrono::duration_cast<std::chrono::hours>(kUploadIdleMax).count())};
}

Result<void> check_numbers(const PartedUpload& upload, std::span<const store::PartName> parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].number != static_cast<std::int64_t>(i) + 1)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the list of parts has number {} where {} is expected; they count from 1, each once",
                               parts[i].number, i + 1)};
  }
  if (static_cast<std::int64_t>(parts.size()) == upload.part_count) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("the upload was begun with {} parts, and {} are named", upload.part_count, parts.size())};
}

}  // namespace

Result<PartedUpload> Uploads::begin(const Owner& owner, std::string_view path, std::int64_t part_count) {
  TRY(check_relative_path(path));
  if (part_count < 1 || part_count > kUploadPartsMax)
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("an upload has 1 to {} parts; {} were asked for; send larger parts", kUploadPartsMax, part_count)};
  TRY(sweep());
  const PartedUpload upload{new_id_text(clock_), owner, std::string(path), part_count, false};
  TRY(parts_.begin(upload.id));
  const Time now = clock_.now();
  const auto written = database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const auto open = TRY(c.first(kCountOpen, {owner.project.text}, [](const Row& row) { return row.integer(0); }));
    if (open.value_or(0) >= kUploadsInPartsMax)
      return Error{ErrorCode::busy, fmt::format("{} uploads are open already; complete or abort some", *open)};
    TRY(c.run(kInsert, {upload.id, owner.project.text, std::string(name(owner.kind)), owner.id, upload.path, part_count,
                        now.micros}));
    return {};
  });
  if (written.ok()) return upload;
  (void)parts_.remove(upload.id).ok();  // the sweep would find it, too
  return written.error();
}

Result<PartedUpload> Uploads::find(std::string_view id) {
  return database_.read_value([&](Connection& c) -> Result<PartedUpload> {
    auto upload = TRY(c.first(kSelect, {clean_utf8(id, 100)}, upload_of));
    if (!upload) return unknown(id);
    return std::move(*upload);
  });
}

Result<PartedUpload> Uploads::find(const Owner& owner, std::string_view path, std::string_view id) {
  auto upload = TRY(find(id));
  const bool is_it = upload.owner.project == owner.project && upload.owner.kind == owner.kind &&
                     upload.owner.id == owner.id && upload.path == path;
  if (!is_it) return unknown(id);  // whose it is is nobody else's business
  return upload;
}

Result<store::BlobInfo> Uploads::put_part(std::string_view id, std::int64_t number,
                                          const std::function<Result<std::string>()>& next) {
  const auto upload = TRY(find(id));
  if (upload.is_complete)
    return Error{ErrorCode::failed_precondition, fmt::format("the upload '{}' is complete already", upload.id)};
  if (number < 1 || number > upload.part_count)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the upload has the parts 1 to {}; this is part {}", upload.part_count, number)};
  return parts_.write(upload.id, number, next);
}

Result<void> Uploads::complete(const Owner& owner, std::string_view path, std::string_view id,
                               std::span<const store::PartName> parts) {
  const auto upload = TRY(find(owner, path, id));
  if (upload.is_complete) return {};
  TRY(check_numbers(upload, parts));
  const auto whole = parts_.join(upload.id, parts, store_);
  if (!whole.ok()) {
    // Another request for the same may have been faster, and have taken the parts away.
    const auto now_complete = find(id);
    if (now_complete.ok() && now_complete->is_complete) return {};
    return whole.error();
  }
  TRY(artifacts_.put(owner, path, *whole));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(c.run(kComplete, {now.micros, upload.id}));
    return {};
  }));
  return parts_.remove(upload.id);
}

Result<void> Uploads::abort(const Owner& owner, std::string_view path, std::string_view id) {
  const auto upload = find(owner, path, id);
  if (!upload.ok()) return upload.error().code == ErrorCode::not_found ? Result<void>() : upload.error();
  if (upload->is_complete)
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the upload '{}' is complete already; delete the artifact instead", upload->id)};
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(c.run(kDelete, {upload->id}));
    return {};
  }));
  return parts_.remove(upload->id);
}

Result<std::int64_t> Uploads::sweep() {
  const Time before = clock_.now() - kUploadIdleMax;
  const auto idle = TRY(parts_.idle_since(before));
  for (const std::string& id : idle) {
    TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
      TRY(c.run(kDelete, {id}));
      return {};
    }));
    TRY(parts_.remove(id));
  }
  TRY(database_.write(Durability::stream, [&](Connection& c) -> Result<void> {
    TRY(c.run(kForget, {before.micros}));
    return {};
  }));
  return static_cast<std::int64_t>(idle.size());
}

}  // namespace slipway::registry
