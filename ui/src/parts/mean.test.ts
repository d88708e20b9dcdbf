import { expect, test } from "vitest";
import { mean_of, spread_of, student_t } from "./mean";

const line = (xs: number[], ys: (number | null)[]) => ({ label: "", xs, ys });

test("a mean counts the lines that reach a place, straight between their points", () => {
  const made = mean_of([line([0, 2], [0, 4]), line([0, 1, 4], [2, 4, 10])], "extremes");
  expect(made.xs).toEqual([0, 1, 2, 4]);
  expect(made.ys).toEqual([1, 3, 5, 10]);
  expect(made.counts).toEqual([2, 2, 2, 1]);
  expect(made.low).toEqual([0, 2, 4, 10]);
  expect(made.high).toEqual([2, 4, 6, 10]);
});

test("gaps of a line are bridged, its ends are not", () => {
  const made = mean_of([line([0, 1, 2], [1, null, 3]), line([1, 3], [2, 9])], "none");
  expect(made.ys).toEqual([1, 2, (3 + 5.5) / 2, 9]);
  expect(made.low).toBeNull();
});

test("the interval of a mean is Student's", () => {
  // Of 4, 6, 8: mean 6, deviation 2, so 4.3027 * 2 / sqrt(3) to either side.
  const { mean, low, high } = spread_of([4, 6, 8], "confidence");
  expect(mean).toBe(6);
  expect(high - mean).toBeCloseTo(4.9683, 3);
  expect(mean - low).toBeCloseTo(4.9683, 3);
  expect(spread_of([5], "confidence")).toEqual({ mean: 5, low: 5, high: 5 });
});

test("the quantiles of Student's distribution go on smoothly to the normal one", () => {
  expect(student_t(1)).toBeCloseTo(12.7062);
  expect(student_t(20)).toBeCloseTo(2.086, 3);
  expect(student_t(60)).toBeCloseTo(2.0003, 3);
  expect(student_t(100_000)).toBeCloseTo(1.96, 3);
});

test("many places are thinned, the first and the last stay", () => {
  const xs = Array.from({ length: 10_000 }, (_, i) => i);
  const made = mean_of([line(xs, xs)], "none");
  expect(made.xs.length).toBe(2000);
  expect(made.ys[0]).toBe(0);
  expect(made.ys.at(-1)).toBe(9999);
});
