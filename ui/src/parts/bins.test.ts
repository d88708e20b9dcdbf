import { expect, test } from "vitest";
import { bins_of } from "./bins";

test("with one count more than edges the outer bins are open", () =>
  expect(bins_of({ edges: [0.1, 0.2], counts: [1, 2, 1] }).map(({ range, share }) => [range, share])).toEqual([["under 0.100", 0.25], ["0.100 to 0.200", 0.5], ["0.200 and more", 0.25]]));
test("with one edge more than counts they are closed", () => expect(bins_of({ edges: [0, 1, 2], counts: [3, 1] }).map(({ range }) => range)).toEqual(["0 to 1", "1 to 2"]));
test("a histogram of nothing has no shares and no NaN", () => {
  expect(bins_of({ edges: [], counts: [0] })).toEqual([{ share: 0, count: 0, range: "all" }]);
  expect(bins_of({ edges: [], counts: [] })).toEqual([]);
});
