#include "base/counters.h"

#include <fmt/format.h>

#include <bit>

#include "base/check.h"

namespace slipway {

struct Counters::Entry {
  Labels labels;
  Counter counter;
  Gauge gauge;
  LatencyHistogram latency;
};

Counters::Counters() = default;
Counters::~Counters() = default;

void LatencyHistogram::record(Duration d) {
  buckets_[bucket_of(d)].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(std::max<std::int64_t>(d.count(), 0), std::memory_order_relaxed);
}

size_t LatencyHistogram::bucket_of(Duration d) {
  // Edges belong to the lower bucket, so one is taken off. Up to 4 µs each microsecond has a bucket; from there on an
  // octave's first two bits below its highest one choose among its four.
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(d.count() - 1, 0));
  if (us < 4) return us;
  const auto octave = static_cast<size_t>(std::bit_width(us) - 1);
  return std::min(4 * (octave - 1) + ((us >> (octave - 2)) & 3), kBuckets - 1);
}

Duration LatencyHistogram::upper_edge(size_t bucket) {
  if (bucket < 4) return Duration(static_cast<std::int64_t>(bucket) + 1);
  return Duration(static_cast<std::int64_t>(bucket % 4 + 5) << (bucket / 4 - 1));
}

LatencyHistogram::Counts LatencyHistogram::buckets() const {
  Counts counts{};
  for (size_t i = 0; i < kBuckets; ++i) counts[i] = buckets_[i].load(std::memory_order_relaxed);
  return counts;
}

std::uint64_t LatencyHistogram::count() const {
  std::uint64_t total = 0;
  for (std::uint64_t n : buckets()) total += n;
  return total;
}

Duration LatencyHistogram::quantile(const Counts& counts, double q) {
  std::uint64_t total = 0;
  for (std::uint64_t n : counts) total += n;
  if (total == 0) return Duration(0);
  // At least the first one recorded: the 0-quantile is the smallest, not an empty bucket below it.
  const double wanted = std::max(q * static_cast<double>(total), 1.0);
  double seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += static_cast<double>(counts[i]);
    if (seen >= wanted) return upper_edge(i);
  }
  return upper_edge(kBuckets - 1);
}

Counters::Entry& Counters::entry(std::string_view name, std::string_view help, const char* type, Labels labels) {
  auto families = families_.lock();
  auto family = std::find_if(families->begin(), families->end(), [&](const Family& f) { return f.name == name; });
  if (family == families->end()) {
    families->push_back({std::string(name), std::string(help), type, {}});
    family = families->end() - 1;
  }
  CHECK(std::string_view(family->type) == type, "the counter " + family->name + " was registered with another type");
  for (const auto& existing : family->entries) {
    if (existing->labels == labels) return *existing;
  }
  family->entries.push_back(std::make_unique<Entry>());
  family->entries.back()->labels = std::move(labels);
  return *family->entries.back();
}

Counter& Counters::counter(std::string_view name, std::string_view help, Labels labels) {
  return entry(name, help, "counter", std::move(labels)).counter;
}

Gauge& Counters::gauge(std::string_view name, std::string_view help, Labels labels) {
  return entry(name, help, "gauge", std::move(labels)).gauge;
}

LatencyHistogram& Counters::latency(std::string_view name, std::string_view help, Labels labels) {
  return entry(name, help, "histogram", std::move(labels)).latency;
}

namespace {

std::string render_labels(const Labels& labels, std::string_view extra = "") {
  std::string text;
  for (const auto& [key, value] : labels) {
    if (!text.empty()) text += ',';
    text += key + "=\"";
    for (char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      if (c == '\n') {
        text += "\\n";
      } else {
        text += c;
      }
    }
    text += '"';
  }
  if (!extra.empty()) text += (text.empty() ? "" : ",") + std::string(extra);
  return text.empty() ? text : "{" + text + "}";
}

}  // namespace

std::string Counters::render() const {
  std::string out;
  auto families = families_.lock();
  for (const Family& family : *families) {
    const std::string name = "slipway_" + family.name;
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& entry : family.entries) {
      const std::string labels = render_labels(entry->labels);
      if (std::string_view(family.type) == "counter") {
        out += fmt::format("{}{} {}\n", name, labels, entry->counter.value());
      } else if (std::string_view(family.type) == "gauge") {
        out += fmt::format("{}{} {}\n", name, labels, entry->gauge.value());
      } else {
        // One line for each octave: a quarter of one is finer than a dashboard wants.
        std::uint64_t cumulative = 0;
        const auto counts = entry->latency.buckets();
        for (size_t i = 0; i < counts.size(); ++i) {
          cumulative += counts[i];
          const bool is_last = i + 1 == counts.size();
          const auto edge_us = static_cast<std::uint64_t>(LatencyHistogram::upper_edge(i).count());
          if (!is_last && !std::has_single_bit(edge_us)) continue;
          const std::string edge = is_last ? "+Inf" : fmt::format("{}", static_cast<double>(edge_us) / 1e6);
          out += fmt::format("{}_bucket{} {}\n", name, render_labels(entry->labels, "le=\"" + edge + "\""), cumulative);
        }
        out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, labels,
                           static_cast<double>(entry->latency.sum().count()) / 1e6, name, labels, cumulative);
      }
    }
  }
  return out;
}

}  // namespace slipway
