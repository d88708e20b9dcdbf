import { describe, expect, test } from "vitest";
import { columns_of, declaration_of, guess, join_files, wanted_paths, type StreamForm } from "./join";
import { parse_pattern, type Pattern } from "./pattern";

const pattern = (text: string) => parse_pattern(text) as Pattern;
const stream = (name: string, files: string, decode = "image", optional = false): StreamForm => ({ name, files, decode, optional });

describe("patterns", () => {
  test("fields are what stands in their place, and never cross a folder", () => {
    expect(pattern("raw/{site}/{frame}.jpg").match("raw/a/1.jpg")).toEqual({ site: "a", frame: "1" });
    expect(pattern("raw/{frame}.jpg").match("raw/a/1.jpg")).toBeNull();
    expect(pattern("{a}.png").match(".png")).toBeNull();
  });
  test("earlier fields take as little as they can, and the same field has one value", () => {
    expect(pattern("{a}-{b}.png").match("x-y-z.png")).toEqual({ a: "x", b: "y-z" });
    expect(pattern("{a}/{a}-*.png").match("x/x-7.png")).toEqual({ a: "x" });
    expect(pattern("{a}/{a}.png").match("x/y.png")).toBeNull();
  });
  test("what means something to regular expressions means itself", () => expect(pattern("a.(b)+{x}").match("a.(b)+1")).toEqual({ x: "1" }));
  test("mistakes are sentences", () => {
    expect(parse_pattern("{a}{b}")).toMatch(/nothing between/);
    expect(parse_pattern("{}")).toMatch(/without a name/);
    expect(parse_pattern("a}")).toMatch(/without a \{/);
    expect(parse_pattern("")).toMatch(/no pattern/);
  });
});

describe("the join", () => {
  const paths = ["images/1.png", "images/2.png", "labels/1.txt", "notes.md"];
  const streams = [stream("image", "images/{id}.png"), stream("label", "labels/{id}.txt", "label")];
  test("files with the same key are one sample; what is missing is named with the file that was expected", () => {
    const join = join_files("{id}", streams, paths);
    expect(join.samples.map(({ key, paths: of }) => [key, ...of])).toEqual([["1", "images/1.png", "labels/1.txt"], ["2", "images/2.png", null]]);
    expect(join.counts).toEqual([2, 1]);
    expect(join.unused).toEqual(["notes.md"]);
    expect(join.problems).toEqual(["the sample 2 has no file for its stream label; expected labels/2.txt"]);
    expect([...wanted_paths(join, { file: "notes.md", column: "x" })]).toEqual(["images/1.png", "labels/1.txt", "images/2.png", "notes.md"]);
  });
  test("an optional stream may lack files", () => expect(join_files("", [streams[0]!, { ...streams[1]!, optional: true }], paths).problems).toEqual([]));
  test("two files for one place are a problem", () => expect(join_files("{id}", [stream("image", "{folder}/{id}.png")], ["a/1.png", "b/1.png"]).problems[0]).toMatch(/has a\/1.png as its image already/));
  test("mistakes stand with their pattern", () => {
    expect(join_files("{id}", [stream("image", "images/{x}.png")], paths).mistakes.get(0)).toMatch(/lacks \{id\}/);
    expect(join_files("{", streams, paths).mistakes.get("key")).toMatch(/without a name/);
  });
});

test("the usual layouts are guessed", () => {
  expect(guess(["1.png", "2.png"]).streams).toEqual([stream("image", "{id}.png")]);
  expect(guess(["images/1.jpg", "labels/1.txt", "masks/1.png"]).streams.map(({ name }) => name)).toEqual(["image", "label", "mask"]);
  expect(guess(["cat/1.png", "dog/2.png"])).toMatchObject({ key: "{label}/{id}", why: null });
  expect(guess(["a/b/1.png", "a/c/1.png"])).toMatchObject({ streams: [{ files: "a/{part1}/{id}.png" }], why: expect.stringMatching(/several depths/) });
  expect(guess(["x/1.wav"]).why).toMatch(/no .png/);
});

test("a declaration says what slipway.yaml would", () =>
  expect(declaration_of("{id}", [stream("image", "{id}.png"), stream("label", "{id}.txt", "label", true)], ["brightness"], { file: "meta.csv", column: "class" })).toEqual({
    key: "{id}", streams: { image: { files: "{id}.png", decode: "image" }, label: { files: "{id}.txt", decode: "label", optional: true } },
    attributes: { brightness: { type: "float", compute: "brightness(image)" }, label: { type: "text", manifest: "meta.csv", column: "class" } },
  }));

test("columns are read from the first line of a table", () => {
  expect(columns_of('key,"a, b",c\r', "t.csv")).toEqual(["key", "a, b", "c"]);
  expect(columns_of('{"key": "1", "class": "cat"}', "t.jsonl")).toEqual(["key", "class"]);
  expect(columns_of("nonsense", "t.jsonl")).toEqual([]);
});
