import { expect, test } from "vitest";
import { difference, parse_tags, render_tags, tags_problem } from "./edit";

test("tags are written a line each, without those of mlflow, and read back", () => {
  const tags = { team: "vision", note: "a = b", "mlflow.user": "me" };
  expect(render_tags(tags)).toBe("team = vision\nnote = a = b");
  expect(parse_tags(render_tags(tags))).toEqual({ team: "vision", note: "a = b" });
  expect(tags_problem("team = x\n\nnonsense")).toMatch(/nonsense/);
});
test("only what changed is sent, and a tag that goes is null", () => {
  expect(difference({ name: "a", tags: { x: "1", y: "2", "mlflow.z": "3" } }, { name: "a", tags: { x: "1", new: "4" } })).toEqual({ tags: { y: null, new: "4" } });
  expect(difference({ description: "a" }, { description: "a" })).toEqual({});
});
