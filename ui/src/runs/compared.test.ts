import { expect, test } from "vitest";
import { columns_of } from "./compared";

test("all parameters and metrics are asked for while they are few", () =>
  expect(columns_of({ parameters: ["lr"], metrics: ["system/cpu", "loss"], tags: ["team"] })).toEqual({ columns: "params.lr,metrics.loss,metrics.system/cpu,tags.team", left_out: 0 }));

test("of thousands of metrics the first are asked for, and the rest is counted", () => {
  const many = columns_of({ parameters: ["lr"], metrics: Array.from({ length: 1000 }, (_, i) => `m${i}`), tags: [] });
  expect(many.columns.split(",")).toHaveLength(200);
  expect(many.left_out).toBe(801);
  expect(columns_of({ parameters: Array.from({ length: 100 }, (_, i) => `${"x".repeat(240)}${i}`), metrics: [], tags: [] }).columns.length).toBeLessThanOrEqual(6000);
});
