import { expect, test } from "vitest";
import { importance_of, rank_correlation } from "./forest";

const runs = Array.from({ length: 120 }, (_, i) => i);
const some = (i: number, step: number, size: number) => ((i * step) % size) / size;

test("what makes the result matters, what does not has nothing to say", () => {
  const strong = runs.map((i) => some(i, 37, 101));
  const weak = runs.map((i) => some(i, 53, 97));
  const idle = runs.map((i) => some(i, 71, 89));
  const { importance, explained } = importance_of({ columns: [strong, weak, idle], target: runs.map((i) => 5 * strong[i]! + weak[i]!) });
  expect(importance[0]!).toBeGreaterThan(0.8);
  expect(importance[1]!).toBeGreaterThan(importance[2]!);
  expect(importance[2]!).toBeLessThan(0.05);
  expect(explained).toBeGreaterThan(0.8);
});

test("an effect of two parameters together, which no correlation sees, is found", () => {
  const a = runs.map((i) => some(i, 37, 101) - 0.5);
  const b = runs.map((i) => some(i, 53, 97) - 0.5);
  const { importance } = importance_of({ columns: [a, b], target: runs.map((i) => Math.sign(a[i]! * b[i]!)) });
  expect(Math.min(...importance)).toBeGreaterThan(0.2);
});

test("the same runs give the same figures", () => {
  const input = { columns: [runs.map((i) => some(i, 7, 31))], target: runs.map((i) => some(i, 11, 29)) };
  expect(importance_of(input)).toEqual(importance_of(input));
});

test("noise is not explained, a result that never varies has no importance", () => {
  const noise = runs.map((i) => some(i * i, 41, 103));
  expect(importance_of({ columns: [runs.map((i) => some(i, 7, 31))], target: noise }).explained).toBeLessThan(0.3);
  expect(importance_of({ columns: [noise], target: runs.map(() => 1) })).toEqual({ importance: [0], explained: 0 });
});

test("gaps are no obstacle", () => {
  const column = runs.map((i) => (i % 5 ? some(i, 37, 101) : NaN));
  expect(importance_of({ columns: [column], target: column.map((value) => (Number.isNaN(value) ? 0.5 : value)) }).importance[0]).toBeGreaterThan(0.5);
});

test("rank correlation knows order, not distance, and shares ranks among equals", () => {
  expect(rank_correlation([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1);
  expect(rank_correlation([1, 2, 3, NaN], [3, 2, 1, 7])).toBeCloseTo(-1);
  expect(rank_correlation([1, 1, 2, 2], [1, 2, 1, 2])).toBeCloseTo(0);
  expect(rank_correlation([1, 1], [1, 2])).toBeNaN();
});
