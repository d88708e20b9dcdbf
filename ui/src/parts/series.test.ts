import { expect, test } from "vitest";
import { csv, extent_of, join, padded, smooth, svg, value_at, window_of } from "./series";

test("smoothing keeps a constant as it is, from the first point on", () => { for (const value of smooth([3, 3, 3], 0.9)) expect(value).toBeCloseTo(3); });
test("smoothing leaves gaps and goes on after them", () => {
  const smoothed = smooth([1, null, NaN, 1], 0.5);
  expect(smoothed[1]).toBeNull();
  expect(smoothed[2]).toBeNull();
  expect(smoothed[3]).toBeCloseTo(1);
});
test("no smoothing gives back the very same line", () => { const line = [1, 2]; expect(smooth(line, 0)).toBe(line); });

test("lines with steps of their own meet on one x, without gaps of others", () => {
  const { xs, columns } = join([{ label: "a", xs: [0, 2], ys: [1, null] }, { label: "b", xs: [1, 2], ys: [5, 6] }]);
  expect(xs).toEqual([0, 1, 2]);
  expect(columns[0]).toEqual([1, undefined, null]);
  expect(columns[1]).toEqual([undefined, 5, 6]);
});

test("the legend shows the last value at or before the crosshair", () => {
  const line = { label: "a", xs: [0, 10, 20], ys: [1, 2, 3] };
  expect(value_at(line, 15)).toBe(2);
  expect(value_at(line, 20)).toBe(3);
  expect(value_at(line, -1)).toBeNull();
  expect(value_at({ label: "", xs: [], ys: [] }, 1)).toBeNull();
});

test("CSV has a column for each line and quotes what needs it", () =>
  expect(csv("step", [{ label: "a,b", xs: [0, 1], ys: [1, null] }, { label: "c", xs: [1], ys: [2] }])).toBe('step,"a,b",c\n0,1,\n1,,2\n'));

test("SVG escapes names and leaves out what a log scale cannot show", () => {
  const text = svg([{ label: "<x>", color: "#000", xs: [0, 1, 2], ys: [1, 0, 10] }], { title: "t & u", x_name: "step", log: true });
  expect(text).toContain("&lt;x>");
  expect(text).toContain("t &amp; u");
  expect(text).not.toContain("NaN");
  expect(text).not.toContain("Infinity");
});

test("a span of nothing is widened, an unknown one is 0 to 1", () => {
  expect(padded(5, 5)[0]).toBeLessThan(5);
  expect(padded(0, 0)).toEqual([-1, 1]);
  expect(padded(NaN, NaN)).toEqual([0, 1]);
});

test("smoothing remembers less over a larger distance", () => {
  const near = smooth([0, 0, 0, 1], 0.9, [0, 1, 2, 3]).at(-1)!;
  const far = smooth([0, 0, 0, 1], 0.9, [0, 1, 2, 40]).at(-1)!;
  expect(far).toBeGreaterThan(near);
  expect(smooth([0, 0, 0, 1], 0.9).at(-1)).toBeCloseTo(near);
});

test("clipping leaves the outermost percents outside and counts them", () => {
  const ys = Array.from({ length: 1000 }, (_, i) => i);
  const clipped = extent_of([[...ys.slice(0, -1), 1e9]], { log: false, clip: true })!;
  expect(clipped.high).toBeLessThan(1000);
  expect(clipped.outside).toBe(18);
  expect(extent_of([ys], { log: false, clip: false })).toEqual({ low: 0, high: 999, outside: 0 });
  expect(extent_of([[0, -1, null]], { log: true, clip: false })).toBeNull();
});

test("a window takes one point beyond it on either side", () => {
  expect(window_of([0, 10, 20, 30, 40], [15, 25])).toEqual([1, 3]);
  expect(window_of([0, 10], [-5, 50])).toEqual([0, 1]);
  expect(window_of([0, 10], null)).toEqual([0, 1]);
});
