#include "domain/media.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace slipway {
namespace {

using Part = MediaName::Part;

constexpr std::string_view kOurFolder = "media/", kMlflowFolder = "images/", kTablePictures = "table_images/";
constexpr std::string_view kModelFile = "MLmodel";
constexpr size_t kStepDigitsMax = 18;

constexpr std::array<std::pair<MediaKind, std::string_view>, 8> kKinds = {{{MediaKind::image, "image"},
                                                                           {MediaKind::audio, "audio"},
                                                                           {MediaKind::video, "video"},
                                                                           {MediaKind::table, "table"},
                                                                           {MediaKind::plot, "plot"},
                                                                           {MediaKind::text, "text"},
                                                                           {MediaKind::html, "html"},
                                                                           {MediaKind::json, "json"}}};

/// Longer endings first: of "x.plot.json" it is not ".json" that counts.
constexpr std::array<std::pair<std::string_view, MediaKind>, 36> kEndings = {{
    {".table.json", MediaKind::table}, {".plotly.json", MediaKind::plot}, {".plot.json", MediaKind::plot},
    {".vega.json", MediaKind::plot},   {".vl.json", MediaKind::plot},     {".json", MediaKind::json},
    {".png", MediaKind::image},        {".jpg", MediaKind::image},        {".jpeg", MediaKind::image},
    {".gif", MediaKind::image},        {".webp", MediaKind::image},       {".bmp", MediaKind::image},
    {".svg", MediaKind::image},        {".wav", MediaKind::audio},        {".mp3", MediaKind::audio},
    {".ogg", MediaKind::audio},        {".oga", MediaKind::audio},        {".opus", MediaKind::audio},
    {".flac", MediaKind::audio},       {".m4a", MediaKind::audio},        {".mp4", MediaKind::video},
    {".m4v", MediaKind::video},        {".webm", MediaKind::video},       {".ogv", MediaKind::video},
    {".mov", MediaKind::video},        {".csv", MediaKind::table},        {".tsv", MediaKind::table},
    {".parquet", MediaKind::table},    {".txt", MediaKind::text},         {".log", MediaKind::text},
    {".md", MediaKind::text},          {".yaml", MediaKind::text},        {".yml", MediaKind::text},
    {".html", MediaKind::html},        {".htm", MediaKind::html},         {".xhtml", MediaKind::html},
}};

struct Ending {
  size_t bytes = 0;
  MediaKind kind = MediaKind::image;
};

std::optional<Ending> ending_of(std::string_view name) {
  const std::string small = lower(name);
  for (const auto& [text, kind] : kEndings) {
    if (small.size() > text.size() && small.ends_with(text)) return Ending{text.size(), kind};
  }
  return std::nullopt;
}

/// "000000012", "-3"; nothing else.
std::optional<std::int64_t> step_of(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits.size() > kStepDigitsMax) return std::nullopt;
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return parse_i64(text);
}

// --- media/KEY/STEP.… ------------------------------------------------------------------------------------------------

std::optional<MediaName> our_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (!path.starts_with(kOurFolder) || slash < kOurFolder.size()) return std::nullopt;
  const std::string_view file = path.substr(slash + 1);
  const size_t dot = file.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto step = step_of(file.substr(0, dot));
  if (!step) return std::nullopt;
  MediaName found;
  found.key = path.substr(kOurFolder.size(), slash - kOurFolder.size());
  found.step = step;
  found.belongs_to = path.substr(0, slash + 1 + dot);
  const std::string_view rest = file.substr(dot);  // ".png", ".digit.png", ".table.json"
  const auto ending = ending_of(file);
  if (!ending) return std::nullopt;
  found.kind = ending->kind;
  if (rest == ".json") {
    found.part = Part::about;
  } else if (ending->bytes < rest.size()) {
    if (!rest.ends_with(".png")) return std::nullopt;
    found.part = Part::mask;
    found.mask = rest.substr(1, rest.size() - 1 - ending->bytes);
  }
  return found;
}

// --- images/KEY+step+… -----------------------------------------------------------------------------------------------

std::optional<MediaName> mlflow_name(std::string_view path, char separator) {
  if (!path.starts_with(kMlflowFolder)) return std::nullopt;
  const auto parts = split(path.substr(kMlflowFolder.size()), separator);
  const bool is_small = parts.size() == 7 && parts[6].starts_with("compressed.");
  if ((parts.size() != 6 && !is_small) || parts[0].empty() || parts[1] != "step" || parts[3] != "timestamp")
    return std::nullopt;
  const auto step = step_of(parts[2]), at_ms = step_of(parts[4]);
  const auto ending = ending_of(path);
  if (!step || !at_ms || !ending || ending->kind != MediaKind::image) return std::nullopt;
  MediaName found;
  found.part = is_small ? Part::preview : Part::item;
  found.key = parts[0];
  std::ranges::replace_if(
      found.key, [](char c) { return c == '~' || c == '#'; }, '/');
  found.step = step;
  found.at_ms = at_ms;
  found.belongs_to = path.substr(0, is_small ? path.rfind(separator) : path.size() - ending->bytes);
  return found;
}

// --- every other file ------------------------------------------------------------------------------------------------

bool is_between(char c) { return c == '/' || c == '_' || c == '-' || c == '.' || c == ' '; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A word and its number, such as "epoch-3", from `begin` up to `end`.
struct StepWord {
  size_t begin = 0, end = 0;
  std::int64_t step = 0;
};

/// The first of `word` with a number, standing for itself.
std::optional<StepWord> find_step(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    if (at > 0 && !is_between(text[at - 1])) continue;
    size_t digits = at + word.size();
    if (digits < text.size() && (text[digits] == '=' || (is_between(text[digits]) && text[digits] != '/'))) ++digits;
    size_t end = digits;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end < text.size() && !is_between(text[end])) continue;
    if (const auto step = step_of(text.substr(digits, end - digits))) return StepWord{at, end, *step};
  }
  return std::nullopt;
}

/// Without the word and what stands between it and its neighbours.
std::string without(std::string_view text, const StepWord& word) {
  const std::string_view left = text.substr(0, word.begin == 0 ? 0 : word.begin - 1), right = text.substr(word.end);
  if (left.empty()) return std::string(right.empty() ? right : right.substr(1));
  return std::string(left) + std::string(right);
}

std::optional<MediaName> other_name(std::string_view path) {
  const auto ending = ending_of(path.substr(path.rfind('/') + 1));
  if (!ending) return std::nullopt;
  MediaName found;
  found.kind = ending->kind;
  found.belongs_to = path;
  found.key = path.substr(0, path.size() - ending->bytes);
  for (const char* word : {"step", "epoch", "iteration", "iter"}) {
    // Each is removed, so that val/epoch=1-step=90 and val/epoch=2-step=180 are the same key; the step counts first.
    while (const auto at = find_step(found.key, word)) {
      if (!found.step) found.step = at->step;
      const std::string rest = without(found.key, *at);
      found.key = rest.empty() ? word : rest;
    }
  }
  return found;
}

// --- a run's files ---------------------------------------------------------------------------------------------------

/// Folders with a saved model, each with a slash at its end.
std::set<std::string, std::less<>> model_folders(const std::vector<MediaFile>& files) {
  std::set<std::string, std::less<>> folders;
  for (const MediaFile& file : files) {
    if (file.path.ends_with(kModelFile) && file.path.size() > kModelFile.size() &&
        file.path[file.path.size() - kModelFile.size() - 1] == '/')
      folders.insert(file.path.substr(0, file.path.size() - kModelFile.size()));
  }
  return folders;
}

bool is_inside(std::string_view path, const std::set<std::string, std::less<>>& folders) {
  if (folders.empty()) return false;
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (folders.contains(path.substr(0, slash + 1))) return true;
  }
  return false;
}

void attach(MediaItem& item, MediaName&& name, const MediaFile& file) {
  if (name.part == Part::about) item.about = file;
  if (item.kind != MediaKind::image) return;
  if (name.part == Part::preview) item.preview = file;
  if (name.part == Part::mask) item.masks.push_back({std::move(name.mask), file});
}

auto order_of(const MediaItem& item) {
  return std::tuple(std::string_view(item.key), item.kind, item.step.has_value(), item.step.value_or(0), item.at.micros,
                    std::string_view(item.file.path));
}

}  // namespace

std::string_view name(MediaKind kind) {
  for (const auto& [known, text] : kKinds) {
    if (known == kind) return text;
  }
  return "";
}

std::optional<MediaKind> parse_media_kind(std::string_view text) {
  for (const auto& [kind, known] : kKinds) {
    if (known == text) return kind;
  }
  return std::nullopt;
}

std::optional<MediaName> media_name(std::string_view path) {
  if (path.starts_with(kTablePictures)) return std::nullopt;
  if (auto found = our_name(path)) return found;
  for (const char separator : {'+', '%'}) {
    if (auto found = mlflow_name(path, separator)) return found;
  }
  return other_name(path);
}

std::vector<MediaItem> media_of(const std::vector<MediaFile>& files) {
  const auto models = model_folders(files);
  std::vector<MediaItem> items;
  std::vector<std::pair<MediaName, const MediaFile*>> parts;
  std::unordered_map<std::string, std::vector<size_t>> by_name;
  for (const MediaFile& file : files) {
    if (is_inside(file.path, models)) continue;
    auto name = media_name(file.path);
    if (!name) continue;
    if (name->part != Part::item) {
      parts.emplace_back(std::move(*name), &file);
      continue;
    }
    by_name[std::move(name->belongs_to)].push_back(items.size());
    const Time at = name->at_ms ? Time::from_millis(*name->at_ms) : file.created_at;
    items.push_back({std::move(name->key), name->kind, name->step, at, file, {}, {}, {}});
  }
  for (auto& [name, file] : parts) {
    const auto found = by_name.find(name.belongs_to);
    if (found == by_name.end()) continue;
    for (const size_t i : found->second) attach(items[i], MediaName(name), *file);
  }
  std::ranges::sort(items, [](const MediaItem& a, const MediaItem& b) { return order_of(a) < order_of(b); });
  return items;
}

std::vector<MediaKey> media_keys(const std::vector<std::vector<MediaItem>>& runs) {
  std::map<std::pair<std::string_view, MediaKind>, MediaKey> keys;
  std::map<std::pair<std::string_view, MediaKind>, std::set<std::int64_t>> steps;
  for (const auto& items : runs) {
    const MediaItem* before = nullptr;
    for (const MediaItem& item : items) {
      const std::pair<std::string_view, MediaKind> at(item.key, item.kind);
      MediaKey& key = keys.try_emplace(at, MediaKey{item.key, item.kind, 0, 0, {}}).first->second;
      ++key.items;
      if (!before || before->key != item.key || before->kind != item.kind) ++key.runs;
      if (item.step) steps[at].insert(*item.step);
      before = &item;
    }
  }
  std::vector<MediaKey> found;
  for (auto& [at, key] : keys) {
    key.steps.assign(steps[at].begin(), steps[at].end());
    found.push_back(std::move(key));
  }
  return found;
}

}  // namespace slipway
