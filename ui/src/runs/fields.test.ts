import { expect, test } from "vitest";
import type { Run } from "../api/types";
import { likely_target, metric_field, parameter_field, scale_of, ticks_of } from "./fields";
import { passing } from "./parallel";

const run = (parameters: Record<string, string>, loss: number | string | null = null) => ({ parameters, tags: {}, metrics: loss === null ? {} : { loss: { last: loss } } }) as unknown as Run;

test("a parameter of numbers is a number, with a log scale when it spans powers of ten", () => {
  const field = parameter_field([run({ lr: "0.0001" }), run({ lr: "0.001" }), run({ lr: "0.1" }), run({})], "lr");
  expect(field).toMatchObject({ words: null, log: true });
  expect(field.values[3]).toBeNaN();
  const { at, back } = scale_of(field);
  expect(at(0.001)).toBeCloseTo(1 / 3);
  expect(back(at(0.01))).toBeCloseTo(0.01);
  expect(parameter_field([run({ d: "0.001" }), run({ d: "0.3" }), run({ d: "0.5" })], "d").log).toBe(false);
});

test("other parameters are words, numbers among them in order", () => {
  const field = parameter_field([run({ k: "sgd" }), run({ k: "8" }), run({ k: "adam" }), run({ k: "16" })], "k");
  expect(field.words).toEqual(["8", "16", "adam", "sgd"]);
  expect(field.values).toEqual([3, 0, 2, 1]);
  expect(ticks_of(field)).toEqual([0, 1, 2, 3]);
});

test("NaN and infinities of a metric have no place", () => expect(metric_field([run({}, "NaN"), run({}, "Infinity"), run({}, 2), run({})], "loss").values).toEqual([NaN, NaN, 2, NaN]));

test("one value has a scale, too", () => {
  const { at } = scale_of(metric_field([run({}, 5), run({}, 5)], "loss"));
  expect(at(5)).toBeCloseTo(0.5);
});

test("the likely result is what runs are judged by", () => {
  expect(likely_target(["metrics.epoch", "metrics.train_loss", "metrics.val_loss"])).toBe("metrics.val_loss");
  expect(likely_target(["metrics.system/cpu_percent", "metrics.reward"])).toBe("metrics.reward");
  expect(likely_target([])).toBeNull();
});

test("runs pass that lie in all spans; those without a value do not", () => {
  const fields = [parameter_field([run({ a: "1" }), run({ a: "2" }), run({})], "a")];
  expect(passing(fields, [{ id: "params.a", low: 1.5, high: 3 }], 3)).toEqual([false, true, false]);
  expect(passing(fields, [{ id: "params.gone", low: 0, high: 1 }], 3)).toEqual([true, true, true]);
});
