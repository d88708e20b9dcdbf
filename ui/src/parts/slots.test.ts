import { expect, test } from "vitest";
import { kNoSlots, slots_of } from "./slots";

const keys = ({ keys: found }: { keys: Map<string, number> }) => [...found.values()];

test("rows keep their elements while others come and go", () => {
  const first = slots_of(kNoSlots, ["a", "b", "c"], "all");
  const scrolled = slots_of(first, ["b", "c", "d"], "all");
  expect(scrolled.keys.get("b")).toBe(first.keys.get("b"));
  expect(scrolled.keys.get("c")).toBe(first.keys.get("c"));
  expect(keys(first)).not.toContain(scrolled.keys.get("d"));
});

test("rows of another order take over the elements that are there, place by place", () => {
  const first = slots_of(kNoSlots, ["a", "b", "c"], "by name");
  const sorted = slots_of(first, ["x", "a", "y", "z"], "by loss");
  expect(keys(sorted).slice(0, 3)).toEqual(keys(first));
  expect(keys(first)).not.toContain(sorted.keys.get("z"));
});

test("no two rows ever have one element", () => {
  let slots = slots_of(kNoSlots, ["a", "b"], "1");
  for (const [rows, of] of [[["x", "y"], "2"], [["y", "a"], "2"], [["a", "b", "x"], "3"], [["q", "x", "y", "a"], "4"], [[], "5"], [["a", "q"], "5"]] as const) {
    slots = slots_of(slots, [...rows], of);
    expect(new Set(keys(slots)).size).toBe(rows.length);
  }
});
