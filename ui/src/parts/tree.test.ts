import { expect, test } from "vitest";
import { by_bytes, render_tree } from "./tree";

test("a tree is sorted as bytes, and line breaks in paths are written as two characters", () =>
  expect(render_tree([{ path: "b", hash: "2".repeat(64), size: 2, script: true }, { path: "a\nb", hash: "1".repeat(64), size: 1 }]))
    .toBe(`slipway-tree 1\nf ${"1".repeat(64)} 1 a\\nb\nx ${"2".repeat(64)} 2 b\n`));
test("the order is that of UTF-8, also beyond the first plane", () => {
  const paths = ["a/b", "a-c", "a", "z", "é", "\u{ff5e}", "\u{1f600}"];
  const bytes = (text: string) => [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte)).join("");
  expect([...paths].sort(by_bytes)).toEqual([...paths].sort((a, b) => (bytes(a) < bytes(b) ? -1 : 1)));
});
