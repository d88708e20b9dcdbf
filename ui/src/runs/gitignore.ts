// Which files git would not take, from the .gitignore files of a folder (gitignore(5)): later lines win over earlier ones, deeper
// files over those above, "!" takes back, and nothing inside an ignored folder comes back.
interface Rule { expression: RegExp; folders_only: boolean; takes_back: boolean }

export interface IgnoreFile { folder: string; text: string }

/// Answers whether a path is ignored. `files`: the .gitignore texts by the folder they lie in ("" for the root).
export function make_ignored(files: IgnoreFile[]): (path: string) => boolean {
  const rules = new Map(files.map(({ folder, text }) => [folder, text.split(/\r?\n/).flatMap((line) => rule_of(line) ?? [])]));
  const folders = new Map<string, boolean>([["", false]]);
  const decide = (path: string, is_folder: boolean): boolean => {
    let ignored = false;
    // From the root down: whoever speaks last is right.
    for (let at = -1; ;) {
      const folder = at < 0 ? "" : path.slice(0, at);
      const below = at < 0 ? path : path.slice(at + 1);
      for (const { expression, folders_only, takes_back } of rules.get(folder) ?? []) if ((!folders_only || is_folder) && expression.test(below)) ignored = !takes_back;
      at = path.indexOf("/", at + 1);
      if (at < 0) return ignored;
    }
  };
  const folder_ignored = (folder: string): boolean => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const slash = folder.lastIndexOf("/");
    const made = folder_ignored(slash < 0 ? "" : folder.slice(0, slash)) || decide(folder, true);
    folders.set(folder, made);
    return made;
  };
  return (path) => folder_ignored(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "") || decide(path, false);
}

function rule_of(line: string): Rule | null {
  let text = line.replace(/(?<!\\)\s+$/, "");
  if (text === "" || text.startsWith("#")) return null;
  const takes_back = text.startsWith("!");
  if (takes_back) text = text.slice(1);
  const folders_only = text.endsWith("/");
  if (folders_only) text = text.slice(0, -1);
  const is_anchored = text.includes("/");
  if (text.startsWith("/")) text = text.slice(1);
  try {
    return { expression: new RegExp(`^${is_anchored ? "" : "(?:.*/)?"}${glob(text)}$`), folders_only, takes_back };
  } catch {
    return null;  // a [range] that is none; git passes over it, too
  }
}

function glob(text: string): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const rest = text.slice(i);
    const range = /^\[[!^]?\]?[^\]]*\]/.exec(rest)?.[0];
    if (rest.startsWith("**/") && (i === 0 || text[i - 1] === "/")) { out += "(?:.*/)?"; i += 2; }
    else if (rest === "**" && text[i - 1] === "/") { out += ".+"; i += 1; }
    else if (text[i] === "*") { out += "[^/]*"; while (text[i + 1] === "*") i++; }
    else if (text[i] === "?") out += "[^/]";
    else if (range) { out += range.replace(/^\[!/, "[^").replace(/\\/g, "\\\\"); i += range.length - 1; }
    else if (text[i] === "\\" && i + 1 < text.length) out += escaped(text[++i]!);
    else out += escaped(text[i]!);
  }
  return out;
}
const escaped = (character: string) => character.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
