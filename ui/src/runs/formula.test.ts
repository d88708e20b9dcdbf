import { expect, test } from "vitest";
import { parse_formula, read_formulas, write_formulas, type FormulaRun } from "./formula";

const known = { metrics: ["train_loss", "val_loss", "val/acc", "a.min"], parameters: ["lr", "size"], tags: [] };
const metric = (last: number, min = last, max = last) => ({ last, min, max, step: 0, at: null, count: 1 });
const run: FormulaRun = { metrics: { train_loss: metric(0.5, 0.2, 3), val_loss: metric(0.75), "val/acc": metric(0.9), "a.min": metric(7, 1) }, parameters: { lr: "0.01", size: "big" }, duration_s: 10 };
const value = (text: string) => { const made = parse_formula(text, known); if (!("value" in made)) throw new Error(made.message); return made.value(run); };
const error = (text: string) => { const made = parse_formula(text, known); if ("value" in made) throw new Error("it was understood"); return made; };

test("sums, products, powers and signs bind as in arithmetic", () => {
  expect(value("1 + 2 * 3 ^ 2 ^ 0")).toBe(7);
  expect(value("-2 ^ 2")).toBe(-4);
  expect(value("(1 - 2) - 3 / 2")).toBe(-2.5);
  expect(value("2e2 * .5")).toBe(100);
  expect(value("2 * -3")).toBe(-6);
});

test("names are metrics, parameters, or what the prefix says; odd ones stand in backquotes", () => {
  expect(value("train_loss - val_loss")).toBe(-0.25);
  expect(value("metrics.`val/acc` * 100")).toBeCloseTo(90);
  expect(value("`val/acc`")).toBeCloseTo(0.9);
  expect(value("log10(params.lr)")).toBeCloseTo(-2);
  expect(value("train_loss.max - train_loss.min")).toBeCloseTo(2.8);
  expect(value("max(1, duration_s, lr)")).toBe(10);
});
test("a metric whose own name ends in .min is itself", () => expect(value("a.min")).toBe(7));
test("what is missing or no number makes no number", () => {
  expect(value("size + 1")).toBeNaN();
  const made = parse_formula("val_loss", known);
  expect("value" in made && made.value({ ...run, metrics: {} })).toBeNaN();
});
test("it says which columns it needs", () => {
  const made = parse_formula("train_loss / lr + train_loss.max", known);
  expect("fields" in made && made.fields).toEqual(["metrics.train_loss", "params.lr"]);
});

test("what is wrong is named where it stands", () => {
  expect(error("train_los - 1")).toEqual({ position: 0, length: 9, message: "No run has a metric or parameter “train_los”; did you mean “train_loss”?" });
  expect(error("1 + ")).toMatchObject({ position: 4, message: /ends where/ });
  expect(error("1 + * 2")).toMatchObject({ position: 4, length: 1 });
  expect(error("(1 + 2")).toMatchObject({ position: 0, message: /not closed/ });
  expect(error("1 2")).toMatchObject({ position: 2, message: /expected/ });
  expect(error("sin(1)")).toMatchObject({ position: 0, length: 3, message: /no function sin/ });
  expect(error("lr # 2")).toMatchObject({ position: 3, message: /no meaning/ });
  expect(error("`val/acc")).toMatchObject({ position: 0, message: /not closed/ });
  expect(error("sqrt(1, 2)")).toMatchObject({ message: /takes one value/ });
  expect(error("params.val_loss")).toMatchObject({ message: /No run has a parameter “val_loss”/ });
  expect(error("1".repeat(301))).toMatchObject({ message: /at most 300/ });
});

test("formulas are written into a list and read back", () => {
  const formulas = [{ name: "gap", text: "train_loss - val_loss" }, { name: "x", text: "lr" }];
  expect(read_formulas(write_formulas(formulas))).toEqual(formulas);
  expect(read_formulas(["no sign", "=1"])).toEqual([]);
});
