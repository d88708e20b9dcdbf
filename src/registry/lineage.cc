#include "registry/lineage.h"

#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kInsert =
    "INSERT INTO lineage (project_id, from_kind, from_id, to_kind, to_id, relation, at) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (from_kind, from_id, to_kind, to_id, relation) DO NOTHING";
constexpr std::string_view kSelectOutgoing =
    "SELECT from_kind, from_id, to_kind, to_id, relation, at FROM lineage WHERE from_kind = ? AND from_id = ? ORDER BY at, to_kind, to_id LIMIT 10000";
constexpr std::string_view kSelectIncoming =
    "SELECT from_kind, from_id, to_kind, to_id, relation, at FROM lineage WHERE to_kind = ? AND to_id = ? ORDER BY at, from_kind, from_id LIMIT 10000";

Edge edge_of(const Row& row) {
  return {{std::string(row.text(0)), std::string(row.text(1))},
          {std::string(row.text(2)), std::string(row.text(3))},
          std::string(row.text(4)),
          Time{row.integer(5)}};
}

Result<std::vector<Edge>> edges_at(Connection& c, const Node& node, bool backwards) {
  return c.rows(backwards ? kSelectIncoming : kSelectOutgoing, {clean_utf8(node.kind), clean_utf8(node.id)}, edge_of);
}

Result<void> check(const Edge& edge) {
  for (const std::string* text : {&edge.from.kind, &edge.from.id, &edge.to.kind, &edge.to.id, &edge.relation}) {
    if (text->empty() || text->size() > kLineageNameBytesMax || !is_utf8(*text)) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("'{}' cannot name a part of a lineage; expected 1 to {} bytes of text",
                               clean_utf8(*text, 100), kLineageNameBytesMax)};
    }
  }
  return {};
}

}  // namespace

Result<void> Lineage::add(const ProjectId& project, std::span<const Edge> edges) {
  for (const Edge& edge : edges) TRY(check(edge));
  const Time now = clock_.now();
  return database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    for (const Edge& edge : edges) {
      TRY(c.run(kInsert,
                {project.text, edge.from.kind, edge.from.id, edge.to.kind, edge.to.id, edge.relation, now.micros}));
    }
    return {};
  });
}

Result<void> Lineage::add(const ProjectId& project, const Node& from, const Node& to, std::string_view relation) {
  const Edge edge{from, to, std::string(relation), {}};
  return add(project, {&edge, 1});
}

Result<std::vector<Edge>> Lineage::outgoing(const Node& node) {
  return database_.read_value([&](Connection& c) { return edges_at(c, node, false); });
}

Result<std::vector<Edge>> Lineage::incoming(const Node& node) {
  return database_.read_value([&](Connection& c) { return edges_at(c, node, true); });
}

Result<std::vector<Edge>> Lineage::walk(const Node& start, bool backwards, int depth) {
  return database_.read_value([&](Connection& c) -> Result<std::vector<Edge>> {
    std::vector<Edge> found;
    std::set<Node> seen = {start};
    std::vector<Node> level = {start};
    for (int step = 0; step < std::min(depth, kLineageDepthMax) && !level.empty(); ++step) {
      std::vector<Node> next;
      for (const Node& node : level) {
        for (Edge& edge : TRY(edges_at(c, node, backwards))) {
          if (found.size() >= kLineageEdgesMax) return found;
          const Node& other = backwards ? edge.from : edge.to;
          if (seen.insert(other).second) next.push_back(other);
          found.push_back(std::move(edge));
        }
      }
      level = std::move(next);
    }
    return found;
  });
}

}  // namespace slipway::registry
