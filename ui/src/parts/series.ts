// The arithmetic of plots, without a canvas: smoothing, joining, thinning, export.

/// Exponential moving average with bias correction, so that the first points are not pulled to zero. `weight` in [0, 1):
/// the share of the past, over the line's usual distance between points when `xs` are given: what lies further apart
/// remembers less, so that a gap or a run that logs seldom does not drag its past along. NaN stays a gap and does not poison
/// what follows.
export function smooth(values: (number | null)[], weight: number, xs?: number[]): (number | null)[] {
  if (weight <= 0) return values;
  const usual = xs ? usual_gap(xs) : 0;
  let last = 0;
  let mass = 0;
  let before = NaN;
  return values.map((value, i) => {
    if (value === null || !Number.isFinite(value)) return null;
    const x = xs?.[i] ?? 0;
    const kept = usual > 0 && mass > 0 ? weight ** ((x - before) / usual) : weight;
    before = x;
    last = last * kept + value * (1 - kept);
    mass = mass * kept + (1 - kept);
    return last / mass;
  });
}

/// The median distance between neighbours; 0 for fewer than two.
function usual_gap(xs: number[]): number {
  const gaps = xs.slice(1).map((x, i) => x - xs[i]!).sort((a, b) => a - b);
  return gaps[gaps.length >> 1] ?? 0;
}

export interface Line { label: string; xs: number[]; ys: (number | null)[] }

/// Lines with x of their own on one common, sorted x; null where a line has no point.
export function join(lines: Line[]): { xs: number[]; columns: (number | null | undefined)[][] } {
  if (lines.length === 1) return { xs: lines[0]!.xs, columns: [lines[0]!.ys] };
  const xs = [...new Set(lines.flatMap((line) => line.xs))].sort((a, b) => a - b);
  const index = new Map(xs.map((x, i) => [x, i]));
  const columns = lines.map(({ xs: own, ys }) => {
    const column = new Array<number | null | undefined>(xs.length).fill(undefined);
    own.forEach((x, i) => { column[index.get(x)!] = ys[i] ?? null; });
    return column;
  });
  return { xs, columns };
}

/// The value at or before x, for the legend under the crosshair.
export function value_at(line: Line, x: number): number | null {
  return line.ys[index_at(line.xs, x)] ?? null;
}

/// The index of the last one that is not above x; -1 when all are. `xs` rise.
export function index_at(xs: number[], x: number): number {
  let low = -1;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (xs[middle]! <= x) low = middle; else high = middle - 1;
  }
  return low;
}

/// From the first to the last index in a window, one beyond it on either side, so that lines leave it in the right direction.
export function window_of(xs: number[], window: readonly [number, number] | null): [number, number] {
  if (!window) return [0, xs.length - 1];
  return [Math.max(0, index_at(xs, window[0])), Math.min(xs.length - 1, index_at(xs, window[1]) + 1)];
}

export interface Extent { low: number; high: number; outside: number }

/// What a y axis has to show of some lines of numbers. With `clip`, only what lies from the 1st to the 99th percentile;
/// `outside` counts the rest.
export function extent_of(columns: (number | null)[][], { log, clip }: { log: boolean; clip: boolean }): Extent | null {
  const shown = (y: number | null | undefined): y is number => y !== null && y !== undefined && Number.isFinite(y) && (!log || y > 0);
  if (!clip) {
    let [low, high] = [Infinity, -Infinity];
    for (const column of columns) for (const y of column) if (shown(y)) { if (y < low) low = y; if (y > high) high = y; }
    return low <= high ? { low, high, outside: 0 } : null;
  }
  const sorted = Float64Array.from(columns.flat().filter(shown)).sort();
  if (sorted.length === 0) return null;
  const low = sorted[Math.floor((sorted.length - 1) * kClipped)]!;
  const high = sorted[Math.ceil((sorted.length - 1) * (1 - kClipped))]!;
  return { low, high, outside: sorted.filter((y) => y < low || y > high).length };
}
/// The share of points that clipping may leave outside, at either end.
export const kClipped = 0.01;

export function csv(x_name: string, lines: Line[]): string {
  const { xs, columns } = join(lines);
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const head = [x_name, ...lines.map(({ label }) => label)].map(cell).join(",");
  return `${head}\n${xs.map((x, i) => [x, ...columns.map((column) => column[i] ?? "")].join(",")).join("\n")}\n`;
}

/// The plot as SVG: axes, grid and lines, drawn from the same numbers.
export function svg(lines: (Line & { color: string })[], { title, x_name, log }: { title: string; x_name: string; log: boolean }): string {
  const [width, height, left, bottom, top] = [800, 400, 64, 40, 32];
  const points = lines.flatMap(({ xs, ys }) => xs.map((x, i) => [x, ys[i]] as const)).filter((point): point is readonly [number, number] => point[1] !== null && point[1] !== undefined && Number.isFinite(point[1]) && (!log || point[1] > 0));
  if (points.length === 0) return "";
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  const scale_y = (y: number) => (log ? Math.log10(y) : y);
  for (const [x, y] of points) { x0 = Math.min(x0, x); x1 = Math.max(x1, x); y0 = Math.min(y0, scale_y(y)); y1 = Math.max(y1, scale_y(y)); }
  const px = (x: number) => left + ((x - x0) / (x1 - x0 || 1)) * (width - left - 16);
  const py = (y: number) => height - bottom - ((scale_y(y) - y0) / (y1 - y0 || 1)) * (height - bottom - top);
  const escape = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const ticks = Array.from({ length: 5 }, (_, i) => i / 4);
  const grid = ticks.map((t) => {
    const y = height - bottom - t * (height - bottom - top);
    const value = y0 + t * (y1 - y0);
    return `<line x1="${left}" x2="${width - 16}" y1="${y}" y2="${y}" stroke="#ddd"/><text x="${left - 6}" y="${y + 4}" text-anchor="end">${(log ? 10 ** value : value).toPrecision(3)}</text>`
      + `<text x="${left + t * (width - left - 16)}" y="${height - bottom + 16}" text-anchor="middle">${Number((x0 + t * (x1 - x0)).toPrecision(6))}</text>`;
  }).join("");
  const drawn = lines.map(({ xs, ys, color, label }, i) => {
    let pen = false;
    const path = xs.map((x, j) => {
      const y = ys[j];
      if (y === null || y === undefined || !Number.isFinite(y) || (log && y <= 0)) { pen = false; return ""; }
      const command = `${pen ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
      pen = true;
      return command;
    }).join("");
    return `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.5"/><text x="${width - 20}" y="${top + 14 * (i + 1)}" text-anchor="end" fill="${color}">${escape(label)}</text>`;
  }).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>`
    + `<text x="${left}" y="18" font-size="13">${escape(title)}</text>${grid}<text x="${(width + left) / 2}" y="${height - 6}" text-anchor="middle">${escape(x_name)}</text>${drawn}</svg>`;
}

/// Spreads what is in the way of a scale: a span of nothing becomes a span of something.
export function padded(low: number, high: number): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) return low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  const room = (high - low) * 0.06;
  return [low - room, high + room];
}
