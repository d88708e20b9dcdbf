import { expect, test } from "vitest";
import { parse_slices } from "./slices";

test("slices are read a line each; the query may have colons", () =>
  expect(parse_slices("thick: thickness > 3\n\nno colon\nhour: at > '10:30'")).toEqual({ thick: "thickness > 3", hour: "at > '10:30'" }));
