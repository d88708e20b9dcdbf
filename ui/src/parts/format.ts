// Numbers, times and sizes in the words people use. Always a unit, three significant digits, thousands apart.
import type { Num } from "../api/types";

const kNone = "–";

export function value_of(number: Num | undefined): number {
  if (number === null || number === undefined) return NaN;
  if (typeof number === "number") return number;
  return number === "Infinity" ? Infinity : number === "-Infinity" ? -Infinity : NaN;
}

/// 0.98765 → "0.988", 12345 → "12,345", 1.5e-7 → "1.50e-7". Whole numbers stay whole.
export function number(value: Num | undefined, digits = 3): string {
  if (value === null || value === undefined) return kNone;
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e15) return value.toExponential(digits - 1);
  if (Number.isInteger(value) || size >= 10 ** digits) return grouped(Math.round(value));
  return value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
}

const kAxisDigits = 12;  // of a tick; what is behind them comes from adding up

/// The texts of an axis: as many decimals as its ticks need to differ, the same for all that lie evenly. From `plain_max` on
/// there is an exponent.
export function axis_texts(ticks: (number | null)[], plain_max = 1e6): string[] {
  const known = ticks.filter((tick) => tick !== null);
  const largest = Math.max(...known.map(Math.abs));
  if (largest >= plain_max || largest < 1e-3) return ticks.map((tick) => (tick === null ? "" : tick === 0 ? "0" : tick.toExponential(exponent_digits(known))));
  const gap = (known[1] ?? 0) - (known[0] ?? 0);
  const is_even = known.every((tick, i) => Math.abs(tick - ((known[0] ?? 0) + i * gap)) <= 1e-6 * Math.abs(gap));
  const most = Math.max(0, ...known.map(decimals));
  const is_tiny = (tick: number) => !is_even && Math.abs(tick) < 1e-3;
  return ticks.map((tick) => (tick === null ? "" : tick === 0 ? "0" : is_tiny(tick) ? tick.toExponential(0) : tick.toFixed(is_even ? most : decimals(tick)).replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","))));
}

/// The fewest by which no two ticks look the same.
const exponent_digits = (ticks: number[]) => [1, 2, 3, 4, 5].find((digits) => new Set(ticks.map((one) => one.toExponential(digits))).size === ticks.length) ?? 6;
const decimals = (tick: number) => Math.min(kAxisDigits, Number(tick.toPrecision(kAxisDigits)).toFixed(kAxisDigits).replace(/0+$/, "").replace(/^.*\./, "").length);

function grouped(value: number) {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

export const count = (value: number | null | undefined) => (value === null || value === undefined ? kNone : grouped(Math.round(value)));

/// "1 run", "2,000 runs".
export function counted(value: number, noun: string, plural = `${noun}s`) {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return kNone;
  return `${(share * 100).toFixed(digits)} %`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return kNone;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) { size /= 1024; unit++; }
  return `${unit === 0 ? size : size >= 100 ? Math.round(size) : size.toFixed(size >= 10 ? 1 : 2)} ${units[unit]}`;
}

/// "340 ms", "12.4 s", "4 min 10 s", "2 h 13 min", "3 d 4 h".
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return kNone;
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 0.001) return seconds === 0 ? "0 s" : `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ""}`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return kNone;
  return value < 1000 ? `${number(value)} ms` : duration(value / 1000);
}

/// How long ago, coarsely: "just now", "5 min ago", "3 d ago".
export function ago(time: string | null | undefined, now = Date.now()): string {
  if (!time) return kNone;
  const seconds = (now - Date.parse(time)) / 1000;
  if (!Number.isFinite(seconds)) return kNone;
  // A page's clock ticks every ten seconds, and a server's may be a little ahead.
  if (seconds < -15) return exact(time);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/// The absolute time in the reader's zone, for hovering.
export function exact(time: string | null | undefined): string {
  if (!time) return kNone;
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const two = (n: number) => String(n).padStart(2, "0");
  const zone = -date.getTimezoneOffset();
  const offset = zone === 0 ? "UTC" : `UTC${zone < 0 ? "-" : "+"}${Math.floor(Math.abs(zone) / 60)}${zone % 60 ? `:${two(Math.abs(zone) % 60)}` : ""}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${offset}`;
}

/// Enough of an id to tell it from others. Our own ids begin with the time, so that those of one minute begin alike: their end is
/// shown. Of git's commits and of hashes it is the beginning.
export const short_id = (id: string) => (id.length === 26 || id.length === 32 ? id.slice(-8) : id.slice(0, 8));

/// A difference in words: "0.8 to 2.1 points better (95 %)".
export function difference_in_words(low: number | null, high: number | null, verdict: string): string {
  if (low === null || high === null) return "not measured";
  const points = (share: number) => (Math.abs(share) * 100).toFixed(1);
  if (low > 0) return `${points(low)} to ${points(high)} points better (95 %)`;
  if (high < 0) return `${points(high)} to ${points(low)} points worse (95 %)`;
  const span = `${points(low)} points worse to ${points(high)} better (95 %)`;
  return verdict === "same" ? `no difference that matters: ${span}` : span;
}

/// The same colour for the same run everywhere in this browser: the first seen gets the first colour.
export function color_of(id: string): string {
  let index = colors.get(id);
  if (index === undefined) {
    index = colors.size % 10;
    colors.set(id, index);
    try { localStorage.setItem("slipway.colors", JSON.stringify([...colors].slice(-kColorsKept))); } catch { /* private window */ }
  }
  return `var(--c${index})`;
}
const kColorsKept = 500;
const colors = new Map<string, number>(read_colors());
function read_colors(): [string, number][] {
  try { return JSON.parse(localStorage.getItem("slipway.colors") ?? "[]") as [string, number][]; } catch { return []; }
}
