// Media of a run: pictures, sounds, tables and the like, of one key step by step. There is no list of them beside the
// artifacts: a file is media by its path, and this says which paths those are (docs/media.md tells users).
//
//   media/KEY/STEP.EXT               from Slipway's helpers; STEP.NAME.png is a mask over a picture, STEP.json tells of
//                                    caption and boxes, STEP.table.json, STEP.plot.json and STEP.vega.json are media
//   images/KEY+step+STEP+timestamp+MS+ID.png   mlflow.log_image(image, key=, step=), '/' in KEY written as '~';
//                                    KEY%step%… with '#' from older clients; …+compressed.webp is the small copy
//   any/PATH.EXT                     every other file whose ending is known: KEY is the path without it. A word such as
//                                    step_12, epoch-3 or iter7 in the path is its step and no part of KEY
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"

namespace slipway {

/// `json` is a table, a plot or plain JSON; only its content says which.
enum class MediaKind { image, audio, video, table, plot, text, html, json };
std::string_view name(MediaKind kind);
std::optional<MediaKind> parse_media_kind(std::string_view text);

/// What a path says.
struct MediaName {
  enum class Part { item, preview, about, mask };
  Part part = Part::item;
  std::string key;
  MediaKind kind = MediaKind::image;  // of an item
  std::optional<std::int64_t> step;   // none: the path names no step
  std::optional<std::int64_t> at_ms;  // when it was logged, where the path says so
  std::string mask;                   // the mask's name
  std::string belongs_to;             // what an item and its preview, masks and about have in common; never empty
};
/// nullopt for a path that is no media.
std::optional<MediaName> media_name(std::string_view path);

/// A file of a run.
struct MediaFile {
  std::string path;
  Hash hash;
  std::uint64_t size = 0;
  Time created_at;
};

struct MediaMask {
  std::string name;
  MediaFile file;
};

/// One thing to look at.
struct MediaItem {
  std::string key;
  MediaKind kind = MediaKind::image;
  std::optional<std::int64_t> step;
  Time at;
  MediaFile file;
  std::optional<MediaFile> preview;  // a small copy
  std::optional<MediaFile> about;    // JSON: caption, boxes
  std::vector<MediaMask> masks;
};

/// The media among a run's files, sorted by key, kind, step (none first), time and path. Files of saved models (folders
/// with a file MLmodel) and the pictures inside of tables (table_images/) are none.
std::vector<MediaItem> media_of(const std::vector<MediaFile>& files);

/// What the items of one key and kind have in common.
struct MediaKey {
  std::string key;
  MediaKind kind = MediaKind::image;
  std::int64_t runs = 0, items = 0;
  std::vector<std::int64_t> steps;  // different ones, rising; empty when no path names a step
};
/// Over several runs, each with its media_of(); sorted by key and kind.
std::vector<MediaKey> media_keys(const std::vector<std::vector<MediaItem>>& runs);

}  // namespace slipway
