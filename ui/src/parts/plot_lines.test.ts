import { expect, test } from "vitest";
import { height_of, prepare, reach_of, scale_of, share_in_view, trace } from "./plot_lines";
import { summary_of } from "./plot_legend";

const line = (xs: number[], ys: (number | null)[], more = {}) => ({ label: "a", color: "", xs, ys, ...more });

test("x reaches from the first to the last point of any line", () => {
  expect(reach_of([line([5, 9], [1, 1]), line([2, 7], [1, 1]), line([], [])])).toEqual([2, 9]);
  expect(reach_of([])).toBeNull();
});

test("the share in view is that of the whole reach, at most all of it", () => {
  expect(share_in_view([line([0, 100], [1, 1])], [20, 30])).toBeCloseTo(0.1);
  expect(share_in_view([line([0, 100], [1, 1])], [-50, 500])).toBe(1);
  expect(share_in_view([line([3], [1])], [0, 1])).toBe(1);
});

test("y shows what is in the window, with bands and the raw line behind a smoothed one", () => {
  const lines = [line([0, 1, 2, 3], [1, 9, 2, 50], { low: [0, 8, 1, 40], high: [2, 10, 3, 60] })];
  const plain = { log: false, clip: false, smoothed: false };
  expect(height_of(prepare(lines, 0), null, plain)).toEqual({ low: 0, high: 60, outside: 0 });
  expect(height_of(prepare(lines, 0), [0, 0.5], plain)).toEqual({ low: 0, high: 10, outside: 0 });
  const smoothed = prepare([line([0, 1, 2], [0, 10, 0])], 0.9);
  expect(height_of(smoothed, null, { ...plain, smoothed: true })!.high).toBe(10);
  expect(height_of(smoothed, null, plain)!.high).toBeLessThan(10);
});

test("a log scale has room around one value, and one without values is from 1 to 10", () => {
  expect(scale_of({ low: 4, high: 4, outside: 0 }, { log: true, from_zero: false })).toEqual([2, 8]);
  expect(scale_of(null, { log: true, from_zero: false })).toEqual([1, 10]);
  expect(scale_of({ low: 3, high: 5, outside: 0 }, { log: false, from_zero: true })[0]).toBe(0);
});

test("extremes of thinned points are those of what they stand for, and say where", () => {
  expect(summary_of(line([0, 10, 20], [5, 4, null], { low: [3, 4, null], high: [5, 9, null] }))).toEqual({ low: 3, low_x: 0, high: 9, high_x: 10 });
  expect(summary_of(line([], []))).toEqual({ low: null, low_x: null, high: null, high_x: null });
});

const same = (value: number) => value;
function strokes(xs: number[], ys: (number | null)[]): string {
  const made: string[] = [];
  trace({ moveTo: (x, y) => made.push(`M${x},${y}`), lineTo: (x, y) => made.push(`L${x},${y}`) }, xs, ys, [0, xs.length - 1], same, same);
  return made.join(" ");
}

test("a line goes from point to point, and a gap lifts the pen", () => {
  expect(strokes([0, 1, 2, 3], [5, 6, null, 7])).toBe("M0,5 L1,6 M3,7");
});

test("of many points in a column of pixels the extremes and the ends are drawn", () => {
  const xs = Array.from({ length: 1000 }, (_, i) => 10 + i / 1000);
  const ys = xs.map((_, i) => (i === 300 ? -9 : i === 700 ? 99 : 5));
  expect(strokes([9, ...xs, 11], [1, ...ys, 2])).toMatch(/^M9,1 L10,5 L10\.\d+,-9 L10\.\d+,99 L10\.999,5 L11,2$/);
});

test("a gap within a column leaves the column's extremes", () => {
  expect(strokes([1, 1.2, 1.4, 1.6], [0, 8, null, 3])).toBe("M1,0 L1.1,0 L1.1,8 L1.2,8 M1.6,3");
});
