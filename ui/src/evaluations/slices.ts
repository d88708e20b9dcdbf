/// "thick: thickness > 3" a line; what has no colon is passed over.
export function parse_slices(text: string): Record<string, string> {
  return Object.fromEntries(text.split("\n").flatMap((line) => {
    const at = line.indexOf(":");
    const [name, query] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    return at > 0 && name && query ? [[name, query]] : [];
  }));
}
