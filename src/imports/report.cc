#include "imports/report.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::imports {
namespace {

void add_counts(Counts& to, const Counts& from) {
  to.seen += from.seen;
  to.carried += from.carried;
  to.unchanged += from.unchanged;
}

Json counts_json(const Counts& counts) {
  Json json;
  json.set("seen", counts.seen).set("carried", counts.carried).set("unchanged", counts.unchanged);
  return json;
}

Json texts_json(const std::vector<std::string>& texts) {
  Json::Array out(texts.begin(), texts.end());
  return out;
}

std::string line(const char* what, const Counts& counts, const char* carried) {
  if (counts.seen == 0) return "";
  const std::int64_t left = counts.seen - counts.carried - counts.unchanged;
  std::string text = fmt::format("{:<15} {} {}", what, counts.carried, carried);
  if (counts.unchanged > 0) text += fmt::format(", {} unchanged", counts.unchanged);
  if (left > 0) text += fmt::format(", {} not carried", left);
  return text + "\n";
}

}  // namespace

void Report::add_problem(std::string sentence) {
  if (problems.size() < kProblemsMax) {
    problems.push_back(std::move(sentence));
  } else {
    ++problems_more;
  }
}

void Report::add(const Report& other) {
  add_counts(experiments, other.experiments);
  add_counts(runs, other.runs);
  add_counts(logged_models, other.logged_models);
  add_counts(models, other.models);
  add_counts(versions, other.versions);
  add_counts(aliases, other.aliases);
  points += other.points;
  files += other.files;
  file_bytes += other.file_bytes;
  for (const std::string& problem : other.problems) add_problem(problem);
  problems_more += other.problems_more;
  left_behind.insert(left_behind.end(), other.left_behind.begin(), other.left_behind.end());
}

Json report_json(const Report& report, bool dry) {
  Json json;
  json.set("dry_run", dry).set("experiments", counts_json(report.experiments)).set("runs", counts_json(report.runs));
  json.set("logged_models", counts_json(report.logged_models)).set("models", counts_json(report.models));
  json.set("versions", counts_json(report.versions)).set("aliases", counts_json(report.aliases));
  json.set("points", report.points).set("files", report.files).set("file_bytes", report.file_bytes);
  json.set("problems", texts_json(report.problems)).set("problems_more", report.problems_more);
  return json.set("left_behind", texts_json(report.left_behind));
}

std::string render(const Report& report, bool dry) {
  const char* carried = dry ? "to carry" : "carried";
  std::string text = line("experiments", report.experiments, carried) + line("runs", report.runs, carried) +
                     line("logged models", report.logged_models, carried) + line("models", report.models, carried) +
                     line("versions", report.versions, carried) + line("aliases", report.aliases, carried);
  if (!dry) text += fmt::format("{:<15} {}\n", "metric points", report.points);
  text += fmt::format("{:<15} {} ({})\n", "files", report.files, render_bytes(report.file_bytes));
  for (const std::string& problem : report.problems) text += "not carried: " + problem + "\n";
  if (report.problems_more > 0) text += fmt::format("not carried: {} things more\n", report.problems_more);
  for (const std::string& left : report.left_behind) text += "left behind: " + left + "\n";
  return text;
}

}  // namespace slipway::imports
