// What is told of a picture in the file beside it: caption and boxes. Written by anybody, so nothing of it is taken as it is.

export interface Box { x: number; y: number; width: number; height: number; label: string; score: number | null }
export interface About { caption: string; boxes: Box[] }

const kBoxesMax = 2000;

export function about_of(json: unknown): About {
  const found = record(json);
  const boxes = Array.isArray(found["boxes"]) ? found["boxes"].slice(0, kBoxesMax).flatMap((one) => box_of(record(one))) : [];
  return { caption: typeof found["caption"] === "string" ? found["caption"] : "", boxes };
}

function box_of(found: Record<string, unknown>): Box[] {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => found[name]) as unknown[];
  if (![x, y, width, height].every((value) => typeof value === "number" && Number.isFinite(value))) return [];
  const { label, score } = found;
  return [{ x: x as number, y: y as number, width: width as number, height: height as number,
    label: typeof label === "string" || typeof label === "number" ? String(label) : "", score: typeof score === "number" ? score : null }];
}

const record = (value: unknown) => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});

/// The same label has the same colour in every picture.
export function color_of_label(label: string): string {
  let sum = 0;
  for (const character of label) sum = (sum * 31 + character.codePointAt(0)!) >>> 0;
  return `var(--c${sum % 10})`;
}
