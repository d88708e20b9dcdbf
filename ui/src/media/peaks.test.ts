import { expect, test } from "vitest";
import { peaks_of } from "./peaks";

test("every sample counts in one column", () => {
  expect(peaks_of([0, 0.5, -0.25, 1, -2, NaN], 3)).toEqual([[0, 0.5], [-0.25, 1], [-1, 0]]);
  expect(peaks_of([0.5], 480)).toEqual([[0.5, 0.5]]);
  expect(peaks_of([], 480)).toEqual([]);
});
