import { expect, test } from "vitest";
import { expected, mistake, values_of, type Parameter } from "./parameters";

const parameter = (of: Partial<Parameter>): Parameter => ({ name: "x", type: "float", default: null, min: null, max: null, choices: [], help: "", ...of });

test("numbers are held against type and range", () => {
  const epochs = parameter({ type: "integer", min: 1, max: 10, default: 2 });
  expect(mistake(epochs, "3")).toBeNull();
  expect(mistake(epochs, "3.5")).toBe("expected a whole number from 1 to 10");
  expect(mistake(epochs, "11")).toBe("expected a whole number from 1 to 10");
  expect(mistake(epochs, "")).toBeNull();
  expect(mistake(parameter({}), "")).toBe("needs a number");
  expect(mistake(parameter({}), "1e-4")).toBeNull();
  expect(mistake(parameter({}), "0,1")).toBe("expected a number");
});
test("choices and booleans take what is among them", () => {
  expect(mistake(parameter({ choices: [16, 32] }), "32")).toBeNull();
  expect(mistake(parameter({ choices: [16, 32] }), "33")).toBe("expected one of 16, 32");
  expect(mistake(parameter({ type: "boolean" }), "yes")).toBe("expected true or false");
});
test("what is expected is said in words", () => {
  expect(expected(parameter({ min: 0 }))).toBe("a number, at least 0");
  expect(expected(parameter({ type: "string" }))).toBe("text");
});
test("only what differs from the default is sent, in its type", () =>
  expect(values_of([parameter({ name: "lr", default: 0.01 }), parameter({ name: "epochs", type: "integer", default: 2 }), parameter({ name: "note", type: "string", default: "a" }), parameter({ name: "fast", type: "boolean", default: false })], { lr: "0.01", epochs: "5", note: "", fast: "true" }))
    .toEqual({ epochs: 5, note: "", fast: true }));
