import { expect, test } from "vitest";
import type { Run } from "../api/types";
import { differing_fields, group_runs, parse_grouping, render_grouping } from "./grouping";

const run = (id: string, parameters: Record<string, string>, tags: Record<string, string> = {}) =>
  ({ id, parameters, tags, experiment_name: "e", state: "finished" }) as unknown as Run;
const runs = [run("a", { lr: "0.1", seed: "1", batch: "8" }), run("b", { lr: "0.1", seed: "2", batch: "8" }), run("c", { lr: "0.01", seed: "1", batch: "8" }, { team: "x", "mlflow.user": "me" })];

test("a grouping is written into a URL and read back, commas included", () => {
  for (const grouping of [{ keys: ["params.lr", "tags.a,b%"], but: false }, { keys: ["params.seed"], but: true }, { keys: [], but: true }])
    expect(parse_grouping(render_grouping(grouping)!)).toEqual(grouping);
  expect(parse_grouping("")).toBeNull();
  expect(render_grouping({ keys: [], but: false })).toBeNull();
});

test("what runs differ in can group them; what is the same, and tags of programs, cannot", () =>
  expect(differing_fields(runs)).toEqual(["params.lr", "params.seed", "tags.team"]));

test("all but the seed puts repetitions together", () => {
  const groups = group_runs(runs, { keys: ["params.seed"], but: true });
  expect(groups.map(({ label, runs: members }) => [label, members.map(({ id }) => id)])).toEqual([["lr = 0.01", ["c"]], ["lr = 0.1", ["a", "b"]]]);
});

test("a run without the key is in a group of its own", () =>
  expect(group_runs(runs, { keys: ["tags.team"], but: false }).map(({ label }) => label)).toEqual(["team = –", "team = x"]));

test("nothing to tell them apart leaves one group", () => expect(group_runs(runs, { keys: ["params.lr", "params.seed"], but: true })).toHaveLength(1));
