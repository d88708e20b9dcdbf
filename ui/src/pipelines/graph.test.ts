import { expect, test } from "vitest";
import { place } from "./graph";

const at = (nodes: { name: string; after: string[] }[]) => Object.fromEntries(place(nodes).map(({ node, column, row }) => [node.name, [column, row]]));

test("a node stands after the last of those it waits for", () =>
  expect(at([{ name: "c", after: ["a", "b"] }, { name: "a", after: [] }, { name: "b", after: ["a"] }])).toMatchObject({ a: [0, 0], b: [1, 0], c: [2, 0] }));
test("no two nodes share a place", () => {
  const places = Object.values(at([{ name: "a", after: [] }, { name: "b", after: ["a"] }, { name: "c", after: ["a"] }, { name: "d", after: ["a"] }, { name: "e", after: [] }])).map(String);
  expect(new Set(places).size).toBe(places.length);
});
test("a circle or an unknown name does not hang", () => expect(place([{ name: "a", after: ["b", "gone"] }, { name: "b", after: ["a"] }])).toHaveLength(2));
