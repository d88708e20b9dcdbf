import { expect, test } from "vitest";
import { stale_keys } from "./events";

test("an event makes its own records old and no others", () => {
  expect(stale_keys({ type: "run_changed", id: "r1" })).toContainEqual(["runs", "r1"]);
  expect(stale_keys({ type: "metrics_changed", run_id: "r1" })).not.toContainEqual(["runs", "list"]);
  expect(stale_keys({ type: "of_tomorrow", id: "x" })).toEqual([]);
});
