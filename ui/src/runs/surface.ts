// A result over two fields as a surface: what runs nearby had, on average, and lines of equal height over it.

export interface Surface {
  columns: number;
  rows: number;
  /// Row by row from the low end of y; NaN where no run is near.
  heights: Float64Array;
}

/// How far a run is heard, as a share of each axis.
export const kReach = 0.1;
/// A place that hears less than one run at twice the reach says nothing.
const kHeardMin = Math.exp(-2);

/// Kernel regression with Gaussian weights (E. Nadaraya, "On Estimating Regression", 1964; G. Watson, "Smooth Regression
/// Analysis", 1964). `xs` and `ys` are shares of their axes.
export function surface_of(xs: number[], ys: number[], zs: number[], columns: number, rows: number): Surface {
  const heights = new Float64Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = column / (columns - 1), y = row / (rows - 1);
      let [sum, heard] = [0, 0];
      for (let i = 0; i < zs.length; i++) {
        const away = ((xs[i]! - x) ** 2 + (ys[i]! - y) ** 2) / (kReach * kReach);
        const weight = Math.exp(-away / 2);
        sum += weight * zs[i]!;
        heard += weight;
      }
      heights[row * columns + column] = heard < kHeardMin ? NaN : sum / heard;
    }
  }
  return { columns, rows, heights };
}

/// A piece of a line of equal height, in shares of the axes.
export type Segment = [number, number, number, number];

/// Marching squares: in each cell, the line between the points on its edges where the height is reached. The two cases in
/// which opposite corners are above are told apart by the height in the middle.
export function contour({ columns, rows, heights }: Surface, level: number): Segment[] {
  const segments: Segment[] = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]] as const;
      const above = corners.map(([x, y]) => heights[y * columns + x]! - level);
      if (above.some(Number.isNaN)) continue;
      // Where the level is crossed, edge by edge around the cell.
      const crossed = corners.flatMap(([x, y], i) => {
        const [next, from, to] = [corners[(i + 1) % 4]!, above[i]!, above[(i + 1) % 4]!];
        if (from >= 0 === to >= 0) return [];
        const share = from / (from - to);
        return [[(x + share * (next[0] - x)) / (columns - 1), (y + share * (next[1] - y)) / (rows - 1)] as const];
      });
      if (crossed.length === 2) segments.push([...crossed[0]!, ...crossed[1]!]);
      if (crossed.length === 4) {
        const middle = above.reduce((sum, one) => sum + one, 0) >= 0;
        const [a, b, c, d] = crossed as [readonly [number, number], readonly [number, number], readonly [number, number], readonly [number, number]];
        const joined = middle === above[0]! >= 0 ? [[a, b], [c, d]] : [[d, a], [b, c]];
        for (const [from, to] of joined) segments.push([...from!, ...to!]);
      }
    }
  }
  return segments;
}

/// Heights that are even and round, some six between the ends.
export function levels_of(low: number, high: number): number[] {
  const raw = (high - low) / 6;
  if (!(raw > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((one) => one * power >= raw) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
