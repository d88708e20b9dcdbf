import { expect, test } from "vitest";
import type { Run } from "../api/types";
import { aggregate, compare_values, group_rows, numbers_of } from "./run_groups";

const run = (id: string, lr: string | null, acc: number | null) => ({ id, parameters: lr === null ? {} : { lr }, metrics: acc === null ? {} : { acc: { last: acc } } }) as unknown as Run;
const runs = [run("a", "0.1", 0.5), run("b", "0.01", 0.9), run("c", "0.1", 0.7), run("d", null, null)];
const by = [{ column: "params.lr", value: (one: Run) => one.parameters["lr"] ?? null }];
const acc = (one: Run) => (one.metrics["acc"]?.last as number | undefined) ?? null;

test("runs that agree are one group, ordered by what they agree in", () => {
  const rows = group_rows({ runs, by, open: [], order: null, how: "mean" });
  expect(rows.map((row) => row.kind === "group" && [row.values[0]!.value, row.runs.length])).toEqual([[null, 1], ["0.01", 1], ["0.1", 2]]);
});

test("groups are ordered by their aggregate, those without one last; open ones show their runs in that order", () => {
  const rows = group_rows({ runs, by, open: ['group:["0.1"]'], order: { desc: true, value: acc }, how: "mean" });
  expect(rows.map((row) => (row.kind === "group" ? row.values[0]!.value : row.key))).toEqual(["0.01", "0.1", "c", "a", null]);
});

test("aggregates", () => {
  expect(aggregate([1, 2, 6], "mean")).toBe(3);
  expect(aggregate([1, 2, 6], "min")).toBe(1);
  expect(aggregate([1, 2, 6], "max")).toBe(6);
  expect(aggregate([1, 3], "spread")).toBeCloseTo(Math.SQRT2);
  expect(aggregate([1], "spread")).toBeNaN();
  expect(aggregate([], "mean")).toBeNaN();
});

test("parameters that are numbers are numbers, the rest is not", () => expect(numbers_of(["0.1", "adam", 2, null, "", NaN])).toEqual([0.1, 2]));
test("what is missing comes last in both directions", () => {
  for (const desc of [true, false]) expect([null, 1, 2].sort((a, b) => compare_values(a, b, desc)).at(-1)).toBeNull();
});

test("selecting a group selects its runs, and letting it go lets them go", async () => {
  const { select_runs } = await import("./runs");
  const groups = group_rows({ runs, by, open: [], order: null, how: "mean" });
  const key = 'group:["0.1"]';
  expect(select_runs(["b", key], ["b"], groups)).toEqual(["b", "a", "c"]);
  expect(select_runs(["a", "b", "c"], ["a", "b", "c", key], groups)).toEqual(["b"]);
});
