// From what the server answers of a metric's history to lines of a plot.
import { useState } from "react";
import type { Num, Series } from "../api/types";
import { counted, value_of } from "../parts/format";
import type { PlotLine, Zoom } from "../parts/plot";
import { share_in_view } from "../parts/plot_lines";
import { index_at, type Line } from "../parts/series";
import type { X } from "./plot_settings";

export const kPointsMax = 2000;
/// A chart of many lines asks for as many of each as it has columns of pixels.
const kLinesFew = 5;
const kPointsOfMany = 1000;
/// Points that one chart asks for, of all its lines together.
const kChartPointsMax = 200_000;
/// The server's own limit for one line.
const kLinePointsMax = 100_000;

/// How many points of each of `lines` are asked for at a depth of zoom: twice as many for each halving of what is in view.
export function points_for(lines: number, depth: number): number {
  const fitting = 2 ** Math.floor(Math.log2(kChartPointsMax / Math.max(1, lines)));
  const first = lines > kLinesFew ? kPointsOfMany : kPointsMax;
  return Math.round(Math.min(first * 2 ** depth, Math.max(200, fitting), kLinePointsMax));
}

/// How deep the zoom into some lines is, and a function that is told the lines at each rendering. While the zoom stays the
/// depth only grows, because finer lines may begin elsewhere than the coarse ones by which it was judged.
export function useDepth(zoom: Zoom): [number, (lines: Line[]) => void] {
  const [kept, set_kept] = useState({ zoom, depth: 0 });
  return [kept.depth, (lines) => {
    const depth = Math.ceil(Math.log2(1 / Math.max(share_in_view(lines, zoom), 1e-6)));
    if (kept.zoom !== zoom || depth > kept.depth) set_kept({ zoom, depth });
  }];
}

/// A history that may have been put together of parts; `origin_ms` is then where its time since the first point begins.
export interface HeldSeries extends Series { origin_ms?: number }

const plain = (values: Num[]) => values.map((value) => { const known = value_of(value); return Number.isFinite(known) ? known : null; });

/// `beside` is the metric that x is, of the same run.
export function line_of(series: HeldSeries, x: X, label: string, color: string, beside?: Series): PlotLine {
  const xs = places(series, x, beside);
  const line = { label, color, xs, ys: plain(series.values), low: series.min && plain(series.min), high: series.max && plain(series.max) };
  // The same x twice (a step logged again) keeps its last value; x must rise.
  let rises = true;
  for (let i = 1; i < xs.length; i++) if (!(xs[i]! > xs[i - 1]!)) { rises = false; break; }
  if (rises && !Number.isNaN(xs[0])) return line;
  const last = new Map(xs.map((x, i) => [x, i]));
  const order = [...last.entries()].filter(([at]) => !Number.isNaN(at)).sort(([a], [b]) => a - b);
  const pick = <T,>(values: T[]) => order.map(([, i]) => values[i]!);
  return { ...line, xs: order.map(([at]) => at), ys: pick(line.ys), low: line.low && pick(line.low), high: line.high && pick(line.high) };
}

/// What attempts of a resumed run logged and a later one logged again, as lines that stand back.
export function tails_of(series: HeldSeries, x: X, label: string, color: string): PlotLine[] {
  return (series.abandoned ?? []).map((tail) => {
    const origin_ms = series.origin_ms ?? series.times_ms[0] ?? tail.times_ms[0] ?? 0;
    return { ...line_of({ ...series, ...tail, origin_ms }, x, `${label} of attempt ${tail.attempt}, abandoned`, color), dashed: true, faint: true };
  });
}

function places(series: HeldSeries, x: X, beside: Series | undefined): number[] {
  if (x === "time") return series.times_ms.map((ms) => ms / 1000);
  if (x === "relative") { const first = series.origin_ms ?? series.times_ms[0] ?? 0; return series.times_ms.map((ms) => (ms - first) / 1000); }
  return x === "step" ? series.steps : along(series.steps, beside);
}

/// The value that another metric had at each step; between its points it is taken as straight, beyond them it is unknown.
function along(steps: number[], beside: Series | undefined): number[] {
  if (!beside) return steps.map(() => NaN);
  const values = beside.values.map(value_of);
  return steps.map((step) => {
    const i = index_at(beside.steps, step);
    if (i < 0) return NaN;
    const [from, to] = [beside.steps[i]!, beside.steps[i + 1]];
    if (from === step) return values[i]!;
    return to === undefined ? NaN : values[i]! + ((step - from) / (to - from)) * (values[i + 1]! - values[i]!);
  });
}

/// In words, that not every point is drawn.
export function thinned(series: Series[]): string | undefined {
  const some = series.filter((one) => one.thinned);
  if (some.length === 0) return undefined;
  return `${counted(some.reduce((sum, one) => sum + one.count, 0), "point")} thinned to ${counted(some.reduce((sum, one) => sum + one.steps.length, 0), "point")}, extremes kept`;
}
