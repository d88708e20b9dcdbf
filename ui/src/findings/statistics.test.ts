import { expect, test } from "vitest";
import { in_words, strength } from "./statistics";

test("the strength of a finding is said in words", () => {
  expect(strength(0.1, 0.2)).toBe("within what is allowed");
  expect(strength(0.25, 0.2)).toBe("little more than what is allowed");
  expect(strength(0.5, 0.2)).toBe("2.5 times what is allowed");
  expect(strength(5, 0.2)).toBe("25 times what is allowed");
  expect(strength(null, 0.2)).toBeNull();
  expect(strength(1, 0)).toBeNull();
});

test("a statistic nobody named is shown as it is", () => { expect(in_words("new_one")).toBe("new one"); });
