import { expect, test } from "vitest";
import { completions, word_before } from "./filter";

test("completion sees the word at the caret", () => {
  expect(word_before("metrics.lo", 10)).toBe("metrics.lo");
  expect(word_before("state = 'a' and par", 19)).toBe("par");
  expect(word_before("loss <", 6)).toBe("");
});
test("inside quotes nothing is completed", () => expect(word_before("state = 'runn", 13)).toBe(""));

const values = (field: string) => (field === "state" ? ["finished", "failed"] : field === "params.my lr" ? ["0.1", "0.01"] : []);
const shown = (text: string, caret = text.length) => completions(text, caret, ["state", "metrics.val/acc"], values).map(({ show }) => show);

test("behind an operator come the values of what stands before it", () => {
  expect(shown("state = ")).toEqual(["finished", "failed"]);
  expect(shown("state = 'fi")).toEqual(["finished"]);
  expect(shown("lr > 1 and state != 'x' and params.`my lr` in ('0.1', ")).toEqual(["0.1", "0.01"]);
  expect(shown("metrics.loss < ")).toEqual([]);
  expect(completions("state = 'fi", 11, [], values)[0]).toEqual({ from: 8, show: "finished", insert: "'finished'" });
});

test("elsewhere come words, with backquotes where they need them; inside of a finished text nothing does", () => {
  expect(shown("sta")).toEqual(["state"]);
  expect(completions("acc", 3, ["metrics.val/acc"], values)).toEqual([{ from: 0, show: "metrics.val/acc", insert: "metrics.`val/acc`" }]);
  expect(shown("name = 'sta")).toEqual([]);
});
