// Transfers of artifacts past the client's own connection: uploads in parts, and URLs that are signed for one artifact.
// Upstream hands out URLs of a cloud's storage; ours lead back to this server, below kSignedPrefix.
#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/artifact_place.h"
#include "api/mlflow/endpoint.h"
#include "api/send_blob.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;
using registry::OwnerKind;

constexpr Duration kPartUrlLifetime = std::chrono::hours(24);
constexpr Duration kDownloadUrlLifetime = std::chrono::hours(1);
constexpr std::uint64_t kPartBytesMax = 5ull << 30;

// --- uploads in parts ----------------------------------------------------------------------------------------------

/// The folder in the URL, and the name that the file has on the client's machine, whose paths may have backslashes.
Result<Place> place_of_upload(const Call& call) {
  Place place = TRY(place_of(call.project(), call.text("artifact_path")));
  const std::string& local = call.text("path");
  const std::string name = local.substr(local.find_last_of("/\\") + 1);
  place.path += (place.path.empty() ? "" : "/") + name;
  TRY(check_path(place.path));
  return place;
}

Result<std::string> create_upload(const Rooms& rooms, const Call& call) {
  const Place place = TRY(place_of_upload(call));
  TRY(check_owner(rooms, place.owner));
  const auto upload = TRY(rooms.uploads.begin(place.owner, place.path, call.integer("num_parts").value_or(1)));
  const std::string base = base_url_of(call.request());
  JsonWriter json;
  json.begin_object().member("upload_id", upload.id).key("credentials").begin_array();
  for (std::int64_t part = 1; part <= upload.part_count; ++part) {
    const std::string path = fmt::format("{}uploads/{}/{}", kSignedPrefix, upload.id, part);
    json.begin_object()
        .member("url", base + rooms.signed_urls.sign(Method::put, path, kPartUrlLifetime))
        .member("part_number", part)
        .key("headers")
        .begin_object()
        .end_object()
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

Result<std::vector<store::PartName>> parts_of(const Call& call) {
  std::vector<store::PartName> parts;
  for (const Json& item : call.list("parts")) {
    const auto number = item["part_number"].integer();
    std::string_view etag = item["etag"].string();
    if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
    const auto hash = parse_hash(etag);
    if (!number || !hash.ok())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("part {} of 'parts' needs a part_number and the ETag that its upload was answered with",
                               parts.size() + 1)};
    parts.push_back({*number, *hash});
  }
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return parts;
}

Result<std::string> complete_upload(const Rooms& rooms, const Call& call) {
  const Place place = TRY(place_of_upload(call));
  const auto parts = TRY(parts_of(call));
  TRY(rooms.uploads.complete(place.owner, place.path, call.text("upload_id"), parts));
  return std::string("{}");
}

Result<std::string> abort_upload(const Rooms& rooms, const Call& call) {
  const Place place = TRY(place_of_upload(call));
  TRY(rooms.uploads.abort(place.owner, place.path, call.text("upload_id")));
  return std::string("{}");
}

Result<store::BlobInfo> put_part(const Rooms& rooms, const http::Request& request, http::BodyReader& body) {
  TRY(rooms.signed_urls.check(request));
  const auto number = parse_i64(request.parameter("part"));
  if (!number) return Error{ErrorCode::invalid_argument, "the number of the part is no number"};
  return rooms.uploads.put_part(request.parameter("upload"), *number, [&] { return body.next(); });
}

// --- signed URLs of one artifact -----------------------------------------------------------------------------------

std::string signed_path(const Place& place) {
  return fmt::format("{}artifacts/{}/{}/{}/{}", kSignedPrefix, place.owner.project.text, name(place.owner.kind),
                     place.owner.id, place.path);
}

Result<Place> place_of_signed(const Rooms& rooms, const http::Request& request) {
  TRY(rooms.signed_urls.check(request));
  const auto kind = registry::parse_owner_kind(request.parameter("kind"));
  const std::string_view path = request.parameter("path");
  if (!kind || path.empty()) return Error{ErrorCode::invalid_argument, "the signed URL names no artifact"};
  TRY(check_path(path));
  return Place{{ProjectId(request.parameter("project")), *kind, std::string(request.parameter("owner"))},
               std::string(path)};
}

/// What a download needs: {`url_key`, headers, file_size}.
Result<std::string> download_url(const Rooms& rooms, const Call& call, const Place& place, std::string_view url_key,
                                 Duration lifetime) {
  const auto artifact = TRY(rooms.artifacts.get(place.owner, place.path));
  JsonWriter json;
  json.begin_object()
      .member(url_key, base_url_of(call.request()) + rooms.signed_urls.sign(Method::get, signed_path(place), lifetime))
      .key("headers")
      .begin_object()
      .end_object()
      .member("file_size", artifact.size)
      .end_object();
  return json.take();
}

Result<std::string> presigned(const Rooms& rooms, const Call& call) {
  const Place place = TRY(place_of(call.project(), call.text("artifact_path")));
  return download_url(rooms, call, place, "url", kDownloadUrlLifetime);
}

/// The run or logged model that a request names, and its path.
Result<Place> place_of_fields(const Rooms& rooms, const Call& call) {
  const std::string& model = call.text("model_id");
  Place place{{call.project(), model.empty() ? OwnerKind::run : OwnerKind::logged_model,
               model.empty() ? call.run().text : model},
              call.text("path")};
  TRY(check_path(place.path));
  if (place.owner.id.empty() || place.path.empty()) return missing_parameter(place.path.empty() ? "path" : "run_id");
  TRY(check_owner(rooms, place.owner));
  return place;
}

Result<Duration> lifetime_of(const Call& call) {
  const std::int64_t seconds =
      call.integer("expiration")
          .value_or(std::chrono::duration_cast<std::chrono::seconds>(kDownloadUrlLifetime).count());
  const std::int64_t most = std::chrono::duration_cast<std::chrono::seconds>(kSignedUrlLifetimeMax).count();
  if (seconds >= 1 && seconds <= most) return Duration(std::chrono::seconds(seconds));
  return Error{ErrorCode::invalid_argument, fmt::format("expiration is {} seconds; expected 1 to {}", seconds, most)};
}

Result<std::string> presigned_download(const Rooms& rooms, const Call& call) {
  return download_url(rooms, call, TRY(place_of_fields(rooms, call)), "presigned_url", TRY(lifetime_of(call)));
}

Result<std::string> presigned_upload(const Rooms& rooms, const Call& call) {
  const Place place = TRY(place_of_fields(rooms, call));
  const std::string url =
      base_url_of(call.request()) + rooms.signed_urls.sign(Method::put, signed_path(place), TRY(lifetime_of(call)));
  JsonWriter json;
  json.begin_object().member("presigned_url", url).key("headers").begin_object().end_object().end_object();
  return json.take();
}

Result<void> put_signed(const Rooms& rooms, const http::Request& request, http::BodyReader& body) {
  return put_artifact_body(rooms, TRY(place_of_signed(rooms, request)), body);
}

}  // namespace

std::span<const Endpoint> transfer_endpoints() {
  static const Field kLocalPath{"path", FieldType::text, true}, kUpload{"upload_id", FieldType::text, true};
  static const std::vector<Field> kDownload{
      {"run_id"}, {"model_id"}, {"path", FieldType::text, true}, {"expiration", FieldType::integer}};
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow-artifacts/mpu/create/{artifact_path...}",
       {{"artifact_path"}, kLocalPath, {"num_parts", FieldType::integer}},
       create_upload},
      {Method::post,
       "mlflow-artifacts/mpu/complete/{artifact_path...}",
       {{"artifact_path"}, kLocalPath, kUpload, {"parts", FieldType::objects, true}},
       complete_upload},
      {Method::post,
       "mlflow-artifacts/mpu/abort/{artifact_path...}",
       {{"artifact_path"}, kLocalPath, kUpload},
       abort_upload},
      {Method::get, "mlflow-artifacts/presigned/{artifact_path...}", {{"artifact_path"}}, presigned},
      {Method::post, "mlflow/artifacts/presigned-upload-url", kDownload, presigned_upload},
      {Method::post, "mlflow/artifacts/presigned-download-url", kDownload, presigned_download},
  };
  return endpoints;
}

void add_signed_transfers(http::Router& router, const Rooms& rooms) {
  router.add_streaming(Method::put, std::string(kSignedPrefix) + "uploads/{upload}/{part}",
                       [rooms](http::Request& request, http::BodyReader& body, http::Responder responder) {
                         const auto part = put_part(rooms, request, body);
                         if (!part.ok()) return responder.send(mlflow_error(part.error()));
                         http::Response response = http::Response::json("{}");
                         response.headers.set("ETag", '"' + render(part->hash) + '"');
                         responder.send(std::move(response));
                       },
                       {.where = http::Where::on_pool, .body_bytes_max = kPartBytesMax});
  const std::string artifact = std::string(kSignedPrefix) + "artifacts/{project}/{kind}/{owner}/{path...}";
  router.add(Method::get, artifact, [rooms](http::Request& request, http::Responder responder) {
    send_place(rooms, request, responder, place_of_signed(rooms, request));
  });
  router.add_streaming(Method::put, artifact,
                       [rooms](http::Request& request, http::BodyReader& body, http::Responder responder) {
                         const auto kept = put_signed(rooms, request, body);
                         responder.send(kept.ok() ? http::Response::json("{}") : mlflow_error(kept.error()));
                       },
                       {.where = http::Where::on_pool, .body_bytes_max = UINT64_MAX});
}

}  // namespace slipway::api::mlflow
