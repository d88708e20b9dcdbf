// From values to pixels: numbers, their logarithms, or words side by side.
import type { Place } from "./chart";
import { number } from "../parts/format";

export interface Scale {
  at: (value: Place) => number;
  ticks: { at: number; text: string }[];
  /// Pixels that belong to one word; 0 for numbers.
  band: number;
}

const kTimeMsMin = 1e11;

/// Round steps of 1, 2 or 5.
export function round_ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

export function scale_of_numbers(values: number[], from: number, to: number, { log = false, zero = false, pad = 0 } = {}): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let low = known.reduce((a, b) => Math.min(a, b), Infinity);
  let high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low <= high)) [low, high] = [log ? 1 : 0, log ? 10 : 1];
  if (zero && !log) [low, high] = [Math.min(0, low), Math.max(0, high)];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  low -= pad;
  high += pad;
  const turned = log ? Math.log10 : (value: number) => value;
  const at = (value: Place) => from + ((turned(Number(value)) - turned(low)) / (turned(high) - turned(low))) * (to - from);
  const count = Math.max(2, Math.round(Math.abs(to - from) / 70));
  const places = log ? powers(low, high) : round_ticks(low, high, count);
  const text = low >= kTimeMsMin && high < 1e14 ? date_text(high - low) : (value: number) => number(value);
  return { at, ticks: places.map((value) => ({ at: at(value), text: text(value) })), band: 0 };
}

function powers(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) found.push(10 ** power);
  return found.length >= 2 ? found : [low, high];
}

/// Dates were made milliseconds; they are shown as such again.
const date_text = (span: number) => (value: number) => new Date(value).toISOString().slice(0, span < 2 * 86_400_000 ? 16 : 10).replace("T", " ");

const kWordPixels = 46;

export function scale_of_words(words: string[], from: number, to: number): Scale {
  const places = new Map(words.map((word, i) => [word, i]));
  const band = Math.abs(to - from) / Math.max(1, words.length);
  const at = (value: Place) => from + ((places.get(String(value)) ?? 0) + 0.5) * (to > from ? band : -band);
  const every = Math.max(1, Math.ceil(kWordPixels / band));
  return { at, ticks: words.flatMap((word, i) => (i % every === 0 ? [{ at: at(word), text: word.length > 12 ? `${word.slice(0, 11)}…` : word }] : [])), band };
}

/// Words as soon as one place is none of numbers.
export function scale_of(places: Place[], from: number, to: number, { log = false, pad = 0 } = {}): Scale {
  if (places.every((place) => typeof place === "number")) return scale_of_numbers(places as number[], from, to, { log, pad });
  return scale_of_words([...new Set(places.map(String))], from, to);
}

/// The smallest distance between neighbours: how wide a bar over numbers may be.
export function least_distance(places: Place[]): number {
  const numbers = [...new Set(places.filter((place) => typeof place === "number"))].sort((a, b) => a - b);
  let least = Infinity;
  for (let i = 1; i < numbers.length; i++) least = Math.min(least, numbers[i]! - numbers[i - 1]!);
  return Number.isFinite(least) ? least : 1;
}
