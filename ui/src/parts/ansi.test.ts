import { expect, test } from "vitest";
import { lines_of, plain, spans_of } from "./ansi";

test("colours begin and end where the codes say", () =>
  expect(spans_of("a\x1b[31mred\x1b[0m b")).toEqual([
    { text: "a", color: null, bold: false, dim: false }, { text: "red", color: 1, bold: false, dim: false }, { text: " b", color: null, bold: false, dim: false }]));
test("bright, 256 and RGB colours do not leave rubbish behind", () => {
  expect(spans_of("\x1b[92mx")[0]).toMatchObject({ color: 2, bold: true });
  expect(spans_of("\x1b[38;5;1mx")[0]).toMatchObject({ color: 1 });
  expect(plain("\x1b[38;2;10;20;30mx\x1b[48;5;200my\x1b[m")).toBe("xy");
});
test("cursor movements, titles and control characters are dropped", () => expect(plain("\x1b[2K\x1b]0;title\x07a\x1b[?25lb\x00c")).toBe("abc"));
test("a carriage return overwrites its line, as progress bars want", () => {
  expect(lines_of("10%\r50%\r100%\nnext\r\n")).toEqual(["100%", "next", ""]);
  expect(lines_of("50%\r")).toEqual(["50%"]);
});
