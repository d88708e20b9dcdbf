import { expect, test } from "vitest";
import type { Series } from "../api/types";
import { order_by } from "./columns";
import { compare_rows } from "./side_by_side";
import { line_of } from "./lines";

test("an order names its column in the server's language", () => {
  expect(order_by({ id: "metrics.val_acc", desc: true })).toBe("metrics.val_acc desc");
  expect(order_by({ id: "metrics.system/cpu", desc: false })).toBe("metrics.`system/cpu` asc");
  expect(order_by(null)).toBeNull();
});

test("compared runs show what differs", () => {
  const metric = (last: number) => ({ last, step: 0, at: "", min: 0, max: 0, count: 1 });
  const rows = compare_rows([{ parameters: { lr: "1", seed: "7" }, metrics: { loss: metric(0.5) } }, { parameters: { lr: "2", seed: "7" }, metrics: {} }]);
  expect(rows.find(({ key }) => key === "lr")!.differs).toBe(true);
  expect(rows.find(({ key }) => key === "seed")!.differs).toBe(false);
  expect(rows.find(({ key }) => key === "loss")!.values).toEqual(["0.500", null]);
});

test("a step that was logged twice keeps its last value, and NaN is a gap", () => {
  const series: Series = { key: "loss", count: 4, thinned: false, steps: [0, 2, 1, 2], times_ms: [0, 1, 2, 3], values: [1, 2, "NaN", 4], min: null, max: null };
  expect(line_of(series, "step", "loss", "")).toMatchObject({ xs: [0, 1, 2], ys: [1, null, 4] });
});
