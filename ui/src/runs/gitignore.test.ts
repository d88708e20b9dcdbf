import { expect, test } from "vitest";
import { make_ignored } from "./gitignore";

const ignored = (text: string, paths: string[], more: { folder: string; text: string }[] = []) => paths.filter(make_ignored([{ folder: "", text }, ...more]));

test("a name without a slash counts at any depth, one with a slash from the folder on", () => {
  expect(ignored("*.pyc\n/build\ndocs/out", ["a.pyc", "x/y.pyc", "build", "x/build", "docs/out", "x/docs/out"])).toEqual(["a.pyc", "x/y.pyc", "build", "docs/out"]);
});
test("a slash at the end means folders, and all that is in them", () => {
  expect(ignored("data/", ["data", "data/1.png", "x/data/deep/2.png"])).toEqual(["data/1.png", "x/data/deep/2.png"]);
});
test("later lines take back, but not from inside an ignored folder", () => {
  expect(ignored("*.log\n!keep.log\nout/\n!out/keep.txt", ["a.log", "keep.log", "out/keep.txt"])).toEqual(["a.log", "out/keep.txt"]);
});
test("two stars cross folders", () => {
  expect(ignored("**/cache\na/**/z\nlogs/**", ["cache/x", "p/cache/x", "a/z", "a/b/c/z", "logs/1", "logs"])).toEqual(["cache/x", "p/cache/x", "a/z", "a/b/c/z", "logs/1"]);
});
test("ranges, question marks and escapes", () => {
  expect(ignored("v[0-9].txt\n?.md\n\\#x\n[!a]bc", ["v1.txt", "vx.txt", "a.md", "ab.md", "#x", "abc", "xbc"])).toEqual(["v1.txt", "a.md", "#x", "xbc"]);
});
test("comments, empty lines and nonsense ignore nothing", () => expect(ignored("# *.py\n\n   \n[z-a]", ["a.py", "z"])).toEqual([]));
test("a deeper .gitignore wins", () => expect(ignored("*.csv", ["a.csv", "data/b.csv"], [{ folder: "data", text: "!*.csv" }])).toEqual(["a.csv"]));
