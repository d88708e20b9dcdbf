// Trees as the store keeps them: one line a file, sorted by path as bytes. The text is a blob like any other.
export interface TreeEntry { path: string; hash: string; size: number; script?: boolean }

export function render_tree(entries: TreeEntry[]): string {
  const sorted = [...entries].sort((a, b) => by_bytes(a.path, b.path));
  return ["slipway-tree 1", ...sorted.map(({ path, hash, size, script }) => `${script ? "x" : "f"} ${hash} ${size} ${path.replace(/\n/g, "\\n")}`)].join("\n") + "\n";
}

/// The order of two texts as UTF-8. JavaScript compares UTF-16, where surrogates stand before U+E000 to U+FFFF.
export function by_bytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return lifted(x) - lifted(y);
  }
  return a.length - b.length;
}
const lifted = (unit: number) => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
