import { expect, test } from "vitest";
import { parse_csv, table_of_json } from "./csv";

test("fields may hold separators, quotes and lines", () => {
  const { columns, rows, total } = parse_csv('\ufeffname,score\r\n"a, ""b""\nc",1.5\r\nd,\r\n\r\n', 10);
  expect(columns).toEqual([{ name: "name", numeric: false }, { name: "score", numeric: true }]);
  expect(rows).toEqual([['a, "b"\nc', "1.5"], ["d", ""]]);
  expect(total).toBe(2);
});

test("tabs and semicolons separate, too", () => {
  expect(parse_csv("a;b\n1;2", 10).rows).toEqual([["1", "2"]]);
  expect(parse_csv("a\tb,c\td\n1\t2\t3", 10).columns.map(({ name }) => name)).toEqual(["a", "b,c", "d"]);
});

test("what is not kept is counted, and odd rows are taken as they are", () => {
  const found = parse_csv("a\n" + "1\n".repeat(1000), 5);
  expect([found.rows.length, found.total]).toEqual([5, 1000]);
  expect(parse_csv("a,b\n1\n1,2,3", 10).columns.length).toBe(3);
  expect(parse_csv("", 10)).toEqual({ columns: [], rows: [], total: 0 });
});

test("tables of pandas and records are tables, other JSON is none", () => {
  expect(table_of_json({ columns: ["x", "ok"], data: [[1, true], [2.5, false]] }, 1)).toEqual({ columns: [{ name: "x", numeric: true }, { name: "ok", numeric: false }], rows: [[1, true]], total: 2 });
  expect(table_of_json([{ a: 1 }, { b: "x" }], 10)?.rows).toEqual([[1, undefined], [undefined, "x"]]);
  for (const other of [null, 3, [], [1], { columns: 3 }, { columns: [], data: [1] }]) expect(table_of_json(other, 10)).toBe(null);
});
