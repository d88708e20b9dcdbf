import { partialMatchKey } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { runs_key } from "../media/media";
import { stale_keys } from "./events";

test("an event makes its own records old and no others", () => {
  expect(stale_keys({ type: "run_changed", id: "r1" })).toContainEqual(["runs", "r1"]);
  expect(stale_keys({ type: "metrics_changed", run_id: "r1" })).not.toContainEqual(["runs", "list"]);
  expect(stale_keys({ type: "of_tomorrow", id: "x" })).toEqual([]);
});

test("a file of a run makes old the media of that run, and of those that are compared with it", () => {
  const makes_old = (key: unknown[]) => stale_keys({ type: "artifacts_changed", id: "r1", run_id: "r1" }).some((one) => partialMatchKey(key, one));
  expect(makes_old(["media", "run", "r1", "image", "val/samples"])).toBe(true);
  expect(makes_old(["runs", "r1", "artifacts", ""])).toBe(true);
  expect(makes_old([...runs_key(["r2", "r1"]), "keys"])).toBe(true);
  expect(makes_old([...runs_key(["r2", "r3"]), "keys"])).toBe(false);
  expect(makes_old(["media", "run", "r2"])).toBe(false);
  expect(makes_old(["runs", "list"])).toBe(false);
});
