import { describe, expect, it } from "vitest";
import type { Span } from "../api/types";
import { micros, readable, rows_of } from "./tree";

const span = (id: string, parent: string | null, offset_us: number, duration_us: number | null): Span =>
  ({ id, parent, name: id, type: "", status: "unset", status_message: "", offset_us, duration_us, attributes: {}, events: [], links: [] });

describe("rows_of", () => {
  it("puts children under their parent by their start, with their place on the time line", () => {
    const rows = rows_of([span("root", null, 0, 100), span("late", "root", 50, 50), span("early", "root", 10, 20), span("deep", "late", 60, 10)]);
    expect(rows.map(({ span: { id }, depth, below }) => [id, depth, below])).toEqual([["root", 0, 3], ["early", 1, 0], ["late", 1, 1], ["deep", 2, 0]]);
    expect(rows[1]).toMatchObject({ from: 0.1, to: 0.3 });
  });
  it("hides what is below a folded span and still counts it", () => {
    const rows = rows_of([span("root", null, 0, 10), span("a", "root", 0, 5), span("b", "a", 0, 5)], new Set(["root"]));
    expect(rows.map(({ span: { id }, below }) => [id, below])).toEqual([["root", 2]]);
  });
  it("shows orphans and circles at the top, each once", () => {
    const rows = rows_of([span("orphan", "gone", 0, 1), span("x", "y", 0, 1), span("y", "x", 0, 1)]);
    expect(rows.map(({ span: { id }, depth }) => [id, depth])).toEqual([["orphan", 0], ["x", 0], ["y", 1]]);
  });
  it("lets a span that goes on reach to the end", () => {
    expect(rows_of([span("root", null, 0, null), span("a", "root", 10, 30)])[0]).toMatchObject({ from: 0, to: 1 });
  });
});

describe("micros", () => {
  it("takes the unit that keeps it short", () => {
    expect([micros(7), micros(1500), micros(2_340_000), micros(61_000_000), micros(null)]).toEqual(["7 µs", "1.50 ms", "2.34 s", "1 min 1 s", "goes on"]);
  });
});

describe("readable", () => {
  it("lays JSON out and leaves other text alone", () => {
    expect(readable('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(readable("{no json")).toBe("{no json");
    expect(readable(["x"])).toBe('[\n  "x"\n]');
  });
});
