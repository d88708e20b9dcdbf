import { expect, test } from "vitest";
import { outcome_of, summary } from "./outcome";

test("an answer is held against the label, and against what was answered before", () => {
  expect(outcome_of({ label: "3", prediction: "8" }, "3")).toBe("fixed");
  expect(outcome_of({ label: "3", prediction: "8" }, "5")).toBe("wrong");
  expect(outcome_of({ label: "3", prediction: "3" }, "3")).toBe("right");
  expect(outcome_of({ label: "3", prediction: "3" }, "8")).toBe("broken");
});
test("what is right now counts both", () =>
  expect(summary([{ outcome: "right" }, { outcome: "fixed" }, { outcome: "fixed" }, { outcome: "broken" }, { outcome: "wrong" }])).toEqual({ right: 3, fixed: 2, broken: 1 }));
