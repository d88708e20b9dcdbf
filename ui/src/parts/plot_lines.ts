// How lines are drawn into a uPlot, which gives axes, crosshair and selection: each line keeps its own x, so twenty runs
// that logged at different steps cost no more than their points.
import type uPlot from "uplot";
import { extent_of, index_at, padded, smooth, window_of, type Extent, type Line } from "./series";

export interface PlotLine extends Line {
  color: string;
  /// What stands for it in the page's memory, when that is not its label.
  id?: string;
  /// Where points were thinned, the extent of what each point stands for; of a mean, its spread.
  low?: (number | null)[] | null;
  high?: (number | null)[] | null;
  dashed?: boolean;
  /// Stands back behind the others: what does not count any more.
  faint?: boolean;
}

export interface Drawn extends PlotLine { main: (number | null)[] }
export type Window = readonly [number, number] | null;

/// `main` is what is drawn in full colour: the smoothed line, or the line itself.
export const prepare = (lines: PlotLine[], smoothing: number): Drawn[] => lines.map((line) => ({ ...line, main: smooth(line.ys, smoothing, line.xs) }));

/// What x has to show.
export function reach_of(lines: Line[]): [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  for (const { xs } of lines) if (xs.length) { low = Math.min(low, xs[0]!); high = Math.max(high, xs.at(-1)!); }
  return low <= high ? [low, high] : null;
}

/// How much of x is in view, from 0 to 1.
export function share_in_view(lines: Line[], window: Window): number {
  const reach = reach_of(lines);
  return !window || !reach || reach[0] === reach[1] ? 1 : Math.min(1, (window[1] - window[0]) / (reach[1] - reach[0]));
}

/// What y has to show of the lines within a window of x, and how many points it leaves out.
export function height_of(lines: Drawn[], window: Window, { log, clip, smoothed }: { log: boolean; clip: boolean; smoothed: boolean }): Extent | null {
  const columns = lines.flatMap((line) => {
    const [from, to] = window_of(line.xs, window);
    const part = (ys: (number | null)[] | null | undefined) => (ys ? [ys.slice(from, to + 1)] : []);
    // A percentile is one of points, so bands and extremes have no say in it.
    return clip ? part(line.ys) : [...part(line.main), ...(smoothed ? part(line.ys) : []), ...part(line.low), ...part(line.high)];
  });
  return extent_of(columns, { log, clip });
}

export function scale_of(extent: Extent | null, { log, from_zero }: { log: boolean; from_zero: boolean }): [number, number] {
  if (!extent) return log ? [1, 10] : [0, 1];
  if (log) return extent.low === extent.high ? [extent.low / 2, extent.high * 2] : [extent.low / 1.15, extent.high * 1.15];
  const [low, high] = padded(extent.low, extent.high);
  return from_zero ? [Math.min(0, extent.low), high] : [low, high];
}

interface Look { color: (line: Drawn) => string; smoothed: boolean; emphasis: string | null }
type Place = (value: number) => number;

/// Draws all lines; those beside the one with the `emphasis` stand back.
export function draw_lines(u: uPlot, lines: Drawn[], { color, smoothed, emphasis }: Look) {
  const { left, top, width, height } = u.bbox;
  const px = place(u, "x", left, width, false);
  const py = place(u, "y", top + height, -height, u.scales["y"]!.distr === 3);
  const window = [u.scales["x"]!.min!, u.scales["x"]!.max!] as const;
  const unit = devicePixelRatio || 1;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  u.ctx.lineJoin = "round";
  const front = (line: Drawn) => emphasis === null || line.label === emphasis;
  for (const line of [...lines].sort((a, b) => Number(front(a)) - Number(front(b)))) {
    const weight = (front(line) ? 1 : 0.2) * (line.faint ? 0.45 : 1);
    const span = window_of(line.xs, window);
    u.ctx.strokeStyle = u.ctx.fillStyle = color(line);
    u.ctx.setLineDash([]);
    if (line.low && line.high) { u.ctx.globalAlpha = 0.16 * weight; band(u.ctx, line.xs, line.low, line.high, span, px, py); }
    if (smoothed) { u.ctx.globalAlpha = 0.3 * weight; u.ctx.lineWidth = unit; path(u.ctx, line.xs, line.ys, span, px, py); }
    u.ctx.globalAlpha = weight;
    u.ctx.lineWidth = (emphasis === line.label ? 2.4 : 1.6) * unit;
    if (line.dashed) u.ctx.setLineDash([5 * unit, 4 * unit]);
    path(u.ctx, line.xs, line.main, span, px, py);
    if (span[1] - span[0] <= kDotsMax) dots(u.ctx, line.xs, line.main, span, px, py, 2 * unit);
  }
  u.ctx.restore();
}
/// So few points are shown as points, too.
const kDotsMax = 40;

/// From a value to a pixel of the canvas; NaN for what has no place.
function place(u: uPlot, scale: "x" | "y", from: number, length: number, log: boolean): Place {
  const { min, max } = u.scales[scale]!;
  if (log) {
    const [low, high] = [Math.log(min!), Math.log(max!)];
    return (value) => (value > 0 ? from + ((Math.log(value) - low) / (high - low)) * length : NaN);
  }
  return (value) => from + ((value - min!) / (max! - min!)) * length;
}

type Span = readonly [number, number];
const pixel = (y: number | null | undefined, py: Place) => (y === null || y === undefined ? NaN : py(y));

interface Pen { moveTo: (x: number, y: number) => void; lineTo: (x: number, y: number) => void }

function path(ctx: CanvasRenderingContext2D, xs: number[], ys: (number | null)[], span: Span, px: Place, py: Place) {
  ctx.beginPath();
  trace(ctx, xs, ys, span, px, py);
  ctx.stroke();
}

/// The line as strokes of a pen. Of the points that fall into one column of pixels only the first, the lowest, the highest and the last are
/// drawn: the picture is the same, and costs no more than the screen is wide.
export function trace(pen: Pen, xs: number[], ys: (number | null)[], [from, to]: Span, px: Place, py: Place) {
  let down = false;
  let column = NaN;
  // Of the column so far, in pixels.
  let [first_x, last_x, last_y, low, high] = [0, 0, 0, 0, 0];
  let several = false;
  const close = () => {
    if (!several) return;
    const middle = (first_x + last_x) / 2;
    pen.lineTo(middle, low);
    pen.lineTo(middle, high);
    pen.lineTo(last_x, last_y);
    several = false;
  };
  for (let i = from; i <= to; i++) {
    const y = pixel(ys[i], py);
    if (Number.isNaN(y)) { close(); down = false; column = NaN; continue; }
    const x = px(xs[i]!);
    if (Math.floor(x) === column) {
      several = true;
      if (y < low) low = y; else if (y > high) high = y;
      last_x = x;
      last_y = y;
      continue;
    }
    close();
    if (down) pen.lineTo(x, y); else pen.moveTo(x, y);
    down = true;
    column = Math.floor(x);
    first_x = last_x = x;
    low = high = last_y = y;
  }
  close();
}

function dots(ctx: CanvasRenderingContext2D, xs: number[], ys: (number | null)[], [from, to]: Span, px: Place, py: Place, radius: number) {
  for (let i = from; i <= to; i++) {
    const y = pixel(ys[i], py);
    if (Number.isNaN(y)) continue;
    ctx.beginPath();
    ctx.arc(px(xs[i]!), y, radius, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/// The area between two lines, in one piece for each stretch without a gap.
function band(ctx: CanvasRenderingContext2D, xs: number[], low: (number | null)[], high: (number | null)[], [from, to]: Span, px: Place, py: Place) {
  for (let i = from; i <= to; i++) {
    const begin = i;
    while (i <= to && !Number.isNaN(pixel(low[i], py)) && !Number.isNaN(pixel(high[i], py))) i++;
    if (i - begin < 2) continue;
    ctx.beginPath();
    for (let j = begin; j < i; j++) ctx.lineTo(px(xs[j]!), py(high[j]!));
    for (let j = i - 1; j >= begin; j--) ctx.lineTo(px(xs[j]!), py(low[j]!));
    ctx.fill();
  }
}

/// The line that is drawn nearest to a place of the plot, within reach of a hand.
export function nearest(u: uPlot, lines: Drawn[], left: number, top: number): { line: Drawn; x: number; y: number } | null {
  const x = u.posToVal(left, "x");
  let found: { line: Drawn; x: number; y: number } | null = null;
  let best = kReachPixels;
  for (const line of lines) {
    const i = index_at(line.xs, x);
    const after = Math.min(i + 1, line.xs.length - 1);
    const at = i < 0 || Math.abs(line.xs[after]! - x) < Math.abs(line.xs[i]! - x) ? after : i;
    const y = line.main[at];
    if (y === null || y === undefined) continue;
    const away = Math.hypot(u.valToPos(y, "y") - top, (u.valToPos(line.xs[at]!, "x") - left) / 4);
    if (away < best) { best = away; found = { line, x: line.xs[at]!, y }; }
  }
  return found;
}
const kReachPixels = 28;
