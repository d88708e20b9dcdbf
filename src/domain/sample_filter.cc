// Which samples pass a filter.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "domain/sample.h"

namespace slipway {
namespace {

constexpr std::string_view kFileFacts[] = {"width", "height", "size"};

/// What the name stands for in this sample; null when it has no such thing.
Json value_of(const Sample& sample, const std::string& name) {
  if (name == "key") return sample.key;
  if (name == "label") return sample.label;
  for (const auto& [attribute, value] : sample.attributes) {
    if (attribute == name) return value;
  }
  const size_t dot = name.rfind('.');
  const StreamFile* file = dot == std::string::npos ? nullptr : sample.stream(std::string_view(name).substr(0, dot));
  if (file == nullptr) return nullptr;
  const std::string_view fact = std::string_view(name).substr(dot + 1);
  if (fact == "size") return file->size;
  const std::int64_t pixels = fact == "width" ? file->width : fact == "height" ? file->height : 0;
  return pixels > 0 ? Json(pixels) : Json();
}

std::string text_of(const Json& value) { return value.is_string() ? value.string() : value.render(); }

std::optional<double> number_of(const Json& value) {
  if (value.is_bool()) return *value.boolean() ? 1.0 : 0.0;
  return value.is_string() ? parse_double(value.string()) : value.number();
}

bool compare(FilterOperator op, int order) {
  switch (op) {
    case FilterOperator::equal: return order == 0;
    case FilterOperator::not_equal: return order != 0;
    case FilterOperator::less: return order < 0;
    case FilterOperator::less_equal: return order <= 0;
    case FilterOperator::greater: return order > 0;
    case FilterOperator::greater_equal: return order >= 0;
    default: return false;
  }
}

bool passes_number(const FilterComparison& comparison, const Json& value, double expected) {
  const auto number = number_of(value);
  if (!number) return comparison.op == FilterOperator::not_equal;
  return compare(comparison.op, *number < expected ? -1 : *number > expected ? 1 : 0);
}

bool passes_text(const FilterComparison& comparison, const Json& value, const std::string& expected) {
  const std::string text = text_of(value);
  if (comparison.op == FilterOperator::like) return like_matches(expected, text, false);
  if (comparison.op == FilterOperator::ilike) return like_matches(expected, text, true);
  return compare(comparison.op, text.compare(expected));
}

bool passes(const FilterComparison& comparison, const Json& value) {
  if (comparison.op == FilterOperator::is_null) return value.is_null();
  if (value.is_null()) return false;
  if (comparison.op == FilterOperator::is_not_null) return true;
  if (const auto* list = std::get_if<std::vector<std::string>>(&comparison.value)) {
    const bool found = std::find(list->begin(), list->end(), text_of(value)) != list->end();
    return found == (comparison.op == FilterOperator::in);
  }
  if (const auto* number = std::get_if<double>(&comparison.value)) return passes_number(comparison, value, *number);
  return passes_text(comparison, value, std::get<std::string>(comparison.value));
}

}  // namespace

bool matches(const Filter& filter, const Sample& sample) {
  return std::all_of(filter.comparisons.begin(), filter.comparisons.end(), [&](const FilterComparison& comparison) {
    return passes(comparison, value_of(sample, comparison.key));
  });
}

Result<void> check_filter(const Filter& filter, const SampleTable& table) {
  std::vector<std::string> known = {"key", "label"};
  known.insert(known.end(), table.attributes().begin(), table.attributes().end());
  for (const std::string& stream : table.streams()) {
    for (const std::string_view fact : kFileFacts) known.push_back(fmt::format("{}.{}", stream, fact));
  }
  for (const FilterComparison& comparison : filter.comparisons) {
    const bool is_attribute = comparison.entity == FilterEntity::attribute;
    if (is_attribute && std::find(known.begin(), known.end(), comparison.key) != known.end()) continue;
    const auto near = nearest(comparison.key, known);
    return Error{ErrorCode::invalid_argument,
                 fmt::format("no sample has '{}{}'; {}", is_attribute ? "" : std::string(name(comparison.entity)) + ".",
                             clean_utf8(comparison.key, 100),
                             near ? "did you mean " + *near + "?" : "there are " + join(known, ", "))};
  }
  return {};
}

bool like_matches(std::string_view pattern, std::string_view text, bool ignore_case) {
  const auto same = [&](char a, char b) {
    return a == b ||
           (ignore_case && std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)));
  };
  // Greedy with one way back: to the last %, which then takes one byte more.
  size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '_' || same(pattern[p], text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace slipway
