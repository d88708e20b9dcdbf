// Terminal text: colours (SGR), carriage returns as progress bars use them, other control sequences dropped.
export interface Span { text: string; color: number | null; bold: boolean; dim: boolean }
interface Style { color: number | null; bold: boolean; dim: boolean }

/// Turns text into lines. What a lone carriage return overwrites is gone, as on a terminal.
export function lines_of(text: string): string[] {
  const lines = text.replace(/\r\n/g, "\n").split("\n");
  return lines.map((line) => (line.includes("\r") ? (line.split("\r").findLast((piece) => piece !== "") ?? "") : line));
}

// eslint-disable-next-line no-control-regex -- these are the control characters themselves
const kSequence = /\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/// One line in spans of one style. Colours are 0 to 7; bright ones are the same, bold.
export function spans_of(line: string): Span[] {
  const spans: Span[] = [];
  const style: Style = { color: null, bold: false, dim: false };
  let from = 0;
  const push = (text: string) => { if (text) spans.push({ text, ...style }); };
  for (const found of line.matchAll(kSequence)) {
    push(line.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[0].endsWith("m") && found[1] !== undefined) apply(style, found[1]);
  }
  push(line.slice(from));
  return spans;
}

function apply(style: Style, codes: string) {
  const numbers = codes === "" ? [0] : codes.split(";").map(Number);
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i]!;
    if (code === 0) { style.color = null; style.bold = false; style.dim = false; }
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 22) { style.bold = false; style.dim = false; }
    else if (code >= 30 && code <= 37) style.color = code - 30;
    else if (code === 39) style.color = null;
    else if (code >= 90 && code <= 97) { style.color = code - 90; style.bold = true; }
    else if (code === 38 || code === 48) {
      // 256 colours and RGB: the first sixteen have names, the rest are shown plain.
      const named = numbers[i + 1] === 5 ? numbers[i + 2] : undefined;
      if (code === 38) style.color = named !== undefined && named < 16 ? named % 8 : null;
      i += numbers[i + 1] === 5 ? 2 : 4;
    }
  }
}

export const plain = (line: string) => spans_of(line).map(({ text }) => text).join("");
