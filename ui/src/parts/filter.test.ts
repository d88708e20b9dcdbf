import { expect, test } from "vitest";
import { word_before } from "./filter";

test("completion sees the word at the caret", () => {
  expect(word_before("metrics.lo", 10)).toBe("metrics.lo");
  expect(word_before("state = 'a' and par", 19)).toBe("par");
  expect(word_before("loss <", 6)).toBe("");
});
test("inside quotes nothing is completed", () => expect(word_before("state = 'runn", 13)).toBe(""));
