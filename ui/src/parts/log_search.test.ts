import { expect, test } from "vitest";
import { hit_near, joined, type Hit } from "./log_search";
import { lines_in, with_earlier, with_later, type Piece } from "./use_log";

const hit = (line: number): Hit => ({ line, offset: line * 10, text: "" });

test("a line that had not ended is not there twice", () =>
  expect(joined([hit(1), hit(4)], 40, [hit(4), hit(9)]).map(({ line }) => line)).toEqual([1, 4, 9]));
test("next and previous go from where one looks, and around", () => {
  const hits = [hit(3), hit(7), hit(20)];
  expect([hit_near(hits, 5, false), hit_near(hits, 7, false), hit_near(hits, 21, false)]).toEqual([1, 1, 0]);
  expect([hit_near(hits, 5, true), hit_near(hits, 2, true)]).toEqual([0, 2]);
  expect(hit_near([], 2, true)).toBe(-1);
});
test("the first line's number follows what comes in front", () => {
  const have: Piece = { from: 100, to: 200, text: "c\nd\n", end: false, line: 7 };
  expect(with_earlier(have, 50, "a\nb\n")).toMatchObject({ from: 50, line: 5, text: "a\nb\nc\nd\n" });
  expect(with_earlier({ ...have, line: null }, 0, "a\n").line).toBe(1);
  expect(with_later(null, { offset: 0, next_offset: 4, size: 4, text: "a\nb\n", end: false }).line).toBe(1);
  expect(with_later(null, { offset: 9, next_offset: 12, size: 12, text: "a\nb", end: false }).line).toBe(null);
});
test("and what is too old to be kept", () => {
  const long = "0123456789abcde\n".repeat(1024 * 1024), have: Piece = { from: 0, to: long.length, text: long, end: false, line: 1 };
  const next = with_later(have, { offset: long.length, next_offset: 3 * long.length, size: 3 * long.length, text: long + long, end: true });
  expect(next.text.length).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect([next.line, next.from]).toEqual([1 + lines_in(long + long + long) - lines_in(next.text), 3 * long.length - next.text.length]);
});
