import { expect, test } from "vitest";
import { python_literal, quoted } from "./page";

test("what the shell would read is quoted", () => {
  expect(quoted("digits@main")).toBe("digits@main");
  expect(quoted("label = '3'; rm -rf /")).toBe("'label = '\\''3'\\''; rm -rf /'");
});
test("values are written as Python writes them", () => expect(python_literal({ a: [true, null, "x\"y", 1.5] })).toBe('{"a": [True, None, "x\\"y", 1.5]}'));
