import { expect, test } from "vitest";
import { keys_of_labels } from "./labels";

test("labels that are digits have their own key", () => {
  expect(keys_of_labels(["0", "1", "7"])).toEqual([{ key: "0", label: "0" }, { key: "1", label: "1" }, { key: "7", label: "7" }]);
});

test("others have digits first, then letters, each once, and none that the page uses", () => {
  const keys = keys_of_labels(Array.from({ length: 40 }, (_, i) => `class ${i}`)).map(({ key }) => key);
  expect(keys.slice(0, 11).join("")).toBe("1234567890q");
  expect(new Set(keys).size).toBe(keys.length);
  for (const taken of "adfghjklsxce") expect(keys).not.toContain(taken);
});

test("a model without labels has no keys", () => { expect(keys_of_labels(null)).toEqual([]); });
