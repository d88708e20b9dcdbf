import { expect, test } from "vitest";
import { match, place_of } from "./router";

test("a pattern gives its parts, decoded", () => {
  expect(match("/models/{name}/versions/{version}", "/models/a%20b/versions/2")).toEqual({ name: "a b", version: "2" });
  expect(match("/datasets/{name}/commits/{ref}/samples/{key...}", "/datasets/d/commits/main/samples/3/00%2F1.png")).toEqual({ name: "d", ref: "main", key: "3/00/1.png" });
});
test("a path that is longer, shorter or other does not match", () => {
  expect(match("/runs/{id}", "/runs")).toBeNull();
  expect(match("/runs/{id}", "/runs/1/2")).toBeNull();
  expect(match("/runs/{id}", "/models/1")).toBeNull();
  expect(match("/runs/{id}", "/runs/")).toBeNull();
});
test("a broken escape is taken as it stands", () => expect(match("/runs/{id}", "/runs/%zz")).toEqual({ id: "%zz" }));
test("the project stands before the path", () => {
  expect(place_of("/projects/lab/runs/", "?a=1")).toMatchObject({ base: "/projects/lab", path: "/runs" });
  expect(place_of("/projects/lab", "")).toMatchObject({ base: "/projects/lab", path: "/" });
  expect(place_of("/runs", "").base).toBe("");
});
test("the server's prefix stands before both, and may have been taken off by a proxy", () => {
  expect(place_of("/lab/projects/vision/runs", "?a=1", "/lab")).toMatchObject({ base: "/lab/projects/vision", path: "/runs" });
  expect(place_of("/lab", "", "/lab")).toMatchObject({ base: "/lab", path: "/" });
  expect(place_of("/runs", "", "/lab")).toMatchObject({ base: "/lab", path: "/runs" });
  expect(place_of("/laboratory", "", "/lab")).toMatchObject({ base: "/lab", path: "/laboratory" });
});
