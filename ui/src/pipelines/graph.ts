// Where the nodes of a pipeline stand: each in the column after the last of those it waits for, rows kept near them.
export interface GraphNode { name: string; after: string[] }
export interface Placed<Node> { node: Node; column: number; row: number }

export function place<Node extends GraphNode>(nodes: Node[]): Placed<Node>[] {
  const by_name = new Map(nodes.map((node) => [node.name, node]));
  const columns = new Map<string, number>();
  // What waits for itself by mistake of the server still gets a place instead of an endless walk.
  const column_of = (name: string, path: Set<string>): number => {
    const known = columns.get(name);
    if (known !== undefined) return known;
    if (path.has(name)) return 0;
    const before = (by_name.get(name)?.after ?? []).filter((one) => by_name.has(one));
    const column = before.length === 0 ? 0 : 1 + Math.max(...before.map((one) => column_of(one, new Set([...path, name]))));
    columns.set(name, column);
    return column;
  };
  for (const { name } of nodes) column_of(name, new Set());
  const rows = new Map<string, number>();
  const placed: Placed<Node>[] = [];
  for (let column = 0; column <= Math.max(0, ...columns.values()); column++) {
    const here = nodes.filter(({ name }) => columns.get(name) === column);
    const wish = (node: Node) => { const before = node.after.flatMap((one) => rows.get(one) ?? []); return before.length ? before.reduce((a, b) => a + b, 0) / before.length : Infinity; };
    const order = column === 0 ? here : [...here].sort((a, b) => wish(a) - wish(b));
    let next = 0;
    for (const node of order) {
      const row = Math.max(next, column === 0 ? next : Math.floor(Math.min(wish(node), 1e6) === 1e6 ? next : wish(node)));
      rows.set(node.name, row);
      placed.push({ node, column, row });
      next = row + 1;
    }
  }
  return placed;
}
