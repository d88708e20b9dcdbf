import { expect, test } from "vitest";
import { picture_size, ranked } from "./answer";

test("logits become probabilities, best first, and it is said", () => {
  const answer = ranked({ name: "y", datatype: "FP32", shape: [1, 3], data: [0, 5, 1] }, ["a", "b", "c"])!;
  expect(answer.softmaxed).toBe(true);
  expect(answer.classes.map(({ label }) => label)).toEqual(["b", "c", "a"]);
  expect(answer.classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1);
});
test("probabilities stay as they are", () => expect(ranked({ name: "y", datatype: "FP32", shape: [1, 2], data: [0.25, 0.75] }, null)).toMatchObject({ softmaxed: false, classes: [{ label: "1", probability: 0.75 }, {}] }));
test("what is not one row of classes is not ranked", () => {
  expect(ranked({ name: "mask", datatype: "FP32", shape: [1, 3, 64, 64], data: Array(3 * 64 * 64).fill(0) }, null)).toBeNull();
  expect(ranked({ name: "s", datatype: "BYTES", shape: [1, 2], data: ["a", "b"] }, null)).toBeNull();
  expect(ranked(undefined, null)).toBeNull();
});
test("the board has the size of the model's picture", () => {
  expect(picture_size([-1, 1, 28, 28])).toEqual({ width: 28, height: 28 });
  expect(picture_size([1, 32, 48, 3])).toEqual({ height: 32, width: 48 });
  expect(picture_size([-1, 784])).toBeNull();
});
