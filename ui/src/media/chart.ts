// A plot that somebody logged, as marks to draw. plotly.ts and vega.ts make it of their own forms; chart_view.tsx draws it.

export type Place = number | string;
export interface Mark {
  kind: "line" | "points" | "bars" | "area";
  name: string;
  x: Place[];
  y: number[];
  /// Of one mark in place of its series' colour.
  color?: string;
}
export interface Heat { x: Place[]; y: Place[]; z: (number | null)[][] }
export interface Chart {
  title: string;
  x_title: string;
  y_title: string;
  x_log: boolean;
  y_log: boolean;
  stacked: boolean;
  marks: Mark[];
  heat: Heat | null;
  /// What could not be drawn, in words.
  left_out: string[];
}

/// Of more points than this every so-manieth is drawn.
export const kPointsMax = 20_000;
const kMarksMax = 100;

export const empty_chart = (): Chart => ({ title: "", x_title: "", y_title: "", x_log: false, y_log: false, stacked: false, marks: [], heat: null, left_out: [] });

export type Members = { [name: string]: unknown };
export const record = (value: unknown): Members => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {});
export const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/// Numbers stay numbers, dates become the time they mean, everything else is a word.
export function place_of(value: unknown): Place {
  if (typeof value === "number") return value;
  const word = value === null || value === undefined ? "" : String(value);
  return kDate.test(word) ? Date.parse(word.replace(" ", "T")) : word;
}
const kDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
export const number_of = (value: unknown): number => (typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : NaN);

/// Without points that have no number, thinned to what can be drawn.
export function mark_of(kind: Mark["kind"], name: string, x: unknown[], y: unknown[], color?: string): Mark {
  const step = Math.max(1, Math.ceil(y.length / kPointsMax));
  const kept: Mark = { kind, name, x: [], y: [], ...(color ? { color } : {}) };
  for (let i = 0; i < y.length; i += step) {
    const value = number_of(y[i]);
    if (i < x.length && (x[i] === null || x[i] === undefined)) continue;
    const place = i < x.length ? place_of(x[i]) : i;
    if (!Number.isFinite(value) || (typeof place === "number" && !Number.isFinite(place))) continue;
    kept.x.push(place);
    kept.y.push(value);
  }
  return kept;
}

/// At most as many marks as can be told apart at all.
export function finish(chart: Chart): Chart {
  const marks = chart.marks.filter(({ y }) => y.length > 0);
  const left_out = marks.length > kMarksMax ? [...chart.left_out, `${marks.length - kMarksMax} further series`] : chart.left_out;
  return { ...chart, marks: marks.slice(0, kMarksMax), left_out: [...new Set(left_out)] };
}

/// As many bars of the same width as Sturges (1926) would take.
export function histogram_of(values: number[]): { x: number[]; y: number[] } {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return { x: [], y: [] };
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const count = high > low ? Math.ceil(Math.log2(known.length) + 1) : 1;
  const width = (high - low) / count || 1;
  const y = new Array<number>(count).fill(0);
  for (const value of known) y[Math.min(count - 1, Math.floor((value - low) / width))]!++;
  return { x: y.map((_, i) => low + (i + 0.5) * width), y };
}
