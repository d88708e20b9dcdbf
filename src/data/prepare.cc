#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"
#include "data/data.h"
#include "data/measure.h"
#include "data/plan.h"

namespace slipway::data {
namespace fs = std::filesystem;
namespace {

constexpr size_t kSamplesAtOnce = 16;  // a thread takes so many at a time
constexpr size_t kUnusedExamples = 5;

Result<Manifests> read_manifests(const Plan& plan, const fs::path& folder) {
  Manifests manifests;
  for (const AttributePlan& attribute : plan.attributes) {
    if (attribute.manifest.empty() || manifests.contains(attribute.manifest)) continue;
    TRY(check_relative_path(attribute.manifest));
    const std::string text = TRY(read_file(folder / attribute.manifest, kManifestBytesMax));
    manifests[attribute.manifest] = TRY(parse_manifest(text, attribute.manifest, plan.key));
  }
  return manifests;
}

Error refused(std::vector<std::string> problems, size_t samples, const PrepareOptions& options) {
  std::sort(problems.begin(), problems.end());
  const size_t named = std::min(std::max<size_t>(options.problems_named, 1), problems.size());
  const std::vector<std::string> first(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(named));
  const std::string rest = problems.size() > named ? fmt::format("; and {} more", problems.size() - named) : "";
  return {ErrorCode::invalid_argument,
          fmt::format("nothing was taken, because {} in {} samples: {}{}",
                      problems.size() == 1 ? "1 thing is wrong" : fmt::format("{} things are wrong", problems.size()),
                      samples, join(first, "; "), rest)};
}

/// Measures all samples by several threads. Each problem is a sentence; the samples are in the order of `joined`.
struct Measured {
  std::vector<Sample> samples;
  std::vector<std::string> problems;
  bool stopped = false;
};

Measured measure_all(const Plan& plan, const std::vector<Joined>& joined, const fs::path& folder,
                     const Manifests& manifests, const PrepareOptions& options) {
  Measured out;
  out.samples.resize(joined.size());
  std::atomic<size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;  // guards `out.problems` and `done`, and keeps progress() to one thread at a time
  size_t done = 0;
  const auto work = [&] {
    while (!stop) {
      const size_t begin = next.fetch_add(kSamplesAtOnce);
      if (begin >= joined.size()) return;
      const size_t end = std::min(joined.size(), begin + kSamplesAtOnce);
      std::vector<std::string> problems;
      for (size_t i = begin; i < end; ++i) {
        auto sample = measure(plan, joined[i], folder, manifests);
        if (sample.ok()) {
          out.samples[i] = std::move(*sample);
        } else {
          problems.push_back(sample.error().message);
        }
      }
      const std::lock_guard lock(mutex);
      out.problems.insert(out.problems.end(), problems.begin(), problems.end());
      done += end - begin;
      if (options.progress && !options.progress(done, joined.size())) stop = true;
    }
  };
  {
    const size_t threads = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
    std::vector<Thread> pool;
    for (size_t t = 1; t < threads; ++t) pool.emplace_back("measure-" + std::to_string(t), work);
    work();
  }
  out.stopped = stop;
  return out;
}

Tree tree_of(const std::vector<Sample>& samples) {
  std::map<std::string, TreeEntry> entries;  // two samples may share a file
  for (const Sample& sample : samples) {
    for (const auto& [name, file] : sample.streams)
      entries[file.path] = {file.path, file.hash, file.size, TreeEntryKind::file};
  }
  Tree tree;
  for (auto& [path, entry] : entries) tree.entries.push_back(std::move(entry));
  return tree;
}

}  // namespace

Result<std::vector<std::string>> list_files(const fs::path& folder) {
  std::vector<std::string> paths;
  std::error_code problem;
  auto walk = fs::recursive_directory_iterator(folder, problem);
  for (; !problem && walk != fs::recursive_directory_iterator(); walk.increment(problem)) {
    const bool hidden = walk->path().filename().string().starts_with('.');
    std::error_code ignored;
    if (hidden && walk->is_directory(ignored)) walk.disable_recursion_pending();
    if (hidden || !walk->is_regular_file(ignored)) continue;
    if (paths.size() == kFilesMax)
      return Error{ErrorCode::too_large, fmt::format("{} holds more than {} files", folder.string(), kFilesMax)};
    paths.push_back(walk->path().lexically_relative(folder).string());
  }
  if (problem) return system_error("list", folder, problem.value());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<Prepared> prepare(const DatasetDeclaration& declaration, const fs::path& folder, const PrepareOptions& options) {
  const Plan plan = TRY(Plan::make(declaration));
  const std::vector<std::string> paths = TRY(list_files(folder));
  Join joined = join_files(plan, paths);
  if (joined.samples.empty()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("none of the {} files in {} matches '{}', the pattern of the stream {}", paths.size(),
                             folder.string(), plan.streams[0].files.text(), plan.streams[0].name)};
  }
  const Manifests manifests = TRY(read_manifests(plan, folder));
  std::erase_if(joined.unused, [&](const std::string& path) { return manifests.contains(path); });
  if (!joined.problems.empty()) return refused(std::move(joined.problems), joined.samples.size(), options);
  Measured measured = measure_all(plan, joined.samples, folder, manifests, options);
  if (measured.stopped)
    return Error{ErrorCode::cancelled, "stopped before all samples were looked at; nothing was taken"};
  if (!measured.problems.empty()) return refused(std::move(measured.problems), joined.samples.size(), options);
  Prepared prepared;
  prepared.tree = tree_of(measured.samples);
  prepared.samples = TRY(SampleTable::make(std::move(measured.samples)));
  prepared.files_unused = joined.unused.size();
  joined.unused.resize(std::min(joined.unused.size(), kUnusedExamples));
  prepared.unused_examples = std::move(joined.unused);
  return prepared;
}

Result<DatasetDeclaration> infer_declaration(const std::vector<std::string>& paths) {
  const auto is_picture = [](std::string_view path) {
    return path.ends_with(".png") || path.ends_with(".jpg") || path.ends_with(".jpeg");
  };
  std::set<std::string> pictures_end;
  std::set<size_t> depths;
  bool images_folder = true, labels = false, masks = false;
  for (const std::string& path : paths) {
    labels |= path.starts_with("labels/") && path.ends_with(".txt");
    masks |= path.starts_with("masks/") && path.ends_with(".png");
    if (!is_picture(path) || path.starts_with("masks/")) continue;
    pictures_end.insert(path.substr(path.rfind('.')));
    depths.insert(static_cast<size_t>(std::count(path.begin(), path.end(), '/')));
    images_folder &= path.starts_with("images/");
  }
  const auto give_up = [&](std::string_view why) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "this folder does not say what its files are: {}. Declare the dataset in slipway.yaml (streams with their patterns)",
            why)};
  };
  if (pictures_end.empty()) return give_up("no .png or .jpg in it");
  if (pictures_end.size() > 1)
    return give_up("pictures of several kinds (" + join({pictures_end.begin(), pictures_end.end()}, ", ") + ")");
  if (depths.size() > 1 || *depths.begin() > 1) return give_up("pictures at several depths");
  const std::string end = *pictures_end.begin();
  DatasetDeclaration declaration;
  declaration.key = "{id}";
  const auto add = [&](const char* name, std::string files, const char* decode, bool optional = false) {
    declaration.streams.emplace_back(name, Stream{std::move(files), decode, optional, "", ""});
  };
  if (*depths.begin() == 0) {
    add("image", "{id}" + end, "image");
  } else if (images_folder) {
    add("image", "images/{id}" + end, "image");
    if (labels) add("label", "labels/{id}.txt", "label");
    if (masks) add("mask", "masks/{id}.png", "labels");
  } else {
    declaration.key = "{label}/{id}";
    add("image", "{label}/{id}" + end, "image");
    add("label", "{label}/{id}" + end, "label");
  }
  declaration.attributes.emplace_back("brightness", Attribute{"float", "", "", "", "brightness(image)"});
  declaration.attributes.emplace_back("contrast", Attribute{"float", "", "", "", "contrast(image)"});
  return declaration;
}

}  // namespace slipway::data
