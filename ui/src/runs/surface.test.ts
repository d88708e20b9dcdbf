import { expect, test } from "vitest";
import { contour, levels_of, surface_of, type Surface } from "./surface";

test("a surface is the mean of what is near, and nothing where nobody is", () => {
  const { heights, columns } = surface_of([0.1, 0.1, 0.9], [0.1, 0.1, 0.9], [1, 3, 10], 11, 11);
  expect(heights[1 * columns + 1]).toBeCloseTo(2);
  expect(heights[9 * columns + 9]).toBeCloseTo(10);
  expect(heights[1 * columns + 9]).toBeNaN();
});

test("a line of equal height goes where the height is", () => {
  // z = x over a grid of 5 by 3: the level 0.6 is the upright line there.
  const plane: Surface = { columns: 5, rows: 3, heights: Float64Array.from({ length: 15 }, (_, i) => (i % 5) / 4) };
  const segments = contour(plane, 0.6);
  expect(segments).toHaveLength(2);
  for (const [x0, , x1] of segments) { expect(x0).toBeCloseTo(0.6); expect(x1).toBeCloseTo(0.6); }
  expect(contour(plane, 2)).toEqual([]);
});

test("a saddle is two lines that do not cross, and a gap has none", () => {
  const saddle = (values: number[]): Surface => ({ columns: 2, rows: 2, heights: Float64Array.from(values) });
  expect(contour(saddle([1, 0, 0, 1]), 0.4)).toHaveLength(2);
  expect(contour(saddle([1, 0, 0, NaN]), 0.5)).toEqual([]);
  // With the middle above, the low corners are cut off: (1, 0) and (0, 1).
  const cut = contour(saddle([1, 0, 0, 1]), 0.4).map(([x0, y0, x1, y1]) => [(x0 + x1) / 2, (y0 + y1) / 2]);
  expect(cut.some(([x, y]) => x! > 0.5 && y! < 0.5)).toBe(true);
  expect(cut.some(([x, y]) => x! < 0.5 && y! > 0.5)).toBe(true);
});

test("levels are round", () => {
  expect(levels_of(0.51, 0.95)).toEqual([0.6, 0.7, 0.8, 0.9]);
  expect(levels_of(-3, 10)).toEqual([0, 5, 10]);
  expect(levels_of(1, 1)).toEqual([]);
});
