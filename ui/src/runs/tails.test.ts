import { expect, test } from "vitest";
import { tails_of } from "./lines";

const plain = { key: "loss", count: 2, thinned: false, steps: [0, 1], times_ms: [1000, 2000], values: [1, 2], min: null, max: null };
const series = { ...plain, abandoned: [{ attempt: 1, count: 2, thinned: false, steps: [1, 2], times_ms: [1500, 1700], values: [5, 6], min: null, max: null }] };

test("what a later attempt logged again is a faint line of its own", () => {
  const tails = tails_of(series, "step", "loss", "var(--c1)");
  expect(tails).toHaveLength(1);
  expect(tails[0]).toMatchObject({ xs: [1, 2], ys: [5, 6], dashed: true, faint: true, label: "loss of attempt 1, abandoned" });
});

test("its time counts from where the run's does", () => {
  expect(tails_of(series, "relative", "loss", "")[0]!.xs).toEqual([0.5, 0.7]);
});

test("a run that never went on has none", () => {
  expect(tails_of({ ...series, abandoned: [] }, "step", "loss", "")).toEqual([]);
  expect(tails_of(plain, "step", "loss", "")).toEqual([]);
});
