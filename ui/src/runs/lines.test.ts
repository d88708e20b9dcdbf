import { expect, test } from "vitest";
import type { Series } from "../api/types";
import { line_of, points_for } from "./lines";

const series = (more: Partial<Series>): Series => ({ key: "loss", count: 3, thinned: false, steps: [0, 10, 20], times_ms: [5000, 6000, 9000], values: [3, 2, 1], min: null, max: null, ...more });

test("x is the step, the clock, or the time since the run's own first point", () => {
  expect(line_of(series({}), "step", "", "").xs).toEqual([0, 10, 20]);
  expect(line_of(series({}), "time", "", "").xs).toEqual([5, 6, 9]);
  expect(line_of(series({}), "relative", "", "").xs).toEqual([0, 1, 4]);
});

test("x can be another metric: its value at the step; where it is unknown there is no point", () => {
  const epoch = series({ key: "epoch", steps: [0, 20], values: [0, 4], times_ms: [0, 0], count: 2 });
  expect(line_of(series({}), "epoch", "", "", epoch)).toMatchObject({ xs: [0, 2, 4], ys: [3, 2, 1] });
  expect(line_of(series({ steps: [0, 10, 30] }), "epoch", "", "", epoch)).toMatchObject({ xs: [0, 2], ys: [3, 2] });
  expect(line_of(series({}), "epoch", "", "").xs).toEqual([]);
});

test("a deeper zoom asks for more points, up to what a chart can hold", () => {
  expect(points_for(1, 0)).toBe(2000);
  expect(points_for(1, 1)).toBe(4000);
  expect(points_for(1, 12)).toBe(100_000);
  expect(points_for(20, 0)).toBe(1000);
  expect(points_for(20, 9)).toBe(8192);
  expect(points_for(200, 0)).toBe(512);
});
