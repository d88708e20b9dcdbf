import { expect, test } from "vitest";
import { level_for } from "./headings";

test("the topmost heading of a text gets the level that is wanted", () => {
  expect(level_for("# a\n## b", 3)).toBe(3);
  expect(level_for("text\n### a\n## b", 3)).toBe(2);
  expect(level_for("#tag, no heading", 3)).toBe(3);
});
