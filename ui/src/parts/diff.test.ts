import { expect, test } from "vitest";
import { parse_diff } from "./diff";

const text = `diff --git a/train.py b/train.py
index 1..2 100644
--- a/train.py
+++ b/train.py
@@ -10,3 +10,3 @@ def net():
 same
--- removed line that looks like a header
+++ added line that looks like one
 end
\\ No newline at end of file
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+hello
diff --git a/old.bin b/old.bin
deleted file mode 100644
Binary files a/old.bin and /dev/null differ
diff --git a/a b/b
similarity index 100%
rename from a
rename to b
`;

test("files, their fate and their lines are found", () => {
  const files = parse_diff(text);
  expect(files.map(({ path, status }) => [path, status])).toEqual([["train.py", "changed"], ["new.txt", "added"], ["old.bin", "binary"], ["b", "renamed"]]);
  expect(files[3]!.from).toBe("a");
});

test("inside a hunk, lines that look like headers are lines", () => {
  const [train] = parse_diff(text);
  expect([train!.added, train!.removed]).toEqual([1, 1]);
  expect(train!.lines.map(({ kind }) => kind)).toEqual(["hunk", "same", "removed", "added", "same", "note"]);
  expect(train!.lines[2]).toMatchObject({ old: 11, new: null, text: "-- removed line that looks like a header" });
  expect(train!.lines[4]).toMatchObject({ old: 12, new: 12 });
});

test("a diff without git's header and an empty one are understood", () => {
  expect(parse_diff("--- x.txt\n+++ x.txt\n@@ -1 +1 @@\n-a\n+b\n")).toHaveLength(1);
  expect(parse_diff("")).toEqual([]);
});
