// Several lines as one: their mean, and how far they spread.
import type { Line } from "./series";

export type Spread = "extremes" | "confidence" | "none";
export interface MeanLine { xs: number[]; ys: (number | null)[]; low: (number | null)[] | null; high: (number | null)[] | null; counts: number[] }

/// More places than a screen has columns say nothing.
const kPlacesMax = 2000;

/// At each x of any line, the mean of those that reach there; between its points a line is taken as straight, beyond its
/// ends it does not count. `confidence` is the 95 % interval of the mean by Student's t distribution, which needs two lines.
export function mean_of(lines: Line[], spread: Spread): MeanLine {
  const xs = places(lines);
  const columns = lines.map((line) => at_places(line, xs));
  const made: MeanLine = { xs, ys: [], low: spread === "none" ? null : [], high: spread === "none" ? null : [], counts: [] };
  for (let i = 0; i < xs.length; i++) {
    const values = columns.map((column) => column[i]!).filter((y) => !Number.isNaN(y));
    const { mean, low, high } = spread_of(values, spread);
    made.ys.push(values.length ? mean : null);
    made.low?.push(values.length ? low : null);
    made.high?.push(values.length ? high : null);
    made.counts.push(values.length);
  }
  return made;
}

export function spread_of(values: number[], spread: Spread): { mean: number; low: number; high: number } {
  const count = values.length;
  const mean = values.reduce((sum, y) => sum + y, 0) / count;
  if (spread !== "confidence") return { mean, low: Math.min(...values), high: Math.max(...values) };
  if (count < 2) return { mean, low: mean, high: mean };
  const variance = values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (count - 1);
  const half = (student_t(count - 1) * Math.sqrt(variance)) / Math.sqrt(count);
  return { mean, low: mean - half, high: mean + half };
}

/// The 97.5 % quantile of Student's t distribution. Beyond the table, the first terms of its expansion around the normal
/// quantile (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5), right to four digits.
export function student_t(degrees: number): number {
  const known = kStudent[degrees - 1];
  if (known !== undefined) return known;
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}
const kStudent = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314];

function places(lines: Line[]): number[] {
  const all = [...new Set(lines.flatMap(({ xs }) => xs))].sort((a, b) => a - b);
  if (all.length <= kPlacesMax) return all;
  return Array.from({ length: kPlacesMax }, (_, i) => all[Math.round((i * (all.length - 1)) / (kPlacesMax - 1))]!);
}

/// The line's value at each place; NaN where it does not reach.
function at_places(line: Line, places: number[]): Float64Array {
  const xs: number[] = [];
  const ys: number[] = [];
  line.xs.forEach((x, i) => { const y = line.ys[i]; if (y !== null && y !== undefined) { xs.push(x); ys.push(y); } });
  let right = 0;
  return Float64Array.from(places, (x) => {
    while (right < xs.length && xs[right]! < x) right++;
    if (right === xs.length) return NaN;
    if (xs[right] === x) return ys[right]!;
    if (right === 0) return NaN;
    const share = (x - xs[right - 1]!) / (xs[right]! - xs[right - 1]!);
    return ys[right - 1]! + share * (ys[right]! - ys[right - 1]!);
  });
}
