// Unified diffs as `git diff` prints them, taken apart for the screen.
export interface DiffLine { kind: "same" | "added" | "removed" | "hunk" | "note"; text: string; old: number | null; new: number | null }
export interface DiffFile { path: string; from: string | null; status: "changed" | "added" | "deleted" | "renamed" | "binary"; added: number; removed: number; lines: DiffLine[] }

export function parse_diff(text: string): DiffFile[] {
  const files: DiffFile[] = [];
  let file: DiffFile | null = null;
  let old_line = 0;
  let new_line = 0;
  // Lines left of the hunk: inside it a line that begins with "---" is a removed line, not a header.
  let old_left = 0;
  let new_left = 0;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    if (old_left > 0 || new_left > 0) {
      const sign = line[0];
      const rest = line.slice(1);
      if (sign === "+") { file!.added++; new_left--; file!.lines.push({ kind: "added", text: rest, old: null, new: new_line++ }); continue; }
      if (sign === "-") { file!.removed++; old_left--; file!.lines.push({ kind: "removed", text: rest, old: old_line++, new: null }); continue; }
      if (sign === "\\") { file!.lines.push({ kind: "note", text: line.slice(2), old: null, new: null }); continue; }
      old_left--; new_left--;
      file!.lines.push({ kind: "same", text: rest, old: old_line++, new: new_line++ });
      continue;
    }
    const git = /^diff --git a\/(.*?) b\/(.*)$/.exec(line);
    if (git) { file = { path: git[2]!, from: null, status: "changed", added: 0, removed: 0, lines: [] }; files.push(file); continue; }
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$/.exec(line);
    if (hunk && file) {
      old_line = Number(hunk[1]); new_line = Number(hunk[3]);
      old_left = Number(hunk[2] ?? 1); new_left = Number(hunk[4] ?? 1);
      file.lines.push({ kind: "hunk", text: line, old: null, new: null });
      continue;
    }
    if (line.startsWith("--- ")) {
      // A diff without git's own header begins here.
      if (!file || file.lines.length > 0) { file = { path: line.slice(4).replace(/^a\//, ""), from: null, status: "changed", added: 0, removed: 0, lines: [] }; files.push(file); }
      continue;
    }
    if (!file) continue;
    if (line.startsWith("+++ ") && !line.endsWith("/dev/null")) { file.path = line.slice(4).replace(/^b\//, "").replace(/\t.*$/, ""); continue; }
    if (line.startsWith("new file")) file.status = "added";
    else if (line.startsWith("deleted file")) file.status = "deleted";
    else if (line.startsWith("rename from ")) { file.status = "renamed"; file.from = line.slice(12); }
    else if (line.startsWith("Binary files") || line.startsWith("GIT binary patch")) file.status = "binary";
    else if (line.startsWith("\\")) file.lines.push({ kind: "note", text: line.slice(2), old: null, new: null });
  }
  return files;
}
