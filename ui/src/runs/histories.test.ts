import { expect, test } from "vitest";
import type { Series } from "../api/types";
import { range_of, with_part } from "./histories";

const series = (steps: number[], thinned: boolean, run_id = "a"): Series => ({
  run_id, key: "loss", count: 1000, thinned, steps, times_ms: steps.map((step) => step * 10), values: steps.map((step) => step / 2),
  min: thinned ? steps.map((step) => step / 2 - 1) : null, max: thinned ? steps.map((step) => step / 2 + 1) : null,
});

test("a zoom is asked for in the server's units, with a quarter beside it", () => {
  expect(range_of(null, "step", 0)).toBeNull();
  expect(range_of([100, 200], "step", 0)).toEqual({ from: 75, to: 225 });
  expect(range_of([10.5, 10.9], "step", 0)).toEqual({ from: 10, to: 11 });
  expect(range_of([1_700_000_000, 1_700_000_004], "time", 5)).toEqual({ from: 1_699_999_999_000, to: 1_700_000_005_000 });
  expect(range_of([0, 4], "relative", 1_700_000_000_000)).toEqual({ from: 1_699_999_999_000, to: 1_700_000_005_000 });
});

test("the finer part stands in the place of the coarse one, which stays around it", () => {
  const [one] = with_part([series([10, 20, 30, 40], true)], [series([16, 18, 22, 24], true)], { from: 15, to: 25 }, "step");
  expect(one!.steps).toEqual([10, 16, 18, 22, 24, 30, 40]);
  expect(one!.values).toEqual([5, 8, 9, 11, 12, 15, 20]);
  expect(one!.min).toHaveLength(7);
  expect(one!.count).toBe(1000);
});

test("a part with every point has extremes beside coarse neighbours that have them", () => {
  const [one] = with_part([series([10, 20, 30], true)], [series([19, 20, 21], false)], { from: 150, to: 250 }, "time");
  expect(one!.steps).toEqual([10, 19, 20, 21, 30]);
  expect(one!.min).toEqual([4, 9.5, 10, 10.5, 14]);
});

test("a part beyond the end, and one without points, leave what is around", () => {
  expect(with_part([series([10, 20], true)], [series([31], false)], { from: 30, to: 40 }, "step")[0]!.steps).toEqual([10, 20, 31]);
  expect(with_part([series([10, 20, 30], true)], [series([], false)], { from: 15, to: 25 }, "step")[0]!.steps).toEqual([10, 30]);
});

test("series that are whole anyway, or of which there is no part, stay", () => {
  const [whole, other] = [series([10, 20], false), series([1, 2], true, "b")];
  expect(with_part([whole, other], [series([15], false)], { from: 12, to: 18 }, "step")).toEqual([whole, other]);
});
