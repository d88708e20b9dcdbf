// Patterns of paths with {fields}, as slipway.yaml has them: "raw/{site}/{frame}.jpg". A field is one or more characters other
// than "/"; where several ways fit, earlier fields take as little as they can. The same field twice has the same value. "*" is
// any characters other than "/", also none. The command line has the last word; this shows at once what it will find.
export type Fields = Record<string, string>;

export interface Pattern { text: string; fields: string[]; match: (path: string) => Fields | null; fill: (fields: Fields) => string | null }

/// The pattern, or a sentence that says what is wrong with it.
export function parse_pattern(text: string): Pattern | string {
  const parts: { field?: string; text?: string }[] = [];
  const fields: string[] = [];
  for (let i = 0; i < text.length;) {
    const is_hole = text[i] === "{" || text[i] === "*";
    if (is_hole && parts.length > 0 && parts.at(-1)!.text === undefined) return "two fields with nothing between them: nobody could tell where one ends";
    if (text[i] === "*") { parts.push({}); i++; continue; }
    if (text[i] === "}") return "a } without a { before it";
    if (text[i] === "{") {
      const end = text.indexOf("}", i);
      if (end <= i + 1) return "a { without a name and a } behind it";
      const field = text.slice(i + 1, end);
      parts.push({ field });
      if (!fields.includes(field)) fields.push(field);
      i = end + 1;
      continue;
    }
    const last = parts.at(-1);
    if (last?.text === undefined) parts.push({ text: text[i]! }); else last.text += text[i];
    i++;
  }
  if (text === "") return "no pattern yet";
  const seen = new Map<string, number>();
  const expression = new RegExp(`^${parts.map((part) => {
    if (part.text !== undefined) return part.text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    if (part.field === undefined) return "[^/]*?";
    const group = seen.get(part.field);
    if (group !== undefined) return `(?:\\${group})`;
    seen.set(part.field, seen.size + 1);
    return "([^/]+?)";
  }).join("")}$`);
  return {
    text, fields,
    match: (path: string) => {
      const found = expression.exec(path);
      return found && Object.fromEntries(fields.map((field, i) => [field, found[i + 1]!]));
    },
    fill: (values: Fields) => {
      if (parts.some(({ text: literal, field }) => literal === undefined && (field === undefined || values[field] === undefined))) return null;
      return parts.map((part) => part.text ?? values[part.field!]).join("");
    },
  };
}
